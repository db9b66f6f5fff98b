"""A secret is shown by nothing but the call that says so."""

import copy
import json
import pickle
import traceback
from dataclasses import asdict, dataclass

import pytest

from flow2api.domain.account import Credentials
from flow2api.domain.secret import Secret
from flow2api.testing.fakes.clock import START

HIDDEN = "ya29.never-to-be-seen"


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        lambda secret: f"{secret}",
        lambda secret: f"{secret!r:>40}",
        lambda secret: f"{secret:>40}",
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031
        lambda secret: f"{[secret]} { ({'a': secret}) }",
        lambda secret: str(Credentials(secret, secret, START)),
        lambda secret: str(ValueError(secret)),
        lambda secret: str(dir(secret)),
        lambda secret: json.dumps({"secret": secret}, default=str),
    ],
)
def test_hides_itself(show: "object") -> None:
    assert HIDDEN not in show(Secret(HIDDEN))  # type: ignore[operator]


@pytest.mark.parametrize(
    "take",
    [
        json.dumps,
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        lambda secret: secret.__getstate__(),
        lambda secret: asdict(Credentials(secret)),
        vars,
        iter,
        lambda secret: secret.value,
        lambda secret: secret[0],
    ],
)
def test_refuses_to_be_taken_apart_and_does_not_show_in_the_refusal(take: "object") -> None:
    with pytest.raises((TypeError, AttributeError)) as caught:
        take(Secret(HIDDEN))  # type: ignore[operator]
    assert HIDDEN not in "".join(traceback.format_exception(caught.value))


def test_reveals_its_text_to_who_asks_for_it() -> None:
    assert Secret(HIDDEN).reveal() == HIDDEN
    assert len(Secret(HIDDEN)) == len(HIDDEN)


def test_is_equal_to_a_secret_of_the_same_text_only() -> None:
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"


def test_stays_hidden_in_a_dataclass_that_holds_it() -> None:
    @dataclass
    class Holder:
        token: Secret

    assert HIDDEN not in repr(Holder(Secret(HIDDEN)))


@pytest.mark.parametrize("typed", ["ab-12", "AB12", " a b\t1\n2 ", "ab\u200b12", "a\u2011b12\ud800"])
def test_code_counts_however_it_is_typed(typed: str) -> None:
    assert Secret(typed).letters_and_digits() == Secret("ab12")


def test_variety_is_of_characters() -> None:
    assert [Secret(text).variety() for text in ("", "aaa", "abca")] == [0, 1, 3]
