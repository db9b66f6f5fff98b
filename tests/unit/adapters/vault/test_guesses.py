import asyncio

import pytest

from flow2api.adapters.vault import ZxcvbnMeter
from flow2api.domain.passphrase_strength import LEAST_GUESSES
from flow2api.domain.secret import Secret


async def guesses(text: str, *near: str) -> float:
    return await ZxcvbnMeter().guesses(Secret(text), near=near)


@pytest.mark.parametrize(
    "text",
    [
        "123456789012",
        "password12345",
        "passwordpassword",
        "P@ssw0rd1234",
        "qwertyuiop12",
        "1q2w3e4r5t6y",
        "administrator",
        "Administrator1",
        "letmeinplease",
        "changeme12345",
        "trustno1trustno1",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabc",
        "qwerty" * 21,
        "a" * 128,
    ],
)
async def test_what_everybody_tries_is_guessed_soon(text: str) -> None:
    assert await guesses(text) < LEAST_GUESSES


@pytest.mark.parametrize(
    "text",
    [
        "quiet maple river lamp",
        "kX7#mQ2$vL9@",
        "ünïcödé wörter hïer",
        "我的密码是很长的一句话呢",
        "f3a9c1d07be2",
        "\ud83d lone half",
    ],
)
async def test_words_and_characters_of_chance_are_not(text: str) -> None:
    assert await guesses(text) >= LEAST_GUESSES


@pytest.mark.parametrize(
    "text",
    [
        "correct horse battery staple",
        "Correct Horse Battery Staple!",
        "correcthorsebatterystaple1",
        "ada lovelace 1815",
    ],
)
async def test_what_is_named_near_is_guessed_soon(text: str) -> None:
    near = "ada lovelace", "correct horse battery staple", "correcthorsebatterystaple"

    assert await guesses(text, *near) < LEAST_GUESSES <= await guesses(text)


async def test_those_who_measure_at_once_do_not_disturb_each_other() -> None:
    names = [f"somebody {number:03} of {number * 7919:05}" for number in range(12)]

    alone = [await guesses(name, name) for name in names]
    together = await asyncio.gather(*(guesses(name, name) for name in names))
    foreign = await asyncio.gather(*(guesses(name, "another") for name in names))

    assert together == alone
    assert max(alone) < min(foreign)


async def test_what_is_good_so_far_is_not_measured_to_its_end() -> None:
    text = "quiet maple river lamp, and a window over the sea; "

    assert await guesses(text * 2000) >= await guesses(text)
