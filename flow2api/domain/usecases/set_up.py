"""Lets the first operator set himself up."""

from flow2api.domain.audit import AuditAction, AuditEntry
from flow2api.domain.errors import ConflictError, SetupClosedError, SetupCodeRefusedError
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.count_tries import CountTries
from flow2api.domain.usecases.manage_operators import ManageOperators
from flow2api.domain.usecases.offer_setup import OfferSetup
from flow2api.domain.usecases.sign_in import SignIn
from flow2api.domain.visitor import SignedIn, Visitor


class SetUp:
    """Makes the owner of who has the setup code, and signs him in; once for ever."""

    def __init__(
        self,
        offer: OfferSetup,
        manage: ManageOperators,
        sign_in: SignIn,
        tries: CountTries,
        audit_log: AuditLog,
        clock: Clock,
    ) -> None:
        self._offer = offer
        self._manage = manage
        self._sign_in = sign_in
        self._tries = tries
        self._audit_log = audit_log
        self._clock = clock

    async def is_open(self) -> bool:
        """Whether there is no operator yet."""
        return await self._offer.is_open()

    async def __call__(self, code: Secret, name: str, passphrase: Secret, visitor: Visitor) -> tuple[SignedIn, Secret]:
        """The owner, signed in, and the token of his session. Tries are counted by address, as those to sign in are.

        Raises:
            SetupClosedError: There is an operator; of several who set up at once, one succeeds.
            TooManyTriesError: There were too many tries before; this one was not looked at.
            SetupCodeRefusedError: The code is wrong, or has ended.
            UnsupportedInputError: The name or the passphrase breaks a rule; the code stays good.
        """
        if not await self._offer.is_open():
            raise SetupClosedError
        subjects = await self._tries.begin_unnamed(visitor)
        if not await self._offer.is_good(code):
            if not await self._offer.is_open():  # somebody set up meanwhile, and the codes are gone with that
                raise SetupClosedError
            await self._audit_log.note(self._entry(AuditAction.SETUP_REFUSED, "", visitor))
            raise SetupCodeRefusedError
        await self._tries.forget(subjects)
        try:
            entry = self._entry(AuditAction.OPERATOR_CREATED, name.strip(), visitor)
            made = await self._manage.create_first(name, passphrase, entry)
        except ConflictError as error:
            raise SetupClosedError from error
        await self._offer.close()
        return await self._sign_in.begin(made, visitor)

    def _entry(self, action: AuditAction, name: str, visitor: Visitor) -> AuditEntry:
        details = {"name": name} if name else {}
        return AuditEntry(at=self._clock.now(), actor=visitor.acting(name), action=action, details=details)
