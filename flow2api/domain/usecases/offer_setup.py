"""Makes the codes that let the first operator set himself up."""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from flow2api.domain.audit import AuditEntry
from flow2api.domain.errors import SetupClosedError, StorageError, UnsupportedInputError
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.setup_codes import SetupCodes
from flow2api.domain.ports.storage import Operators
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret
from flow2api.domain.typed_codes import new_code

log = logging.getLogger(__name__)

SETUP_PURPOSE = "setup-code"
SETUP_CODE_LASTS = timedelta(minutes=15)
SHORTEST_OWN_CODE = 22
"""So many characters of chance that are letters and digits have 128 bits."""

_BITS = 128
_GROUP = 5
_LEAST_DISTINCT = 8
_LONGEST_CODE = 256
_TRY_AGAIN_S = 30.0


class OfferSetup:
    """As long as there is no operator, whoever has a code may become the first one. Afterwards never again."""

    def __init__(self, operators: Operators, codes: SetupCodes, cipher: Cipher, clock: Clock) -> None:
        self._operators = operators
        self._codes = codes
        self._cipher = cipher
        self._clock = clock
        self._is_closed = False

    async def is_open(self) -> bool:
        """Whether there is no operator yet. What was closed once stays so, and is not asked for any more."""
        if not self._is_closed:
            self._is_closed = bool(await self._operators.all())
        return not self._is_closed

    async def __call__(self, own: Secret | None = None, audit: AuditEntry | None = None) -> tuple[Secret, datetime]:
        """A code, and when it ends. It is kept nowhere but as a hash.

        Args:
            own: The code to take; None makes one of chance.

        Raises:
            SetupClosedError: There is an operator.
            UnsupportedInputError: The own code could be guessed.
        """
        if not await self.is_open():
            raise SetupClosedError
        if own is not None:
            check_own_code(own)
        code = new_code(_BITS, _GROUP) if own is None else own
        now = self._clock.now()
        expires_at = now + SETUP_CODE_LASTS
        await self._codes.add(self._digest(code), expires_at, now, audit)
        return code, expires_at

    async def is_good(self, code: Secret) -> bool:
        """Whether this code lets somebody in now."""
        return len(code) <= _LONGEST_CODE and await self._codes.is_good(self._digest(code), self._clock.now())

    async def close(self) -> None:
        """Take note that there is an operator, and forget every code."""
        self._is_closed = True
        with suppress(StorageError):  # they open nothing any more
            await self._codes.clear()

    async def keep_open(self, own: Secret | None, tell: Callable[[Secret], None]) -> None:
        """Have a code that is good, until there is an operator.

        Args:
            own: The code to offer all the time; None makes a new one whenever the former has ended.
            tell: Told every code that was made, once; of the own code that it is offered, once.
        """
        told: Secret | None = None
        while True:
            try:
                if not await self.is_open():
                    return
                code, _ = await self(own)
            except SetupClosedError:
                return
            except StorageError:
                log.warning("no setup code can be offered for the moment, the database refuses", exc_info=True)
                await self._clock.sleep(_TRY_AGAIN_S)
                continue
            if code != told:
                tell(code)
                told = code
            await self._clock.sleep(SETUP_CODE_LASTS.total_seconds())

    def _digest(self, code: Secret) -> bytes:
        return self._cipher.digest(code.letters_and_digits(), purpose=SETUP_PURPOSE)


def check_own_code(own: Secret) -> None:
    """Return if nobody guesses this setup code.

    Raises:
        UnsupportedInputError: It is too short or too plain.
    """
    plain = own.letters_and_digits()
    if not SHORTEST_OWN_CODE <= len(plain) <= _LONGEST_CODE or plain.variety() < _LEAST_DISTINCT:
        raise UnsupportedInputError(
            f"A setup code has at least {SHORTEST_OWN_CODE} characters of chance. Make one with: openssl rand -hex 16"
        )
