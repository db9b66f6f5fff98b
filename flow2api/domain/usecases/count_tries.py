"""Counts tries to prove who one is, so that nobody can make many of them."""

import ipaddress
from collections.abc import Sequence

from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.errors import TooManyTriesError
from flow2api.domain.operator import Operator, folded
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.sessions import Sessions, SignInTries
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret
from flow2api.domain.throttle import ToldPauses
from flow2api.domain.visitor import Visitor

TRIES_PURPOSE = "sign-in-tries"

_NOBODY = 0
"""No operator has this id."""


class CountTries:
    """Tries are counted in storage before they are looked at, by what they come from; when that cannot be done, none is."""

    def __init__(
        self, sessions: Sessions, tries: SignInTries, audit_log: AuditLog, cipher: Cipher, clock: Clock
    ) -> None:
        self._sessions = sessions
        self._tries = tries
        self._audit_log = audit_log
        self._cipher = cipher
        self._clock = clock
        self._told_pauses = ToldPauses()

    async def begin(
        self, name: str, operator: Operator | None, visitor: Visitor, actor: Actor | None = None
    ) -> Sequence[bytes]:
        """Count one more try under this name and from this address.

        Args:
            operator: Whose name it is, if it is anybody's.
            actor: Who tries, as far as that is known.

        Returns:
            What it was counted by, to be forgotten when the try is right.

        Raises:
            TooManyTriesError: There were too many before; this one must not be looked at.
        """
        subjects = await self._subjects(name, operator, visitor)
        await self._count(subjects, actor or visitor.acting(""), operator)
        return subjects

    async def begin_unnamed(self, visitor: Visitor) -> Sequence[bytes]:
        """Count one more try from this address, for what no name stands with.

        Raises:
            TooManyTriesError: There were too many before; this one must not be looked at.
        """
        subjects = self._digests(f"address:{source_of(visitor.address)}")
        await self._count(subjects, visitor.acting(""), None)
        return subjects

    async def forget(self, subjects: Sequence[bytes]) -> None:
        """Start anew for these: a try was right."""
        await self._tries.forget(subjects)

    async def _count(self, subjects: Sequence[bytes], actor: Actor, operator: Operator | None) -> None:
        now = self._clock.now()
        pause = await self._tries.begin(subjects, now)
        if not pause:
            return
        if self._told_pauses.is_new(subjects, now, pause):
            subject = None if operator is None else str(operator.id)
            entry = AuditEntry(at=now, actor=actor, action=AuditAction.SIGN_IN_PUT_OFF, subject=subject)
            await self._audit_log.note(entry)
        raise TooManyTriesError(pause.total_seconds())

    async def _subjects(self, name: str, operator: Operator | None, visitor: Visitor) -> list[bytes]:
        """What tries are counted by: the name and the address.

        At an address of one of his sessions the operator's name is counted apart: strangers who try it elsewhere do not
        keep him out there.
        """
        source = source_of(visitor.address)
        # Asked for nobody, too, so that the time tells no name.
        sessions = await self._sessions.of_operator(_NOBODY if operator is None else operator.id)
        place = f"@{source}" if any(source_of(one.address or "") == source for one in sessions) else ""
        return self._digests(f"name:{folded(name)}{place}", f"address:{source}")

    def _digests(self, *subjects: str) -> list[bytes]:
        # Only a hash is kept: people type passphrases into the wrong field.
        return [self._cipher.digest(Secret(subject), purpose=TRIES_PURPOSE) for subject in subjects]


def source_of(address: str) -> str:
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
