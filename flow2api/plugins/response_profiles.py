"""The built-in ways to write chat messages with results in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flow2api.domain.media import MediaKind
from flow2api.domain.ports.responses import ShownResult
from flow2api.hookspecs import ResponseProfile, hookimpl


@dataclass(frozen=True, slots=True)
class Markdown:
    """Pictures as Markdown, videos by a pattern.

    Attributes:
        video: The text of a video; ``{url}`` stands for its link.
    """

    video: str

    def chat_text(self, results: Sequence[ShownResult]) -> str:
        """The results, an empty line between them."""
        return "\n\n".join(self._text(one) for one in results)

    def _text(self, one: ShownResult) -> str:
        return f"![image]({one.url})" if one.kind is MediaKind.IMAGE else self.video.format(url=one.url)


class Links:
    """Nothing but links, a line each, for programs and chat bots that show what stands behind them."""

    def chat_text(self, results: Sequence[ShownResult]) -> str:
        """The links."""
        return "\n".join(one.url for one in results)


_TAG = '<video controls src="{url}"></video>'


@hookimpl
def register_response_profiles() -> Iterable[ResponseProfile]:
    """All of them; the first is what is written when none is chosen."""
    return [
        ResponseProfile(
            "standard", lambda: Markdown("{url}\n\n" + _TAG), "pictures as Markdown, videos as link and tag"
        ),
        ResponseProfile(
            "video_link", lambda: Markdown("[video]({url})"), "pictures and videos as Markdown, without HTML"
        ),
        ResponseProfile("video_tag", lambda: Markdown(_TAG), "pictures as Markdown, videos as an HTML tag alone"),
        ResponseProfile(
            "video_fence", lambda: Markdown(f"```html\n{_TAG}\n```"), "pictures as Markdown, videos as a block of HTML"
        ),
        ResponseProfile("links", Links, "bare links, a line each"),
    ]
