"""Who asks: the key is taken from the headers and checked before anything of the body is read."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from litestar import Request

from flow2api.adapters.openai_api.doors import Authorizes
from flow2api.domain.api_key import ApiKey, Caller
from flow2api.domain.errors import KeyScopeError
from flow2api.domain.key_rules import KeyScope

_LONGEST_KEY = 512
_BEARER = b"bearer "

KeyCheck = Callable[[Request[Any, Any, Any]], Awaitable[None]]


def presented_key(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The key that a request presents, or None.

    ``Authorization: Bearer`` comes before ``x-api-key`` and ``api-key``. The query string is never looked at: addresses
    end in logs.
    """
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in (b"authorization", b"x-api-key", b"api-key"):
            found.setdefault(name, value)
    bearer = found.get(b"authorization", b"")
    if bearer[: len(_BEARER)].lower() == _BEARER:
        candidates = [bearer[len(_BEARER) :], found.get(b"x-api-key"), found.get(b"api-key")]
    else:
        candidates = [found.get(b"x-api-key"), found.get(b"api-key")]
    key = next((value.strip() for value in candidates if value and value.strip()), None)
    # A key that is too long or no ASCII opens nothing, and what opens nothing need not be carried further.
    return None if key is None else key[:_LONGEST_KEY].decode("latin-1")


def key_check(authorize: Authorizes, scope: KeyScope | None = None) -> KeyCheck:
    """Lets only known keys pass and leaves the key in the request's ``auth``.

    Args:
        scope: What the key has to have; None where that shows later.

    It is to run before each handler and is no guard in Litestar's sense: for each call of a guard Litestar copies the
    handler, which costs as much as everything that is done here.
    """

    async def require_key(request: Request[Any, Any, Any]) -> None:
        presented = presented_key(request.scope["headers"])
        key = authorize.known(presented) or await authorize(presented)
        request.scope["auth"] = key
        if scope is not None and scope not in key.rules.scopes:
            raise KeyScopeError(scope.value)

    return require_key


def caller_of(scope: Any) -> Caller:
    """Who the request is made for; only behind :func:`key_check`."""
    key: ApiKey = scope["auth"]
    return Caller(key.id, key.tag, key.rules, key.first_id)  # by position: half the price of names, for each request


def profile_of(scope: Any) -> str | None:
    """The response profile of the key's client, if it has one; only behind :func:`key_check`."""
    key: ApiKey = scope["auth"]
    return key.profile
