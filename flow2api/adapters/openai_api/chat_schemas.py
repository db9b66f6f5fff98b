"""What comes in and goes out at ``/chat/completions``."""

import math
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

Role = Literal["developer", "system", "user", "assistant", "tool", "function"]


class Address(msgspec.Struct):
    """The object form of an address."""

    url: str


class FileContent(msgspec.Struct):
    """A file inside a message."""

    file_id: str | None = None
    file_data: str | None = None


class Part(msgspec.Struct):
    """A part of a message; what it is follows from ``type``."""

    type: str = "text"
    text: str | None = None
    image_url: Address | str | None = None
    video_url: Address | str | None = None
    file: FileContent | None = None


class ReplyPicture(msgspec.Struct):
    """A picture beside the text of an earlier answer."""

    image_url: Address | str | None = None


class ReplyMedia(msgspec.Struct):
    """What our own earlier answer told of its result."""

    media_id: str | None = None


class Message(msgspec.Struct):
    """One message of the conversation."""

    role: Role
    content: str | list[Part] | None = None
    images: list[ReplyPicture] | None = None
    media: list[ReplyMedia] | None = None


class StreamOptions(msgspec.Struct):
    """How to stream."""

    include_usage: bool | None = None


class ChatIn(msgspec.Struct):
    """The fields of a chat request that this door reads itself."""

    model: str
    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int, msgspec.Meta(ge=1, le=4)] | None = None

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with the usage."""
        return bool(self.stream_options and self.stream_options.include_usage)


class ShownPicture(msgspec.Struct, frozen=True):
    """A picture beside the text, as OpenRouter began it and many clients read it."""

    image_url: dict[str, str]
    type: str = "image_url"
    index: int = 0


class ShownMedia(msgspec.Struct, frozen=True, omit_defaults=True):
    """By what the result can be found again."""

    media_id: str
    url: str
    content_type: str
    video_id: str | None = None


class Usage(msgspec.Struct, frozen=True):
    """An estimate: the upstream counts no tokens. One token for four characters; pictures and videos count nothing."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int

    @classmethod
    def estimate(cls, prompt: str, contents: Sequence[str]) -> "Usage":
        """The estimate for this prompt and these answers."""
        asked = math.ceil(len(prompt) / 4)
        answered = sum(math.ceil(len(content) / 4) for content in contents)
        return cls(asked, answered, asked + answered)


class Content(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one choice shows: text with links, and the same for clients that look beside the text."""

    content: str
    images: tuple[ShownPicture, ...] = ()
    media: tuple[ShownMedia, ...] = ()
