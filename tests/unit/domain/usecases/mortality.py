"""A process that can be killed between any two things that it does to the world."""

import asyncio
import inspect
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Life:
    """How long a process lives.

    Attributes:
        calls: Everything that it did, in order.
        ends_at: Number of the call, from 0, at which it is killed; None to live on.
        after: It is killed when the call has been carried out, else before.
    """

    ends_at: int | None = None
    after: bool = False
    calls: list[str] = field(default_factory=list)
    is_over: bool = False
    died: asyncio.Event = field(default_factory=asyncio.Event)

    def between(self, name: str, port: Any) -> Any:
        """A port as this process reaches it."""
        return _Mortal(name, port, self)

    async def step(self, name: str, call: Any) -> Any:
        """Carry out one call, unless the process is dead or dies of it."""
        await self._check()
        number = len(self.calls)
        self.calls.append(name)
        if self.ends_at == number and not self.after:
            await self._die()
        result = await call()
        if self.ends_at == number and self.after:
            await self._die()
        await self._check()
        return result

    async def _die(self) -> None:
        self.is_over = True
        self.died.set()
        await self._check()

    async def _check(self) -> None:
        if self.is_over:
            await asyncio.Event().wait()  # the dead do nothing any more, whatever is asked of them


class _Mortal:
    def __init__(self, name: str, port: Any, life: Life) -> None:
        self._name, self._port, self._life = name, port, life

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if not inspect.iscoroutinefunction(method):
            return method

        async def mortal(*args: Any, **kwargs: Any) -> Any:
            return await self._life.step(f"{self._name}.{name}", lambda: method(*args, **kwargs))

        return mortal
