"""What a tab is told of the page it shows."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

import pytest
from litestar.exceptions import NotFoundException

from flow2api.adapters.console import live as module
from flow2api.adapters.console.folders import template_folder
from flow2api.adapters.console.live import LiveView, News, _stream
from flow2api.domain.errors import NotSignedInError, StorageBusyError
from flow2api.domain.operator import Role


class Visited:
    """Somebody who looks at a page; what it shows is `words`."""

    def __init__(self, session: str = "ses_1", query: str = "view=page") -> None:
        self.words = "one"
        self.looked = 0
        self.is_draining = False
        self.is_signed_in = True
        self.waiting = 0
        self.here_path = "/console/page"
        self.language = SimpleNamespace(tag="en")
        self.asked = {"role": "operator"}
        self.here = signed_in_as(Role.OPERATOR, session)
        self.seen_by = list[Role]()
        self.request = SimpleNamespace(url=SimpleNamespace(query=query), scope={}, cookies={"f2a": "token"})
        self.doors = SimpleNamespace(
            server=SimpleNamespace(is_draining=lambda: self.is_draining),
            census=self._census,
            sign_in=SimpleNamespace(who=self._who),
            came_by_of=lambda _: "http://127.0.0.1",
        )

    def shell(self, area: str, live: str = "", census: int | None = None) -> Any:
        return SimpleNamespace(area=area, live=live, waiting=census)

    def may_change(self) -> bool:
        return True

    async def _census(self) -> int:
        return self.waiting

    async def _who(self, _: str | None) -> Any:
        if not self.is_signed_in:
            raise NotSignedInError(presented=True)
        return self.here

    def query(self, name: str, default: str = "") -> str:
        return self.asked.get(name, default)

    def now_as(self, here: Any) -> "Visited":
        self.here = here
        return self


def signed_in_as(role: Role, session: str = "ses_1") -> Any:
    return SimpleNamespace(session=SimpleNamespace(id=session), operator=SimpleNamespace(role=role))


async def view(visit: Any) -> str:
    visit.looked += 1
    visit.seen_by.append(visit.here.operator.role)
    if visit.words == "fails":
        raise StorageBusyError("It is locked.")
    await asyncio.sleep(0)
    return str(visit.words)


SHOWN: dict[str, Any] = {
    "words": lambda context: context["view"],
    "_layout/_places.html": lambda context: context["shell"].waiting,
}
PAGE = LiveView("page", "overview", {"words": "words", "still": "still"}, view)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look each millisecond, at templates that are what they show."""
    monkeypatch.setattr(module, "EVERY_S", 0.001)

    async def prepare(template: str) -> None: ...

    monkeypatch.setattr(module, "prepare", prepare)
    monkeypatch.setattr(
        module,
        "render",
        lambda name, context: f'<p id="{name}">{SHOWN.get(name, lambda _: "always")(context)}\n</p>',
    )


async def following(visit: Any, news: News | None = None) -> AsyncIterator[str]:
    async with aclosing(_stream(news or News({"page": PAGE}), PAGE, visit)) as stream:  # type: ignore[type-var]
        async for message in stream:
            yield message


async def test_first_message_holds_every_part_and_later_ones_what_changed() -> None:
    visit = Visited()
    stream = following(visit)

    first = await anext(stream)
    visit.words = "two"
    second = await anext(stream)

    assert first.startswith("id: 1\n")
    assert 'hx-target="#words"' in first
    assert 'hx-target="#still"' in first
    assert all(line.startswith("data: ") for line in first.strip().splitlines()[1:])
    assert second.startswith("id: 2\n")
    assert "two" in second
    assert 'hx-target="#still"' not in second


async def test_what_waits_elsewhere_and_whether_the_server_is_drained_is_news_of_every_page() -> None:
    visit = Visited()
    stream = following(visit)

    first = await anext(stream)
    visit.waiting = 2
    second = await anext(stream)

    assert 'hx-target="#places"' in first
    assert 'hx-target="#draining"' in first
    assert 'hx-target="#places"' in second
    assert 'hx-target="#words"' not in second


async def test_clock_that_goes_on_is_no_news() -> None:
    html = '<time datetime="x" data-ago="">{} s ago</time>'
    assert module._part(html.format(1)).says == module._part(html.format(2)).says
    assert module._part("<p>1</p>").says != module._part("<p>2</p>").says


async def test_failure_of_storage_ends_no_stream() -> None:
    visit = Visited()
    stream = following(visit)
    await anext(stream)

    visit.words = "fails"
    waiting: asyncio.Task[str] = asyncio.create_task(anext(stream))  # type: ignore[arg-type]
    while visit.looked < 4:
        await asyncio.sleep(0.001)
    visit.words = "back"

    assert "back" in await waiting


async def test_stream_says_goodbye_when_the_server_is_stopped() -> None:
    visit = Visited()
    stream = following(visit)
    await anext(stream)
    visit.is_draining = True

    assert [message async for message in stream] == ["event: bye\ndata: bye\n\n"]


async def test_stream_ends_with_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RECHECK_S", 0.0)
    visit = Visited()
    stream = following(visit)
    await anext(stream)
    visit.is_signed_in = False

    assert [message async for message in stream][-1].startswith("event: bye")


async def test_page_that_was_made_for_another_role_is_told_to_come_anew() -> None:
    visit = Visited()
    visit.here = signed_in_as(Role.VIEWER)
    stream = following(visit)

    assert await anext(stream) == "event: role\ndata: role\n\n"
    assert (await anext(stream)).startswith("id: 1\n")


async def test_role_that_changes_while_a_page_is_looked_at_is_told_once_and_what_follows_is_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_RECHECK_S", 0.0)
    visit = Visited()
    stream = following(visit)
    await anext(stream)
    visit.here = signed_in_as(Role.VIEWER)
    visit.words = "two"

    assert [await anext(stream), (await anext(stream))[:5]] == ["event: role\ndata: role\n\n", "id: 2"]
    assert visit.seen_by[-1] is Role.VIEWER
    visit.words = "three"
    assert "three" in await anext(stream)


async def test_tabs_of_a_session_that_show_the_same_are_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY_S", 60.0)
    news, visit = News({"page": PAGE}), Visited()

    await asyncio.gather(*(news.parts(PAGE, visit) for _ in range(20)))  # type: ignore[arg-type]
    other = Visited("ses_2")
    await news.parts(PAGE, other)  # type: ignore[arg-type]

    assert (visit.looked, other.looked) == (1, 1)


async def test_stream_begins_with_what_is_true_now_and_not_with_what_another_was_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "EVERY_S", 60.0)
    news, visit = News({"page": PAGE}), Visited()
    await news.parts(PAGE, visit)  # type: ignore[arg-type]
    visit.words = "changed by a button"

    assert "changed by a button" in await anext(following(visit, news))


async def test_stream_that_is_left_makes_room_for_another() -> None:
    news = News({"page": PAGE})
    stream = following(Visited(), news)
    await anext(stream)
    assert news._streams == 1

    await stream.aclose()  # type: ignore[attr-defined]
    assert news._streams == 0


def test_view_that_there_is_not_is_told() -> None:
    with pytest.raises(NotFoundException):
        News({}).named("nothing")


def test_page_that_lost_its_server_tries_again_often_enough_to_be_true_within_five_seconds() -> None:
    told = re.search(
        r"name=\"htmx-config\"\s+content='([^']+)'", (template_folder() / "_macros/frame.html").read_text()
    )
    assert told is not None
    longest_ms = json.loads(told[1])["sse"]["reconnectMaxDelay"]

    assert longest_ms * 1.3 + module.EVERY_S * 1000 < 5_000, "it waits up to 30 % longer, by chance"
