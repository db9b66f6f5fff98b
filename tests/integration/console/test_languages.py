"""Every page in every language, and in one that nobody speaks, whose words are longer by 40 %."""

import gettext
import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from flow2api.adapters.console import edge
from flow2api.adapters.console.language import Language

pytestmark = pytest.mark.asyncio(loop_scope="session")

LINK = re.compile(r'href="(/console[^"#]*)"')
ID = re.compile(r"[0-9a-f]{8,}|\d+")
PLACEHOLDER = re.compile(r"%\(\w+\)")
NO_PAGES = ("/console/events", "/export", "/download", "/csv", "/jsonl")


class Pseudo(gettext.NullTranslations):
    """Every text between brackets and 40 % longer, so that one which nobody can translate is seen."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}{'·' * (len(message) * 2 // 5)}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


@contextmanager
def pseudo(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Within it every page is in the language that nobody speaks."""

    async def language_of(chosen: str | None, accepted: str) -> Language:
        return Language("en", Pseudo())

    with patch.context() as within:
        within.setattr(edge, "language_of", language_of)
        yield


@pytest.mark.parametrize(("tag", "word"), [("zh-Hans", "概览"), ("en", "Overview")])
async def test_every_page_is_there_in_the_language(site: Any, tag: str, word: str) -> None:
    await site.account()

    pages = await _pages(site, {"accept-language": tag})

    assert len(pages) >= 20
    for path, page in pages.items():
        assert f'<html lang="{tag}"' in page, path
        assert word in page, path
        assert not PLACEHOLDER.search(page), path


async def test_longer_words_reach_every_page_with_what_they_tell(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pseudo(monkeypatch):
        pages = await _pages(site, {})

    assert len(pages) >= 20
    for path, page in pages.items():
        assert "⟦Overview···⟧" in page, path
        assert not PLACEHOLDER.search(page), path


async def test_door_is_in_the_language_of_the_browser(site: Any) -> None:
    assert "口令" in await site.stranger.see("/login", **{"accept-language": "zh-CN,zh;q=0.9"})


async def test_error_says_its_sentence_in_the_language(site: Any) -> None:
    await site.owner.see("/console", **{"accept-language": "zh-CN"})  # the words are read then

    page = await site.owner.see("/console/no-such-page", 404, **{"accept-language": "zh-CN"})

    assert "这里没有内容" in page


async def _pages(site: Any, headers: dict[str, str]) -> dict[str, str]:
    """One page of each kind that links of pages lead to."""
    found: dict[str, str] = {}
    kinds: set[str] = set()
    ahead = ["/console"]
    while ahead:
        path = ahead.pop()
        kind = ID.sub("#", path.split("?")[0])
        if kind in kinds or any(end in kind for end in NO_PAGES):
            continue
        kinds.add(kind)
        answer = await site.owner.browser.get(path, headers=headers)
        if answer.status_code == 200 and "text/html" in answer.headers["content-type"]:
            found[path] = answer.text
            ahead += [html.unescape(link) for link in LINK.findall(answer.text)]
    return found
