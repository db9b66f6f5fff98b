"""Gives operators a second factor, checks it, and takes it away."""

from collections.abc import Mapping
from dataclasses import replace

from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.errors import ConflictError, SecondFactorRequiredError, SignInRefusedError, UnsupportedInputError
from flow2api.domain.operator import Operator
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.second_factors import OneTimeCodes, SecondFactors
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.system import Clock
from flow2api.domain.second_factor import (
    RECOVERY_CODES,
    Enrolment,
    RecoveryCodes,
    SecondFactor,
    SecondFactorStanding,
)
from flow2api.domain.secret import Secret
from flow2api.domain.typed_codes import new_code
from flow2api.domain.usecases.confirm_passphrase import ConfirmPassphrase
from flow2api.domain.visitor import SignedIn, Visitor

RECOVERY_PURPOSE = "recovery-code"

_RECOVERY_BITS = 80
_GROUP = 4
_LONGEST_CODE = 64
_DIGITS = 6


class ManageSecondFactor:
    """The second factor of who is signed in. What changes it asks for the passphrase, for a session can be stolen."""

    def __init__(
        self,
        factors: SecondFactors,
        codes: OneTimeCodes,
        confirm: ConfirmPassphrase,
        audit_log: AuditLog,
        cipher: Cipher,
        clock: Clock,
    ) -> None:
        self._factors = factors
        self._codes = codes
        self._confirm = confirm
        self._audit_log = audit_log
        self._cipher = cipher
        self._clock = clock

    async def standing(self, operator: Operator) -> SecondFactorStanding:
        """Whether the operator is asked for a second factor, and what is left of the recovery codes."""
        factor = await self._factors.of_operator(operator.id)
        if factor is None or factor.confirmed_at is None:
            return SecondFactorStanding()
        return SecondFactorStanding(factor.confirmed_at, len(factor.recovery))

    async def begin(self, here: SignedIn, passphrase: Secret, visitor: Visitor) -> Enrolment:
        """A new secret, which is asked for only when a code has confirmed it.

        Raises:
            TooManyTriesError: There were too many wrong tries before; this one was not looked at.
            SignInRefusedError: The passphrase is wrong.
            ConflictError: A second factor is in use.
        """
        await self._confirm(here, passphrase, visitor)
        secret, operator = self._codes.new_secret(), here.operator
        factor = SecondFactor(operator_id=operator.id, secret=secret, created_at=self._clock.now())
        if not await self._factors.begin(factor):
            raise ConflictError("A second factor is in use; switch it off before you take another one.")
        return Enrolment(secret, self._codes.uri(secret, name=operator.name))

    async def confirm(self, here: SignedIn, code: Secret, visitor: Visitor) -> RecoveryCodes:
        """Have the new secret asked for from now on, and get recovery codes, which are shown this once.

        Raises:
            UnsupportedInputError: The code does not belong to the secret.
            ConflictError: Nothing was begun, or it is confirmed already.
        """
        factor = await self._factors.of_operator(here.operator.id)
        if factor is None or factor.confirmed_at is not None:
            raise _not_begun()
        now = self._clock.now()
        step = self._step(factor, code)
        if step is None:
            raise UnsupportedInputError(
                "The code does not fit. Take the present one, and see whether the clock of the phone is right.",
                param="code",
            )
        fresh, digests = self._new_recovery(here.operator)
        confirmed = replace(factor, confirmed_at=now, last_step=step, recovery=digests)
        entry = self._entry(AuditAction.SECOND_FACTOR_ADDED, here, visitor)
        if not await self._factors.confirm(confirmed, entry):
            raise _not_begun()
        return fresh

    async def renew_recovery(self, here: SignedIn, passphrase: Secret, visitor: Visitor) -> RecoveryCodes:
        """Other recovery codes in the place of all former ones, shown this once.

        Raises:
            TooManyTriesError: There were too many wrong tries before; this one was not looked at.
            SignInRefusedError: The passphrase is wrong.
            ConflictError: There is no second factor.
        """
        await self._confirm(here, passphrase, visitor)
        fresh, digests = self._new_recovery(here.operator)
        entry = self._entry(AuditAction.RECOVERY_CODES_RENEWED, here, visitor)
        if not await self._factors.replace_recovery(here.operator.id, digests, entry):
            raise ConflictError("There is no second factor, so nothing has to be recovered.")
        return fresh

    async def disable(self, here: SignedIn, passphrase: Secret, visitor: Visitor) -> None:
        """Ask for it no more; doing so twice is once.

        Raises:
            TooManyTriesError: There were too many wrong tries before; this one was not looked at.
            SignInRefusedError: The passphrase is wrong.
        """
        await self._confirm(here, passphrase, visitor)
        await self._factors.remove(here.operator.id, self._entry(AuditAction.SECOND_FACTOR_REMOVED, here, visitor))

    async def check(self, operator: Operator, code: Secret | None, actor: Actor) -> None:
        """Return if the operator has no second factor, or this is a code of it, which is good this once.

        The try is not counted here.

        Raises:
            SecondFactorRequiredError: There is one, and no code was given.
            SignInRefusedError: The code is wrong, or was used before.
        """
        factor = await self._factors.of_operator(operator.id)
        if factor is None or factor.confirmed_at is None:
            return
        if code is None or not code.letters_and_digits():
            await self._audit_log.note(self._noted(AuditAction.CODE_ASKED, actor, operator))
            raise SecondFactorRequiredError
        if not await self._is_taken(factor, code, actor, operator):
            raise SignInRefusedError

    async def _is_taken(self, factor: SecondFactor, code: Secret, actor: Actor, operator: Operator) -> bool:
        if len(code) > _LONGEST_CODE:
            return False
        if len(code.letters_and_digits()) == _DIGITS:
            step = self._step(factor, code)
            return step is not None and await self._factors.take_step(operator.id, step)
        left = {"left": max(0, len(factor.recovery) - 1)}
        entry = self._noted(AuditAction.RECOVERY_CODE_USED, actor, operator, left)
        return await self._factors.take_recovery(operator.id, self._digest(operator, code), entry)

    def _step(self, factor: SecondFactor, code: Secret) -> int | None:
        if len(code) > _LONGEST_CODE:
            return None
        return self._codes.step_of(factor.secret, code.letters_and_digits(), self._clock.now())

    def _new_recovery(self, operator: Operator) -> tuple[RecoveryCodes, frozenset[bytes]]:
        fresh = [new_code(_RECOVERY_BITS, _GROUP) for _ in range(RECOVERY_CODES)]
        return fresh, frozenset(self._digest(operator, code) for code in fresh)

    def _digest(self, operator: Operator, code: Secret) -> bytes:
        return self._cipher.digest(code.letters_and_digits(), purpose=f"{RECOVERY_PURPOSE}/{operator.id}")

    def _entry(self, action: AuditAction, here: SignedIn, visitor: Visitor) -> AuditEntry:
        return self._noted(action, visitor.acting(here.operator.name, here.operator.id), here.operator)

    def _noted(
        self, action: AuditAction, actor: Actor, operator: Operator, details: Mapping[str, object] | None = None
    ) -> AuditEntry:
        return AuditEntry(
            at=self._clock.now(), actor=actor, action=action, subject=str(operator.id), details=details or {}
        )


def _not_begun() -> ConflictError:
    return ConflictError("There is no new second factor to confirm; begin with one.")
