"""The port ``Messenger`` over Apprise, each call in a process of its own."""

import asyncio
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from flow2api.domain.notification import Message
from flow2api.domain.secret import Secret

_PROCESS = "flow2api.adapters.notify.process"
_OWN_VARIABLES = "FLOW2API_"
_MOST_ANSWER_BYTES = 64 * 1024


class _Answer(msgspec.Struct, frozen=True):
    service: str | None
    error: str | None


class AppriseMessenger:
    """Knows the more than a hundred services of Apprise by the scheme of their URLs.

    Args:
        timeout_s: After so long a call is ended, whatever it waits for.
    """

    def __init__(self, *, timeout_s: float = 30.0) -> None:
        self._timeout_s = timeout_s

    async def service_of(self, url: Secret) -> str | None:
        answer = await self._ask({"url": url.reveal()})
        return answer.service if isinstance(answer, _Answer) else None

    async def send(self, url: Secret, message: Message) -> str | None:
        answer = await self._ask({"url": url.reveal(), "title": message.title, "text": message.text})
        return answer.error if isinstance(answer, _Answer) else answer

    async def _ask(self, task: Mapping[str, Any]) -> _Answer | str:
        """What the process answers, or why it did not."""
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                _PROCESS,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=_environment(),
                limit=_MOST_ANSWER_BYTES,
            )
        except OSError as error:
            return f"the process that writes messages does not start: {error.strerror or type(error).__name__}"
        try:
            async with asyncio.timeout(self._timeout_s):
                out, _ = await process.communicate(msgspec.json.encode(task))
        except TimeoutError:
            return f"no answer came within {self._timeout_s:g} s"
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        try:
            return msgspec.json.decode(out, type=_Answer)
        except msgspec.DecodeError:
            return f"the process that writes messages ended with {process.returncode}"


def _environment() -> dict[str, str]:
    """The server's own, for proxies and certificates, but not what is meant for the server alone."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OWN_VARIABLES)}
    return {**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


if TYPE_CHECKING:
    from flow2api.domain.ports.notifications import Messenger

    def _is_a_messenger(messenger: AppriseMessenger) -> Messenger:
        return messenger
