"""Reading single request headers without building a map of all of them."""

from typing import Any


def header(scope: Any, name: bytes) -> str | None:
    """The first value of a header, or None.

    Args:
        scope: The ASGI scope.
        name: In lower case.
    """
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1").strip()
    return None
