"""The exchange of a session token for an access token, and all that can be wrong with a session.

What the service answers: Flow, 2025-11 to 2026-09.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from flow2api.adapters.flow.caller import SESSION_COOKIE
from flow2api.adapters.flow.errors import refusal
from flow2api.adapters.flow.responses import decoder
from flow2api.domain.account import Credentials, fold_email
from flow2api.domain.errors import CredentialRevokedError, UpstreamInvalidError
from flow2api.domain.ports.upstream import Exchanged
from flow2api.domain.secret import Secret
from flow2api.libcurl.calls import Answer

SHORTEST_SESSION_TOKEN = 200
"""A shorter value in the cookie is no session token."""
REFRESH_NEEDED = "ACCESS_TOKEN_REFRESH_NEEDED"


class _User(msgspec.Struct):
    name: str | None = None
    email: str | None = None


class _Session(msgspec.Struct):
    user: _User | None = None
    expires: datetime | None = None
    access_token: str | None = None
    error: str | None = None


_read: Callable[[bytes], _Session | None] = decoder(_Session | None)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class SessionAnswer:
    """What one exchange told.

    Attributes:
        rotated: The session token that replaces the one that was sent, if one came.
    """

    access_token: Secret
    expires_at: datetime
    rotated: Secret | None
    email: str | None
    name: str | None


async def exchange(
    ask: Callable[[Secret], Awaitable[Answer]], credentials: Credentials, now: Callable[[], datetime]
) -> Exchanged:
    """A fresh access token.

    A session that had gone stale answers with an access token that is over and a new session token; an exchange with
    that one is tried, once.

    Raises:
        CredentialRevokedError: Only a new sign-in helps.
    """
    token = credentials.session_token
    told = read_session(await ask(token), now(), token)
    token = told.rotated or token
    if told.expires_at <= now() and told.rotated is not None:
        told = read_session(await ask(token), now(), token)
        token = told.rotated or token
    if told.expires_at <= now():
        raise CredentialRevokedError(
            "The session is over; sign in again and give the account a new session token. (Or the clock of this machine is "
            "fast: `flow2api doctor` checks it.)",
            after_renewal=True,
        )
    fresh = Credentials(token, told.access_token, told.expires_at, obtained_at=now())
    return Exchanged(fresh, told.email, told.name)


def read_session(answer: Answer, now: datetime, sent: Secret) -> SessionAnswer:
    """What an exchange told, fresh or stale.

    Args:
        sent: The session token that was exchanged.

    Raises:
        CredentialRevokedError: The session has ended, or its sign-in has.
        AccountUnusableError: The account was moved to the successor of the service.
    """
    if answer.status != 200:
        raise refusal(answer, now=now, by_session=True)
    session = _read(answer.body)
    if session is None or session == _Session():
        raise CredentialRevokedError("The session token is signed out; sign in again and give the account a new one.")
    if session.error == REFRESH_NEEDED:
        raise CredentialRevokedError("The sign-in behind the session token has ended; sign in again.")
    if session.error:
        raise UpstreamInvalidError(f"The exchange of the session token failed ({session.error[:100]}).")
    if not session.access_token:
        raise CredentialRevokedError("The service gives no access token for this session; sign in again.")
    if session.expires is None:
        raise UpstreamInvalidError("The service gave an access token and did not say how long it lives.")
    user = session.user or _User()
    email = fold_email(user.email) if user.email else None
    return SessionAnswer(
        access_token=Secret(session.access_token),
        expires_at=session.expires if session.expires.tzinfo else session.expires.replace(tzinfo=UTC),
        rotated=rotated_token(answer, sent),
        email=email,
        name=user.name or (email.partition("@")[0] if email else None),
    )


def rotated_token(answer: Answer, sent: Secret) -> Secret | None:
    """The new session token of an answer; None when there is none, or what there is cannot be one."""
    for cookie in answer.values("set-cookie"):
        name, _, rest = cookie.partition("=")
        value = Secret(rest.partition(";")[0].strip())
        if name.strip() == SESSION_COOKIE and len(value) >= SHORTEST_SESSION_TOKEN and value != sent:
            return value
    return None
