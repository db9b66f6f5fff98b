"""What a conversation asks for: its last user message is the prompt, and earlier results may be what it speaks of."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from flow2api.adapters.openai_api.chat_schemas import Address, Message, Part
from flow2api.adapters.openai_api.input_pictures import PictureSource
from flow2api.domain.errors import UnsupportedInputError

_LEGACY_SOURCE: Final = "extend://"
"""How clients of the predecessor named a video to extend, in place of a picture's address."""

_LONGEST_LINK: Final = 2048
_WORD: Final = re.compile(r"[^\s()<>\"'\[\]]*")
_WORD_OF_LINK: Final = re.compile(rf"{_WORD.pattern[:-1]}{{0,{_LONGEST_LINK}}}")
_LINK_MARK: Final = "/media/"
_DATA_MARK: Final = "data:image/"
_MARKUP: Final = ")\n \"'<>][(\r\t"
_PUNCTUATION: Final = ".,;"
_TEXT_TYPES: Final = ("text", "input_text")
_MOST_EARLIER: Final = 32
_TARGET_MARK: Final = "](http"
_LONGEST_TITLE: Final = 500


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was read.

    Attributes:
        prompt_param: Where the prompt stood.
        pictures: Those of the last user message.
        video: A link to a video of ours that is to be extended, or its id.
        earlier: Links and data URLs of results in earlier answers, the newest first.
        shows_foreign: The newest picture of an earlier answer is one that somebody else keeps.
        warnings: What had no effect.
    """

    prompt: str
    prompt_param: str
    pictures: tuple[PictureSource, ...]
    video: str | None
    earlier: tuple[str, ...]
    shows_foreign: bool
    warnings: tuple[str, ...]


def read_conversation(messages: Sequence[Message]) -> Conversation:
    """What the messages ask for.

    Raises:
        UnsupportedInputError: There is no user message, or a part of the last one cannot be used.
    """
    index = next((i for i in reversed(range(len(messages))) if messages[i].role == "user"), None)
    if index is None:
        raise UnsupportedInputError("There is no user message; the last one is the prompt.", param="messages")
    param = f"messages[{index}].content"
    texts: list[str] = []
    pictures: list[PictureSource] = []
    video: str | None = None
    content = messages[index].content
    for at, part in enumerate([Part(text=content)] if isinstance(content, str) else content or ()):
        where = f"{param}[{at}]"
        if part.type in _TEXT_TYPES:
            texts.append(part.text or "")
        elif (address := _address(part.image_url)) is not None:
            if address.startswith(_LEGACY_SOURCE):
                video = address.removeprefix(_LEGACY_SOURCE)
            else:
                pictures.append(PictureSource(address, f"{where}.image_url"))
        elif (address := _address(part.video_url)) is not None:
            video = address
        else:
            pictures.append(_file(part, where))
    ignored = ("System messages have no effect here and were ignored.",)
    has_system = any(message.role in ("system", "developer") for message in messages)
    return Conversation(
        prompt="\n".join(text for text in texts if text),
        prompt_param=param,
        pictures=tuple(pictures),
        video=video,
        earlier=tuple(_earlier_results(messages[:index])),
        shows_foreign=_shows_foreign(messages[:index]),
        warnings=ignored if has_system else (),
    )


def _file(part: Part, where: str) -> PictureSource:
    if part.file is not None and part.file.file_data:
        return PictureSource(part.file.file_data, f"{where}.file.file_data")
    if part.file is not None and part.file.file_id:
        raise UnsupportedInputError(
            "There is no files API here; send the picture as a data URL or an https address.",
            param=f"{where}.file.file_id",
            code="image_file_not_found",
        )
    raise UnsupportedInputError(
        f"Message parts of the type {part.type[:32]!r} are not taken; send `text` and `image_url`.",
        param=f"{where}.type",
    )


def _earlier_results(messages: Sequence[Message]) -> Iterator[str]:
    """Where earlier answers say that their results are, the newest first, not too many."""
    found = 0
    for message in reversed(messages):
        if message.role != "assistant":
            continue
        for address in _results_of(message):
            yield address
            found += 1
            if found == _MOST_EARLIER:
                return


def _results_of(message: Message) -> Iterator[str]:
    yield from (shown.media_id for shown in reversed(message.media or ()) if shown.media_id)
    for picture in reversed(message.images or ()):
        if (address := _address(picture.image_url)) is not None:
            yield address
    parts = [Part(text=message.content)] if isinstance(message.content, str) else message.content or ()
    for part in reversed(parts):
        if (address := _address(part.image_url)) is not None:
            yield address
        yield from _addresses_in(part.text or "")


def _addresses_in(text: str) -> Iterator[str]:
    """What looks like a link to our media or a picture in the text, whatever markup is around it, the last one first.

    The text may be as large as a body: it is gone through once at most, and no further than somebody reads on.
    """
    link, data = text.rfind(_LINK_MARK), text.rfind(_DATA_MARK)
    while max(link, data) >= 0:
        at = max(link, data)
        run = _WORD.match(text[max(0, at - _LONGEST_LINK) : at][::-1])
        start = at - (0 if run is None else run.end())
        if at == data and start == at:
            yield _data_url(text, at)
        elif at == link and start <= data:
            start = data + 1  # it stands in the middle of a data URL
        elif at == link and at - start < _LONGEST_LINK:
            yield _link(text, start)
        link = text.rfind(_LINK_MARK, 0, start) if link >= start else link
        data = text.rfind(_DATA_MARK, 0, start) if data >= start else data


def _shows_foreign(messages: Sequence[Message]) -> bool:
    """Whether the last picture in the answers is at an address that cannot be one of ours."""
    for message in reversed(messages):
        if message.role != "assistant":
            continue
        addresses = [_address(picture.image_url) for picture in message.images or ()]
        parts = [Part(text=message.content)] if isinstance(message.content, str) else message.content or ()
        for part in parts:
            addresses += [_address(part.image_url), _last_shown(part.text or "")]
        shown = [address for address in addresses if address]
        if shown:
            return shown[-1].startswith("http") and _LINK_MARK not in shown[-1]
    return False


def _last_shown(text: str) -> str | None:
    """Where the last picture is that Markdown shows from an address."""
    at = len(text)
    for _ in range(_MOST_EARLIER):
        at = text.rfind(_TARGET_MARK, 0, at)
        if at < 0:
            return None
        if text.rfind("![", max(0, at - _LONGEST_TITLE), at) >= 0:
            return _link(text, at + 2)
    return None


def _link(text: str, start: int) -> str:
    found = _WORD_OF_LINK.match(text, start)
    return "" if found is None else found[0].rstrip(_PUNCTUATION)


def _data_url(text: str, start: int) -> str:
    """The picture that begins there. One mark after the other is looked for: a pattern would go through megabytes a
    hundred times as slowly.
    """
    stop = len(text)
    for mark in _MARKUP:
        found = text.find(mark, start, stop)
        stop = stop if found < 0 else found
    return text[start:stop].rstrip(_PUNCTUATION)


def _address(value: Address | str | None) -> str | None:
    return value.url if isinstance(value, Address) else value
