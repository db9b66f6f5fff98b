"""The cookies of the console: who is signed in, what was just done, how it looks."""

from typing import Any
from urllib.parse import quote, unquote, urlsplit

from litestar.datastructures import Cookie

from flow2api.domain.base_url import is_loopback
from flow2api.domain.secret import Secret
from flow2api.domain.session import LONGEST_SESSION

SESSION = "f2a"
TOLD = "f2a-told"
THEME = "theme"
LANGUAGE = "language"
LOOKS = {
    THEME: ("light", "dark"),
    LANGUAGE: ("en", "zh-Hans"),
}
"""What a browser may keep of how the console looks; the first of each is what it is like without a choice."""

_TOLD_S = 30
_YEAR_S = 365 * 24 * 3600
_LONGEST_TOLD = 300
_UNDO = "\n"
"""Between a sentence and the path behind it."""
_KINDS = frozenset({"ok", "err", "warn", "info"})


def is_private(came_by: str) -> bool:
    """Whether nobody on the way can read along: the request came over TLS, or on this machine."""
    parts = urlsplit(came_by)
    return parts.scheme == "https" or is_loopback(parts.hostname or "")


def session_name(came_by: str) -> str:
    """The name of the session's cookie. Over TLS it is one that no other host of the domain can set."""
    return f"__Host-{SESSION}" if _is_secure(came_by) else SESSION


def session_cookie(token: Secret, came_by: str) -> Cookie:
    """The session, for this browser alone and no script in it."""
    age = int(LONGEST_SESSION.total_seconds())
    return _cookie(session_name(came_by), token.reveal(), came_by, max_age=age)


def no_session_cookie(came_by: str) -> Cookie:
    """Takes the session from the browser."""
    return _cookie(session_name(came_by), "", came_by, max_age=0)


def told_cookie(kind: str, sentence: str, came_by: str, undo: str = "") -> Cookie:
    """A sentence for the next page that is shown: what was just done, and the path of ours on which it can be undone."""
    text = f"{kind}:{sentence[:_LONGEST_TOLD]}{_UNDO}{undo}" if undo else f"{kind}:{sentence[:_LONGEST_TOLD]}"
    return _cookie(TOLD, quote(text, safe=""), came_by, max_age=_TOLD_S)


def nothing_told_cookie(came_by: str) -> Cookie:
    """The sentence was shown."""
    return _cookie(TOLD, "", came_by, max_age=0)


def told(cookies: dict[str, str]) -> tuple[str, str, str] | None:
    """What was just done: kind (``ok``, ``err``, ``warn``, ``info``), sentence, and where it can be undone, else empty."""
    kind, colon, rest = unquote(cookies.get(TOLD, "")).partition(":")
    sentence, _, undo = rest.partition(_UNDO)
    if not colon or kind not in _KINDS:
        return None
    return kind, sentence[:_LONGEST_TOLD], undo if undo.startswith("/console/") and undo.isprintable() else ""


def look_name(name: str) -> str:
    """The cookie of a choice of `LOOKS`."""
    return f"{SESSION}-{name}"


def look_cookie(name: str, value: str, came_by: str) -> Cookie:
    """A choice of `LOOKS` for this browser; an empty value takes it back."""
    return _cookie(look_name(name), value, came_by, max_age=_YEAR_S if value else 0)


def chosen(cookies: dict[str, str], name: str) -> str:
    """What this browser has chosen of `LOOKS`; empty when it has not, or has chosen what there is not."""
    value = cookies.get(look_name(name), "")
    return value if value in LOOKS[name] else ""


def _is_secure(came_by: str) -> bool:
    return urlsplit(came_by).scheme == "https"


def _cookie(name: str, value: str, came_by: str, **kwargs: Any) -> Cookie:
    is_secure = _is_secure(came_by)
    return Cookie(key=name, value=value, path="/", httponly=True, secure=is_secure, samesite="lax", **kwargs)
