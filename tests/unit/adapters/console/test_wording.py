"""How pages write numbers, spans and moments, in both languages."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from markupsafe import Markup

from flow2api.adapters.console import wording
from flow2api.adapters.console.language import gettext, language_of, ngettext, preferred, speaking

DASH = "\N{EN DASH}"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "digits", "text"), [(1234567, 0, "1,234,567"), (0, 0, "0"), (3.14159, 2, "3.14"), (None, 0, DASH)]
)
def test_number(value: float | None, digits: int, text: str) -> None:
    assert wording.number(value, digits) == text


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "100 %"), (0.9999, "99.9 %"), (0.5, "50 %"), (0.0, "0 %"), (None, DASH)]
)
def test_percent_says_100_only_of_what_is_whole(share: float | None, text: str) -> None:
    assert wording.percent(share) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.25, "250 ms"),
        (8.4, "8.4 s"),
        (42, "42 s"),
        (98, "1 min 38 s"),
        (3660, "1 h 1 min"),
        (86400 * 3, "3 days"),
        (None, DASH),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert wording.duration(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (1536, "1.5 KiB"), (300 * 1024**2, "300 MiB"), (None, DASH)])
def test_size(count: int | None, text: str) -> None:
    assert wording.size(count) == text


@pytest.mark.parametrize(
    ("passed", "text"),
    [
        (timedelta(seconds=1), "just now"),
        (timedelta(seconds=40), "40 s ago"),
        (timedelta(minutes=3), "3 min ago"),
        (timedelta(hours=-2), "in 2 h"),
        (timedelta(days=1), "1 day ago"),
    ],
)
def test_moment_is_told_relatively_and_exactly(passed: timedelta, text: str) -> None:
    html = str(wording.ago(NOW - passed, NOW))
    assert f">{text}</time>" in html
    assert (NOW - passed).isoformat(timespec="seconds") in html
    assert "UTC" in html


async def test_clocks_of_a_page_go_on_in_the_same_words() -> None:
    english = "just now|{} s ago|{} min ago|{} h ago|{} day ago|{} days ago|now|in {} s|in {} min|in {} h|in {} day|in {} days"
    assert wording.clock_words() == english
    with speaking(await language_of("zh-Hans", "")):
        assert wording.clock_words().startswith("刚刚|{} 秒前|")


async def test_check_has_a_name_of_its_own_in_each_language() -> None:
    assert wording.check_name("accounts") == "accounts"
    with speaking(await language_of("zh-Hans", "")):
        assert wording.check_name("accounts") == "账号"
        assert wording.check_name("plugin house") == "插件 house"
        assert wording.check_name("somebody's own") == "somebody's own"


def test_what_never_was_is_never() -> None:
    assert "never" in str(wording.ago(None))


@pytest.mark.parametrize(
    ("accepted", "tag"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9", "zh-Hans"),
        ("de, en;q=0.8, zh;q=0.7", "en"),
        ("de-DE", "en"),
        ("en;q=0.1, zh-TW;q=0.5", "zh-Hans"),
        ("zh;q=0, en", "en"),
        (",;q=x,,", "en"),
    ],
)
def test_language_is_the_one_that_the_browser_likes_best(accepted: str, tag: str) -> None:
    assert preferred(accepted) == tag


def test_choice_wins_over_the_browser() -> None:
    assert asyncio.run(language_of("en", "zh")).tag == "en"
    assert asyncio.run(language_of("xx", "zh")).tag == "zh-Hans"


def test_text_without_a_translation_stays_as_it_is() -> None:
    with speaking(asyncio.run(language_of("zh-Hans", ""))):
        assert gettext("no catalogue holds this") == "no catalogue holds this"
        assert ngettext("%(n)s flurb", "%(n)s flurbs", 2) == "%(n)s flurbs"
        assert wording.number(1234.5, 1) == "1,234.5"


@pytest.mark.parametrize(
    ("sentence", "html"),
    [
        ("Run `flow2api keys create`.", "Run <code>flow2api keys create</code>."),
        ("`a` and `b` <i>", "<code>a</code> and <code>b</code> &lt;i&gt;"),
        ("one ` alone", "one ` alone"),
        ("`<img src=x>`", "<code>&lt;img src=x&gt;</code>"),
        ("It is PUBLIC_ERROR_UNSAFE_GENERATION.", "It is PUBLIC_<wbr>ERROR_<wbr>UNSAFE_<wbr>GENERATION."),
        ("rate_limited, __init__ and not_at_all", "rate_limited, __init__ and not_at_all"),
        ("`FLOW2API_OPTIONS__IMAGE_SLOTS`", "<code>FLOW2API_<wbr>OPTIONS_<wbr>_<wbr>IMAGE_<wbr>SLOTS</code>"),
        (None, ""),
    ],
)
def test_sentence_shows_commands_as_code_and_breaks_long_names(sentence: str | None, html: str) -> None:
    assert wording.prose(sentence) == html


def test_markup_is_left_as_it_is() -> None:
    assert wording.prose(Markup("<b>`done`</b>")) == "<b>`done`</b>"
