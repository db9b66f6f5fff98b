from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.flow.session import exchange, read_session
from flow2api.domain.account import Credentials
from flow2api.domain.errors import (
    AccountUnusableError,
    CredentialRevokedError,
    Flow2ApiError,
    UpstreamInvalidError,
)
from flow2api.domain.secret import Secret
from flow2api.libcurl.calls import Answer
from flow2api.testing.fakes.clock import START

SENT = Secret("eyJ" + "s" * 300)
NEXT = "eyJ" + "n" * 300


def cookie(value: str) -> bytes:
    return f"set-cookie: __Secure-next-auth.session-token={value}; Path=/; HttpOnly; Secure\r\n".encode()


def session(expires: datetime = START + timedelta(hours=24), rotated: str | None = None, **fields: object) -> Answer:
    body = {
        "user": {"name": "Ada", "email": " Ada.L+x@Example.com "},
        "expires": expires.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "access_token": "ya29.a0",
    } | fields
    return Answer(200, [] if rotated is None else [cookie(rotated)], msgspec.json.encode(body))


def asking(*answers: Answer) -> tuple[Callable[[Secret], "object"], list[Secret]]:
    left, asked = list(answers), []

    async def ask(token: Secret) -> Answer:
        asked.append(token)
        return left.pop(0)

    return ask, asked


async def run(*answers: Answer) -> tuple[Credentials, list[Secret]]:
    ask, asked = asking(*answers)
    exchanged = await exchange(ask, Credentials(SENT), lambda: START)  # type: ignore[arg-type]
    return exchanged.credentials, asked


async def test_fresh_session_gives_its_token_and_identity() -> None:
    ask, _ = asking(session())

    exchanged = await exchange(ask, Credentials(SENT), lambda: START)  # type: ignore[arg-type]

    assert (exchanged.email, exchanged.name) == ("ada.l+x@example.com", "Ada")
    assert exchanged.credentials == Credentials(SENT, Secret("ya29.a0"), START + timedelta(hours=24), START)


async def test_rotated_token_replaces_the_old_one() -> None:
    credentials, asked = await run(session(rotated=NEXT))

    assert credentials.session_token == Secret(NEXT)
    assert asked == [SENT]


@pytest.mark.parametrize("value", ["short", SENT.reveal()], ids=["too short", "the same"])
async def test_cookie_that_brings_nothing_new_is_left(value: str) -> None:
    credentials, _ = await run(session(rotated=value))

    assert credentials.session_token == SENT


async def test_stale_session_is_asked_again_with_its_new_token() -> None:
    credentials, asked = await run(session(START - timedelta(minutes=1), rotated=NEXT), session())

    assert asked == [SENT, Secret(NEXT)]
    assert credentials.session_token == Secret(NEXT)


async def test_stale_session_is_asked_again_only_once() -> None:
    stale = session(START - timedelta(minutes=1), rotated=NEXT)
    again = session(START - timedelta(minutes=1), rotated=NEXT + "2")

    with pytest.raises(CredentialRevokedError):
        await run(stale, again)


async def test_stale_session_without_a_new_token_is_over() -> None:
    with pytest.raises(CredentialRevokedError) as caught:
        await run(session(START - timedelta(minutes=1)))
    assert caught.value.after_renewal


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(200, [], b"{}"), CredentialRevokedError),
        (Answer(200, [], b"null"), CredentialRevokedError),
        (session(access_token=""), CredentialRevokedError),
        (session(access_token=None), CredentialRevokedError),
        (session(error="ACCESS_TOKEN_REFRESH_NEEDED", rotated=NEXT), CredentialRevokedError),
        (session(error="SomethingElse"), UpstreamInvalidError),
        (session(expires_=1, expires=START), CredentialRevokedError),
        (Answer(200, [], b'{"access_token": "ya29.x"}'), UpstreamInvalidError),
        (Answer(200, [], b"<html>"), UpstreamInvalidError),
        (Answer(200, [], b""), UpstreamInvalidError),
        (Answer(401, [], b""), CredentialRevokedError),
        (Answer(431, [], b""), CredentialRevokedError),
        (Answer(307, [b"location: https://flow.google.com/about\r\n"], b""), AccountUnusableError),
    ],
)
async def test_session_that_is_not_good_says_why(answer: Answer, error: type[Exception]) -> None:
    with pytest.raises(error):
        await run(answer)


def test_name_falls_back_to_the_part_before_the_at() -> None:
    told = read_session(session(user={"email": "Ada@example.com"}), START, SENT)

    assert (told.email, told.name) == ("ada@example.com", "ada")


@given(st.binary(max_size=200))
def test_whatever_comes_is_an_error_of_the_tree(body: bytes) -> None:
    with pytest.raises(Flow2ApiError):
        read_session(Answer(200, [], body), START, SENT)
