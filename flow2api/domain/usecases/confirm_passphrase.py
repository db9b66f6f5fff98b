"""Has somebody who is signed in prove once more who he is."""

from flow2api.domain.audit import AuditAction, AuditEntry
from flow2api.domain.errors import SignInRefusedError
from flow2api.domain.operator import Operator
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.secrets import Passphrases
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.count_tries import CountTries
from flow2api.domain.usecases.manage_operators import LONGEST_PASSPHRASE
from flow2api.domain.visitor import SignedIn, Visitor


class ConfirmPassphrase:
    """Asks for the passphrase before what a stolen session must not be enough for."""

    def __init__(self, tries: CountTries, passphrases: Passphrases, audit_log: AuditLog, clock: Clock) -> None:
        self._tries = tries
        self._passphrases = passphrases
        self._audit_log = audit_log
        self._clock = clock

    async def __call__(self, here: SignedIn, passphrase: Secret, visitor: Visitor) -> None:
        """Return if it is the passphrase of who is signed in. Wrong ones count as wrong tries to sign in do.

        Raises:
            TooManyTriesError: There were too many wrong passphrases before; this one was not looked at.
            SignInRefusedError: It is wrong.
        """
        operator = here.operator
        actor = visitor.acting(operator.name, operator.id)
        subjects = await self._tries.begin(operator.name, operator, visitor, actor)
        if not await self.is_right(passphrase, operator):
            entry = AuditEntry(
                at=self._clock.now(), actor=actor, action=AuditAction.SIGN_IN_REFUSED, subject=str(operator.id)
            )
            await self._audit_log.note(entry)
            raise SignInRefusedError
        await self._tries.forget(subjects)

    async def is_right(self, passphrase: Secret, operator: Operator | None) -> bool:
        """Whether this is the operator's passphrase; for nobody, and for one too long to be any, it takes as long.

        The try is not counted here.
        """
        is_too_long = len(passphrase) > LONGEST_PASSPHRASE
        tried = Secret("") if is_too_long else passphrase
        is_right = await self._passphrases.verify(tried, None if operator is None else operator.passphrase_hash)
        return is_right and not is_too_long
