"""Results of a chat: one document, or a stream of chunks in the order that chat front ends expect."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from flow2api.adapters.openai_api.auth import profile_of
from flow2api.adapters.openai_api.body import HttpRequest
from flow2api.adapters.openai_api.chat_schemas import Content, ShownMedia, ShownPicture, Usage
from flow2api.adapters.openai_api.doors import Doors
from flow2api.adapters.openai_api.links import media_url
from flow2api.adapters.openai_api.runs import Outcome, Run
from flow2api.adapters.openai_api.sse import DONE, Frames, data_frame
from flow2api.domain.errors import ContentBlockedError
from flow2api.domain.generation import Accepted, Failed, Finished, Generation, MediaReady, Progressed
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.responses import ShownResult


@dataclass(frozen=True, slots=True)
class Chat:
    """How the results of one chat request are shown.

    Attributes:
        model: The name that was asked for, to be echoed.
        with_usage: A stream ends with the usage.
    """

    doors: Doors
    request: HttpRequest
    model: str
    prompt: str
    with_usage: bool

    def document(self, run: Run, outcome: Outcome) -> dict[str, Any]:
        """The whole answer at once."""
        contents = [self.content(end) for end in outcome.finished]
        choices = [
            {"index": index, "message": _message(content), "logprobs": None, "finish_reason": "stop"}
            for index, content in enumerate(contents)
        ]
        document = {
            **self._frame(run.accepted.generation, "chat.completion"),
            "choices": choices,
            "usage": Usage.estimate(self.prompt, [content.content for content in contents]),
        }
        return {**document, "warnings": outcome.warnings} if outcome.warnings else document

    async def frames(self, run: Run) -> Frames:
        """The chunks: the role at once, progress as reasoning, each result whole in one chunk, the end, the usage."""
        stream = _Stream(self, self._frame(run.accepted.generation, "chat.completion.chunk"))
        async with aclosing(run.events()) as events:
            async for event in events:
                match event:
                    case Accepted(generation):
                        yield stream.opened(generation)
                    case Progressed(generation, note):
                        if frame := stream.progressed(generation, note):
                            yield frame
                    case Finished():
                        for frame in stream.finished(event):
                            yield frame
                    case Failed():
                        stream.failures.append(event)
                    case MediaReady():
                        pass
        for frame in stream.end():
            yield frame

    def content(self, end: Finished) -> Content:
        """A result as the content of its message."""
        lifetime_s = self.doors.options().chat_link_lifetime_s
        shown = [(one, media_url(self.doors, self.request.scope, one.id, lifetime_s)) for one in end.media]
        pictures = [(one, url) for one, url in shown if one.kind is MediaKind.IMAGE]
        video_id = end.generation.id if end.generation.kind is MediaKind.VIDEO else None
        return Content(
            content=self.doors.chat_text(
                profile_of(self.request.scope),
                [ShownResult(one.kind, url, one.content_type, one.id) for one, url in shown],
            ),
            images=tuple(ShownPicture({"url": url}, index=index) for index, (_, url) in enumerate(pictures)),
            media=tuple(ShownMedia(one.id, url, one.content_type, video_id) for one, url in shown),
        )

    def _frame(self, generation: Generation, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{generation.group_id or generation.id}",
            "object": kind,
            "created": int(self.doors.clock.now().timestamp()),
            "model": self.model,
        }


class _Stream:
    """What a stream has told so far."""

    def __init__(self, chat: Chat, frame: dict[str, Any]) -> None:
        self.failures: list[Failed] = []
        self._chat = chat
        self._frame = frame
        self._choices: dict[str, int] = {}
        self._notes: dict[str, str] = {}
        self._contents: list[str] = []

    def opened(self, generation: Generation) -> bytes:
        """The role, before any work was done."""
        return self._chunk(generation, {"role": "assistant", "content": ""})

    def progressed(self, generation: Generation, note: str) -> bytes | None:
        """Progress as reasoning; None when it would only repeat itself."""
        told = note or f"{generation.phase or generation.state}, {generation.progress} %"
        if self._notes.get(generation.id) == told:
            return None
        self._notes[generation.id] = told
        return self._chunk(generation, {"reasoning_content": f"{told}\n"})

    def finished(self, end: Finished) -> Sequence[bytes]:
        """The result, and the end of its choice."""
        content = self._chat.content(end)
        self._contents.append(content.content)
        extra = {"warnings": end.generation.warnings} if end.generation.warnings else {}
        return [
            self._chunk(end.generation, content, extra=extra),
            self._chunk(end.generation, {}, finish_reason="stop"),
        ]

    def end(self) -> Sequence[bytes]:
        """What follows the last choice.

        Raises:
            Exception: Nothing succeeded; the first part's error.
        """
        if not self._contents:
            raise self.failures[0].error if self.failures else RuntimeError("a generation ended without an end")
        frames: list[bytes] = []
        for failure in self.failures:
            blocked = isinstance(failure.error, ContentBlockedError)
            frames.append(self._chunk(failure.generation, {"reasoning_content": f"{failure.error}\n"}))
            frames.append(self._chunk(failure.generation, {}, finish_reason="content_filter" if blocked else "stop"))
        if self._chat.with_usage:
            usage = Usage.estimate(self._chat.prompt, self._contents)
            frames.append(data_frame({**self._frame, "choices": [], "usage": usage}))
        return [*frames, DONE]

    def _chunk(
        self,
        generation: Generation,
        delta: object,
        *,
        finish_reason: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> bytes:
        choice = {
            "index": self._choices.setdefault(generation.id, len(self._choices)),
            "delta": delta,
            "logprobs": None,
            "finish_reason": finish_reason,
        }
        usage = {"usage": None} if self._chat.with_usage else {}
        return data_frame({**self._frame, "choices": [choice], **usage, **(extra or {})})


def _message(content: Content) -> dict[str, Any]:
    shown: dict[str, Any] = {"images": content.images} if content.images else {}
    return {
        "role": "assistant",
        "content": content.content,
        "refusal": None,
        "annotations": (),
        **shown,
        "media": content.media,
    }
