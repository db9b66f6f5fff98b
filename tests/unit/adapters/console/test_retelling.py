"""Sentences of the program are known again by their form, whatever facts are in them."""

# ruff: noqa: RUF001 - Chinese has its own punctuation

import re
import time
from collections.abc import Iterator
from functools import cache

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from flow2api.adapters.console.folders import locale_folder
from flow2api.adapters.console.language import CHINESE, load, retold, speaking
from flow2api.adapters.console.retelling import Form, Retelling
from flow2api.domain.errors import (
    AccountNotFoundError,
    ContentBlockedError,
    KeyLimitError,
    NoEligibleAccountError,
    UnknownModelError,
)

PLACEHOLDER = re.compile(r"%\((\w+)\)s")
HARMLESS = "\N{SNOWMAN}%s{0}\\1$^[(?|*+<b>%(name)s\u4e2d&amp;"
HOSTILE = [
    "'. Did you mean 'x'? There is no account with the id 1.",
    "%(name)s %s %d %",
    "a, b and c (d) or e.",
    "\n\t\x00\u202e",
    "",
    "The service failed (x).",
]


@pytest.fixture
def retelling() -> Retelling:
    messages = [
        ("There is no option %(name)s.%(hint)s", "无选项 %(name)s。%(hint)s"),
        ("There is no option at all.", "没有任何选项。"),
        ("Did you mean %(near)s?", "是 %(near)s？"),
        ("%(what)s is no file.", "%(what)s 不是文件。"),
        ("%(name)s: %(percent)s %% of %(name2)s", "%(name2)s 的 %(percent)s %% 是 %(name)s"),
        ("%(count)s key", "%(count)s 个密钥"),
        ("%(count)s keys", "%(count)s 个密钥"),
        ("the media folder", "媒体文件夹"),
        ("It has %(keys)s.", "它有 %(keys)s。"),
        ("(%(count)s of them old)", "（其中 %(count)s 个旧的）"),
        ("It failed: %(error)s", "失败：%(error)s"),
    ]
    return Retelling(messages, comma="、", end="。")


@pytest.mark.parametrize(
    ("told", "retold"),
    [
        pytest.param("There is no option at all.", "没有任何选项。", id="without-a-fact"),
        pytest.param("There is no option 'x'.", "无选项 'x'。", id="with-an-empty-one"),
        pytest.param(
            "There is no option 'x'. Did you mean 'y'?", "无选项 'x'。是 'y'？", id="a-fact-that-is-a-sentence"
        ),
        pytest.param("x: 5 % of y", "y 的 5 % 是 x", id="percent-sign"),
        pytest.param("the media folder is no file.", "媒体文件夹 不是文件。", id="a-fact-that-is-words"),
        pytest.param("It has 1 key, 1,200 keys.", "它有 1 个密钥、1,200 个密钥。", id="enumeration-within"),
        pytest.param("1 key, 3 keys (2 of them old).", "1 个密钥、3 个密钥（其中 2 个旧的）。", id="enumeration"),
        pytest.param("1 key, 3 locks.", "1 key, 3 locks.", id="enumeration-of-other-things"),
        pytest.param("many keys", "many keys", id="a-number-that-is-none"),
        pytest.param("It has 2 keys. There is no option 'x'.", "它有 2 个密钥。无选项 'x'。", id="several-sentences"),
        pytest.param("Boom. x is no file. Bang. Bang.", "Boom. x 不是文件。Bang. Bang.", id="one-among-others"),
        pytest.param("It failed: Bad: x", "失败：Bad: x", id="the-words-of-others"),
        pytest.param("It failed: It failed: It has 2 keys.", "失败：失败：它有 2 个密钥。", id="deep"),
        pytest.param("", "", id="nothing"),
        pytest.param("Somebody else's words.", "Somebody else's words.", id="not-ours"),
        pytest.param("There is no option 'x'", "There is no option 'x'", id="cut-off"),
    ],
)
def test_sentence_is_known_by_its_form(retelling: Retelling, told: str, retold: str) -> None:
    assert retelling(told) == retold


def test_form_with_more_words_wins(retelling: Retelling) -> None:
    assert retelling("There is no option at all. is no file.") == "无选项 at all。 is no file."
    assert Form.of("a %(x)s b", "").size > Form.of("a %(x)s", "").size


def test_form_takes_only_what_is_between_its_words() -> None:
    form = Form.of("The %(a)s of %(b)s.", "")
    assert form.facts_in("The x of y of z.") == {"a": "x", "b": "y of z"}
    assert form.facts_in("The of.") is None
    assert form.facts_in("The x of y") is None
    assert Form.of("aba%(x)saba", "").facts_in("aba") is None


@pytest.mark.parametrize(
    "text",
    [
        "There is no option " + "Did you mean " * 150 + "?",
        "A. " * 660,
        "1 key, " * 280 + ".",
        "It failed: " * 180,
        "It has " * 280,
        "(" * 1999,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    with speaking(load(CHINESE)):
        began = time.process_time()
        assert retold(text)
        assert time.process_time() - began < 0.1


def test_overlong_text_is_left_alone_and_what_is_kept_is_bounded(retelling: Retelling) -> None:
    overlong = f"{'x' * 2000} is no file."
    assert retelling(overlong) == overlong
    for number in range(3000):
        retelling(f"{number} is no file.")
    assert retelling.told.cache_info().currsize <= 1024


@cache
def _catalogue() -> Catalog:
    with (locale_folder() / "zh_Hans" / "LC_MESSAGES" / "console.po").open("rb") as file:
        return read_po(file)


def _forms() -> Iterator[tuple[str, str]]:
    for one in _catalogue():
        if one.id and one.auto_comments:
            originals = (one.id,) if isinstance(one.id, str) else tuple(one.id)
            translations = (one.string,) if isinstance(one.string, str) else tuple(one.string or ())
            yield from ((original, translations[0]) for original in originals if PLACEHOLDER.search(original))


def _filled(message: str, fact: str) -> str:
    return message % {name: "1,234" if name == "count" else fact for name in PLACEHOLDER.findall(message)}


def test_each_form_of_the_catalogue_comes_back_with_its_facts() -> None:
    forms = list(_forms())
    assert len(forms) > 450
    with speaking(load(CHINESE)):
        wrong = [
            (message, told)
            for message, translation in forms
            if (told := retold(_filled(message, HARMLESS))) != _filled(translation, HARMLESS)
        ]
    assert wrong == []


@pytest.mark.parametrize("fact", HOSTILE)
def test_facts_that_look_like_our_words_break_nothing(fact: str) -> None:
    with speaking(load(CHINESE)):
        for message, _ in _forms():
            assert isinstance(retold(_filled(message, fact)), str)


def test_names_that_others_have_given_stay_as_they_are() -> None:
    with speaking(load(CHINESE)):
        assert retold("There is no proxy 'image'.") == "没有代理 'image'。"
        assert "Accounts" in retold("Somebody else has changed Accounts meanwhile; look again and repeat what you did.")


@pytest.mark.parametrize(
    ("told", "retold_as"),
    [
        (AccountNotFoundError(99999).message, "没有 ID 为 99999 的账号。"),
        (KeyLimitError(60, 2.2).message, "此 API 密钥每分钟可发起 60 个请求，已达上限；请在 3 秒后再试。"),
        (
            NoEligibleAccountError({"busy": 3, "no_tier": 1}).message,
            "没有账号能处理此请求：3 个槽位已满、1 个套餐不含该模型。",
        ),
        (UnknownModelError("x", ["y"]).message, "模型 'x' 不存在。您是否想用 y？"),
        (ContentBlockedError("SAFETY").message, "请求被服务方的安全过滤器拒绝 (SAFETY)。请更改提示词或图片。"),
        ("3 active, 1 cooling down (1 of them not yet warmed).", "3 个可用、1 个冷却中（其中 1 个尚未准备好）。"),
        ("The service cannot be reached: no connection came about.", "无法连接服务方：未能建立连接。"),
        ("3 proxies, none of them known to be down. Accounts without one go direct.", None),
        (
            "An account of the upstream x wants an API key (k) and a base URL (b): k is missing, t does not belong to it.",
            None,
        ),
    ],
)
def test_sentences_of_the_program_are_chinese(told: str, retold_as: str | None) -> None:
    with speaking(load(CHINESE)):
        found = retold(told)
    assert found == (retold_as or found)
    assert re.search(r"[a-z]+ [a-z]+ [a-z]+", found) is None
    assert re.search("[\u4e00-\u9fff]", found)


def test_english_pages_tell_sentences_as_they_are() -> None:
    assert retold("There is no account with the id 99999.") == "There is no account with the id 99999."
