"""Head and body of a short answer in one system call."""

import asyncio
from typing import Any

SHORT_BYTES = 16 * 1024
TAKEN_WITHIN_S = 30.0
"""How long a client has to take what was sent before its connection was closed: as long as for any other piece."""


class JoinedWrites(asyncio.Transport):
    """A connection that holds a short piece back until the next one comes, or until the event loop's next turn.

    uvicorn writes the head of an answer and its body apart, and each costs a system call, which is a tenth of a small
    answer's price. At most one short piece waits at a time, so that a slow client still holds its sender back.

    Args:
        transport: The connection itself.
    """

    __slots__ = ("_ending", "_held", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._held: bytes = b""
        self._ending: asyncio.TimerHandle | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send these bytes, after those that were given before; no bytes send these at once."""
        if not data:
            self._flush()
        elif self._held:
            held, self._held = self._held, b""
            self._transport.writelines((held, data))
        elif len(data) <= SHORT_BYTES:
            self._held = bytes(data)
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Send what is held, and close. A client that does not take it would hold the connection for ever."""
        self._flush()
        self._transport.close()
        if self._ending is None and self._transport.get_write_buffer_size():
            self._ending = self._loop.call_later(TAKEN_WITHIN_S, self._transport.abort)

    def lost(self) -> None:
        """The connection is gone."""
        if self._ending is not None:
            self._ending.cancel()

    def abort(self) -> None:
        """Close at once."""
        self._held = b""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Whether it is closed or about to be."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What is known of the connection."""
        return self._transport.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand the connection over to another protocol."""
        self._transport.set_protocol(protocol)

    def pause_reading(self) -> None:
        """Take nothing from the client for now."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take from the client again."""
        self._transport.resume_reading()

    def _flush(self) -> None:
        if self._held and not self._transport.is_closing():
            held, self._held = self._held, b""
            self._transport.write(held)
