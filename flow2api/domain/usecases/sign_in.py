"""Lets operators in and out."""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.errors import (
    ChangedMeanwhileError,
    NotKnownError,
    NotSignedInError,
    SetupRequiredError,
    SignInRefusedError,
    StorageError,
    UnsupportedInputError,
)
from flow2api.domain.operator import Operator
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.secrets import Cipher, Passphrases
from flow2api.domain.ports.sessions import Sessions
from flow2api.domain.ports.storage import Operators
from flow2api.domain.ports.system import Clock, Ids
from flow2api.domain.secret import Secret
from flow2api.domain.session import LONGEST_SESSION, SESSION_PREFIX, OperatorSession
from flow2api.domain.usecases.confirm_passphrase import ConfirmPassphrase
from flow2api.domain.usecases.count_tries import CountTries
from flow2api.domain.usecases.manage_operators import ManageOperators
from flow2api.domain.usecases.manage_second_factor import ManageSecondFactor
from flow2api.domain.visitor import SignedIn, Visitor

__all__ = ["SESSION_PURPOSE", "SignIn", "SignedIn", "Visitor"]

SESSION_PURPOSE = "operator-session"

_TOKEN_BYTES = 32
_LONGEST_TOKEN = 256
_LONGEST_NAME = 256
_LONGEST_AGENT = 200


class SignIn:
    """Sessions of operators: begun by name and passphrase, found by their token, ended by time, hand or a new passphrase.

    Every try is counted in storage before the passphrase is looked at, for the address and for the name; when that cannot
    be done, nobody gets in.
    """

    def __init__(
        self,
        operators: Operators,
        sessions: Sessions,
        tries: CountTries,
        confirm: ConfirmPassphrase,
        second_factor: ManageSecondFactor,
        audit_log: AuditLog,
        manage: ManageOperators,
        passphrases: Passphrases,
        cipher: Cipher,
        ids: Ids,
        clock: Clock,
    ) -> None:
        self._operators = operators
        self._sessions = sessions
        self._tries = tries
        self._confirm = confirm
        self._second_factor = second_factor
        self._audit_log = audit_log
        self._manage = manage
        self._passphrases = passphrases
        self._cipher = cipher
        self._ids = ids
        self._clock = clock

    async def __call__(
        self, name: str, passphrase: Secret, visitor: Visitor, code: Secret | None = None
    ) -> tuple[SignedIn, Secret]:
        """A new session and its token, which is shown this once and not kept.

        Args:
            code: Of the operator's app, or a recovery code; not looked at for who has no second factor.

        Raises:
            SetupRequiredError: There is no operator yet.
            TooManyTriesError: There were too many tries before; this one was not looked at.
            SignInRefusedError: The name, the passphrase or the code is wrong.
            SecondFactorRequiredError: All is right, but a code is needed. This counts as a try, too.
        """
        name = name.strip()[:_LONGEST_NAME]
        operator = await self._operators.find(name)
        subjects = await self._tries.begin(name, operator, visitor)
        if operator is None and not await self._operators.all():
            raise SetupRequiredError
        if not await self._confirm.is_right(passphrase, operator) or operator is None:
            await self._note(visitor.acting(""), AuditAction.SIGN_IN_REFUSED, operator)
            raise SignInRefusedError
        await self._check_code(operator, code, visitor)
        await self._tries.forget(subjects)
        operator = await self._rehashed(operator, passphrase)
        return await self.begin(operator, visitor)

    async def who(self, token: str | None) -> SignedIn:
        """Whose session this token is.

        Raises:
            SetupRequiredError: There is no operator yet.
            NotSignedInError: It is nobody's, or the session has ended.
        """
        found = await self._found(token)
        if found is None:
            if not await self._operators.all():
                raise SetupRequiredError
            raise NotSignedInError(presented=bool(token))
        now = self._clock.now()
        if found.session.needs_sign_of_life(now):
            with suppress(StorageError):  # a disk that is full keeps nobody from looking
                await self._sessions.saw(found.session.digest, now)
        return found

    async def sign_out(self, here: SignedIn, visitor: Visitor) -> None:
        """End this session; doing so twice is once."""
        actor = visitor.acting(here.operator.name, here.operator.id)
        await self._sessions.remove(here.session.digest, self._entry(actor, AuditAction.SIGNED_OUT, here.operator))

    async def sessions_of(self, operator: Operator) -> Sequence[OperatorSession]:
        """The operator's living sessions, newest first."""
        now = self._clock.now()
        return [
            session
            for session in await self._sessions.of_operator(operator.id)
            if session.is_alive(now) and session.belongs_to(operator)
        ]

    async def end_session(self, here: SignedIn, session_id: str, visitor: Visitor) -> None:
        """End one session of the operator who is signed in; it may be this one.

        Raises:
            NotKnownError: The operator has no such session (any more).
        """
        named = (one for one in await self.sessions_of(here.operator) if one.id == session_id)
        session = next(named, None)
        actor = visitor.acting(here.operator.name, here.operator.id)
        entry = replace(
            self._entry(actor, AuditAction.SESSION_ENDED, here.operator),
            details={"session": session_id[:_LONGEST_NAME]},
        )
        if session is None or not await self._sessions.remove(session.digest, entry):
            raise NotKnownError("You have no such session; it may have ended.")

    async def end_others(self, here: SignedIn, visitor: Visitor) -> int:
        """End every session of the operator who is signed in but this one.

        Returns:
            How many.
        """
        actor = visitor.acting(here.operator.name, here.operator.id)
        entry = self._entry(actor, AuditAction.SESSIONS_ENDED, here.operator)
        others = [one for one in await self.sessions_of(here.operator) if one.digest != here.session.digest]
        await self._sessions.remove_others(here.operator.id, here.session.digest, entry)
        return len(others)

    async def confirm_passphrase(self, here: SignedIn, passphrase: Secret, visitor: Visitor) -> None:
        """Return if it is the passphrase of who is signed in: asked before what a session alone is not enough for.

        Raises:
            TooManyTriesError: There were too many wrong passphrases before; this one was not looked at.
            SignInRefusedError: It is wrong.
        """
        await self._confirm(here, passphrase, visitor)

    async def change_passphrase(
        self, here: SignedIn, former: Secret, new: Secret, visitor: Visitor, *, name: str | None = None
    ) -> Operator:
        """Give the operator who is signed in a new passphrase, and a new name if one is given; other sessions end.

        Raises:
            TooManyTriesError: There were too many wrong passphrases before.
            SignInRefusedError: The former passphrase is wrong.
            UnsupportedInputError: The new passphrase or name breaks a rule.
            ChangedMeanwhileError: Somebody else has changed the operator while the passphrase was hashed.
            ConflictError: Another operator has this name.
        """
        await self._confirm(here, former, visitor)
        if former == new:
            raise UnsupportedInputError("The new passphrase is the one that is in use already.", param="new_password")
        actor = visitor.acting(here.operator.name, here.operator.id)
        entry = self._entry(actor, AuditAction.PASSPHRASE_CHANGED, here.operator)
        changed = await self._manage.renew(here.operator, new, name=name, audit=entry)
        await self._sessions.restamp(here.session.digest, changed.stamp)
        return changed

    async def begin(self, operator: Operator, visitor: Visitor) -> tuple[SignedIn, Secret]:
        """A new session of an operator who has proved otherwise who he is, and its token, shown this once."""
        now, token = self._clock.now(), Secret(SESSION_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES))
        session = OperatorSession(
            id=self._ids.new("ses"),
            digest=self._digest(token),
            operator_id=operator.id,
            stamp=operator.stamp,
            created_at=now,
            seen_at=now,
            expires_at=now + LONGEST_SESSION,
            address=visitor.address or None,
            agent="".join(letter for letter in visitor.agent if letter.isprintable())[:_LONGEST_AGENT],
        )
        actor = visitor.acting(operator.name, operator.id)
        await self._sessions.add(session, self._entry(actor, AuditAction.SIGNED_IN, operator))
        return SignedIn(operator, session), token

    async def _found(self, token: str | None) -> SignedIn | None:
        if not token or len(token) > _LONGEST_TOKEN or not token.startswith(SESSION_PREFIX):
            return None
        session = await self._sessions.find(self._digest(Secret(token)))
        if session is None or not session.is_alive(self._clock.now()):
            return None
        operator = await self._operators.get(session.operator_id)
        if operator is None or not session.belongs_to(operator):
            return None
        return SignedIn(operator, session)

    async def _check_code(self, operator: Operator, code: Secret | None, visitor: Visitor) -> None:
        try:
            await self._second_factor.check(operator, code, visitor.acting(operator.name, operator.id))
        except SignInRefusedError:
            await self._note(visitor.acting(""), AuditAction.SIGN_IN_REFUSED, operator)
            raise

    async def _rehashed(self, operator: Operator, passphrase: Secret) -> Operator:
        if not self._passphrases.needs_rehash(operator.passphrase_hash):
            return operator
        renewed = replace(operator, passphrase_hash=await self._passphrases.hash(passphrase))
        try:
            await self._operators.save(renewed, former=operator)
        except ChangedMeanwhileError:  # what others have made of him counts more than a fresher hash
            return operator
        return renewed

    def _digest(self, token: Secret) -> bytes:
        return self._cipher.digest(token, purpose=SESSION_PURPOSE)

    async def _note(self, actor: Actor, action: AuditAction, operator: Operator | None) -> None:
        await self._audit_log.note(self._entry(actor, action, operator))

    def _entry(self, actor: Actor, action: AuditAction, operator: Operator | None) -> AuditEntry:
        subject = None if operator is None else str(operator.id)
        return AuditEntry(at=self._clock.now(), actor=actor, action=action, subject=subject)
