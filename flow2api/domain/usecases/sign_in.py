"""Lets operators in and out."""

import ipaddress
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.errors import (
    NotSignedInError,
    SetupRequiredError,
    SignInRefusedError,
    StorageError,
    TooManyTriesError,
    UnsupportedInputError,
)
from flow2api.domain.operator import Operator, folded
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.secrets import Cipher, Passphrases
from flow2api.domain.ports.sessions import Sessions, SignInTries
from flow2api.domain.ports.storage import Operators
from flow2api.domain.ports.system import Clock, Ids
from flow2api.domain.secret import Secret
from flow2api.domain.session import LONGEST_SESSION, SESSION_PREFIX, OperatorSession
from flow2api.domain.throttle import ToldPauses
from flow2api.domain.usecases.manage_operators import LONGEST_PASSPHRASE, ManageOperators

SESSION_PURPOSE = "operator-session"
TRIES_PURPOSE = "sign-in-tries"

_TOKEN_BYTES = 32
_LONGEST_TOKEN = 256
_LONGEST_NAME = 256
_LONGEST_AGENT = 200
_NOBODY = 0
"""No operator has this id."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who is signed in."""

    operator: Operator
    session: OperatorSession


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is at the door.

    Attributes:
        address: Where the request came from; empty when that is not known.
        agent: What the client calls itself.
    """

    door: str
    address: str
    agent: str = ""
    request_id: str | None = None

    def acting(self, name: str, operator_id: int | None = None) -> Actor:
        """The visitor as the audit log names him."""
        return Actor(
            name=name,
            door=self.door,
            operator_id=operator_id,
            address=self.address or None,
            request_id=self.request_id,
        )


class SignIn:
    """Sessions of operators: begun by name and passphrase, found by their token, ended by time, hand or a new passphrase.

    Every try is counted in storage before the passphrase is looked at, for the address and for the name; when that cannot
    be done, nobody gets in.
    """

    def __init__(
        self,
        operators: Operators,
        sessions: Sessions,
        tries: SignInTries,
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
        self._audit_log = audit_log
        self._manage = manage
        self._passphrases = passphrases
        self._cipher = cipher
        self._ids = ids
        self._clock = clock
        self._told_pauses = ToldPauses()

    async def __call__(self, name: str, passphrase: Secret, visitor: Visitor) -> tuple[SignedIn, Secret]:
        """A new session and its token, which is shown this once and not kept.

        Raises:
            SetupRequiredError: There is no operator yet.
            TooManyTriesError: There were too many tries before; this one was not looked at.
            SignInRefusedError: The name or the passphrase is wrong.
        """
        name = name.strip()[:_LONGEST_NAME]
        operator = await self._operators.find(name)
        subjects = await self._subjects(name, operator, visitor)
        await self._begin_try(subjects, visitor.acting(""), operator)
        if operator is None and not await self._operators.all():
            raise SetupRequiredError
        if not await self._is_right(passphrase, operator) or operator is None:
            await self._note(visitor.acting(""), AuditAction.SIGN_IN_REFUSED, operator)
            raise SignInRefusedError
        await self._tries.forget(subjects)
        operator = await self._rehashed(operator, passphrase)
        return await self._begin(operator, visitor)

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

    async def change_passphrase(
        self, here: SignedIn, former: Secret, new: Secret, visitor: Visitor, *, name: str | None = None
    ) -> Operator:
        """Give the operator who is signed in a new passphrase, and a new name if one is given; other sessions end.

        Raises:
            TooManyTriesError: There were too many wrong passphrases before.
            SignInRefusedError: The former passphrase is wrong.
            UnsupportedInputError: The new passphrase or name breaks a rule.
            ConflictError: Another operator has this name.
        """
        subjects = await self._subjects(here.operator.name, here.operator, visitor)
        actor = visitor.acting(here.operator.name, here.operator.id)
        await self._begin_try(subjects, actor, here.operator)
        if not await self._is_right(former, here.operator):
            await self._note(actor, AuditAction.SIGN_IN_REFUSED, here.operator)
            raise SignInRefusedError
        await self._tries.forget(subjects)
        if former == new:
            raise UnsupportedInputError("The new passphrase is the one that is in use already.", param="new_password")
        entry = self._entry(actor, AuditAction.PASSPHRASE_CHANGED, here.operator)
        changed = await self._manage.renew(here.operator, new, name=name, audit=entry)
        await self._sessions.restamp(here.session.digest, changed.stamp)
        return changed

    async def _begin(self, operator: Operator, visitor: Visitor) -> tuple[SignedIn, Secret]:
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

    async def _is_right(self, passphrase: Secret, operator: Operator | None) -> bool:
        """Whether this is the operator's passphrase; for nobody, and for one too long to be any, it takes as long."""
        is_too_long = len(passphrase) > LONGEST_PASSPHRASE
        tried = Secret("") if is_too_long else passphrase
        is_right = await self._passphrases.verify(tried, None if operator is None else operator.passphrase_hash)
        return is_right and not is_too_long

    async def _rehashed(self, operator: Operator, passphrase: Secret) -> Operator:
        if not self._passphrases.needs_rehash(operator.passphrase_hash):
            return operator
        renewed = replace(operator, passphrase_hash=await self._passphrases.hash(passphrase))
        await self._operators.save(renewed)
        return renewed

    async def _begin_try(self, subjects: Sequence[bytes], actor: Actor, operator: Operator | None) -> None:
        now = self._clock.now()
        pause = await self._tries.begin(subjects, now)
        if not pause:
            return
        if self._told_pauses.is_new(subjects, now, pause):
            await self._note(actor, AuditAction.SIGN_IN_PUT_OFF, operator)
        raise TooManyTriesError(pause.total_seconds())

    async def _subjects(self, name: str, operator: Operator | None, visitor: Visitor) -> list[bytes]:
        """What tries are counted by: the name and the address.

        At an address of one of his sessions the operator's name is counted apart: strangers who try it elsewhere do not
        keep him out there.
        """
        source = _source(visitor.address)
        # Asked for nobody, too, so that the time tells no name.
        sessions = await self._sessions.of_operator(_NOBODY if operator is None else operator.id)
        place = f"@{source}" if any(_source(one.address or "") == source for one in sessions) else ""
        # Only a hash is kept: people type passphrases into the wrong field.
        subjects = [f"name:{folded(name)}{place}", f"address:{source}"]
        return [self._cipher.digest(Secret(subject), purpose=TRIES_PURPOSE) for subject in subjects]

    def _digest(self, token: Secret) -> bytes:
        return self._cipher.digest(token, purpose=SESSION_PURPOSE)

    async def _note(self, actor: Actor, action: AuditAction, operator: Operator | None) -> None:
        await self._audit_log.note(self._entry(actor, action, operator))

    def _entry(self, actor: Actor, action: AuditAction, operator: Operator | None) -> AuditEntry:
        subject = None if operator is None else str(operator.id)
        return AuditEntry(at=self._clock.now(), actor=actor, action=action, subject=subject)


def _source(address: str) -> str:
    """What tries are counted by: of an IPv6 address the network, for one subscriber has all of it."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((known, 64), strict=False))
    return str(known)
