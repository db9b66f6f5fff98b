"""Work that serves many, apart from who happened to ask for it first."""

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")


def apart(work: Coroutine[Any, Any, T], *, name: str) -> "asyncio.Task[T]":
    """Begin work in a context of its own: what it logs must not bear the id of one of the requests that it serves."""
    return asyncio.create_task(work, name=name, context=Context())
