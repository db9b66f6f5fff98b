"""What may be written down of a value: secrets taken out by their type, by the name they stand under, and by their shape."""

import re
from datetime import datetime
from typing import Any

from flow2api.domain.secret import Secret

HIDDEN = "***"

_SECRET_NAMES = re.compile(r"(?i)(authorization|cookie|token|secret|passw|api[_-]?key|^st$|^at$|proxy_url|set-cookie)")
_SECRET_SHAPES = re.compile(
    r"(?i)(bearer\s+)[\w.~+/=-]{8,}|f2a_[\w-]{8,}|ya29\.[\w.-]{4,}|eyJ[\w-]{10,}[\w.-]*|AIza[\w-]{20,}"
    r"|(session-token=)[^;\s]+|([?&](?:sig|signature|key)=)[^&\s\"']+"
)
_USERINFO = re.compile(r"(?<=://)[^/@\s:]+:[^/@\s]+(?=@)")
_DEEPEST = 32


def redact(value: Any, name: str = "", *, _depth: int = 0) -> Any:
    """The value as it may be written down.

    Args:
        value: Text, numbers and containers stay what they are; other objects become their redacted text.
        name: The key under which it stands; some names make a secret of any value.
    """
    if value is None or isinstance(value, bool | datetime):
        return value
    if isinstance(value, Secret) or (name and value != "" and _SECRET_NAMES.search(name)):
        return HIDDEN
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if _depth > _DEEPEST:
        return "..."
    if isinstance(value, dict):
        return {redact_text(str(key)): redact(item, str(key), _depth=_depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, _depth=_depth + 1) for item in value]
    return redact_text(str(value))


def redact_text(text: str) -> str:
    """The text with everything hidden that has the shape of a secret."""
    return _USERINFO.sub(HIDDEN, _SECRET_SHAPES.sub(_keep_label, text))


def _keep_label(match: re.Match[str]) -> str:
    label = next((group for group in match.groups() if group), "")
    return f"{label}{HIDDEN}"
