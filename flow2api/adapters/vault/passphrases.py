"""Passphrases of operators, hashed by argon2id (RFC 9106) in the PHC string format."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from flow2api.domain.errors import StorageError
from flow2api.domain.secret import Secret

T = TypeVar("T")

MEMORY_KIB = 64 * 1024
PASSES = 3
LANES = 1
AT_ONCE = 2


class Argon2Passphrases:
    """Hashes in at most two threads, so that many who sign in at once take neither all memory nor all processors.

    Args:
        memory_kib: Memory that each hash takes, in KiB.
        passes: How often each hash goes over that memory.
    """

    def __init__(self, *, memory_kib: int = MEMORY_KIB, passes: int = PASSES) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=LANES)
        # Threads rather than a semaphore: one whose caller has gone still counts until it is done.
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passphrases")

    async def hash(self, passphrase: Secret) -> Secret:
        data = _data(passphrase)
        return Secret(await self._in_thread(lambda: self._hasher.hash(data)))

    async def verify(self, passphrase: Secret, kept: Secret | None) -> bool:
        if kept is None:
            await self.hash(passphrase)
            return False
        data, text = _data(passphrase), kept.reveal()
        try:
            return await self._in_thread(lambda: self._hasher.verify(text, data))
        except VerifyMismatchError:
            return False
        except (InvalidHashError, VerificationError, UnicodeEncodeError) as error:
            raise StorageError(
                "A kept passphrase cannot be checked, its hash is damaged; "
                "set a new one with `flow2api operator reset-password`."
            ) from error

    def needs_rehash(self, kept: Secret) -> bool:
        try:
            return self._hasher.check_needs_rehash(kept.reveal())
        except InvalidHashError:
            return True

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _data(passphrase: Secret) -> bytes:
    # JSON and terminals can bring halves of surrogate pairs, which are no text, but may be in a passphrase.
    return passphrase.reveal().encode("utf-8", "surrogatepass")


if TYPE_CHECKING:
    from flow2api.domain.ports.secrets import Passphrases

    def _is_passphrases(passphrases: Argon2Passphrases) -> Passphrases:
        return passphrases
