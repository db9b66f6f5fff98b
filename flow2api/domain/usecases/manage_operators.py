"""Makes operators, and gives them new passphrases."""

import contextlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

from flow2api.domain.audit import AuditEntry, differences
from flow2api.domain.errors import ChangedMeanwhileError, ConflictError, NotKnownError, UnsupportedInputError
from flow2api.domain.operator import Operator, Role, folded
from flow2api.domain.passphrase_strength import LEAST_GUESSES, PassphraseStrength, strength_of
from flow2api.domain.ports.secrets import PassphraseMeter, Passphrases
from flow2api.domain.ports.storage import Operators
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret

DEFAULT_NAME = "operator"

SHORTEST_PASSPHRASE = 12
LONGEST_PASSPHRASE = 128

_LONGEST_NAME = 64
_STAMP_BYTES = 16
_NEAR = ("flow2api", "admin", "owner", "correct horse battery staple", "correcthorsebatterystaple", "tr0ub4dour&3")
"""What people here would try first: the program's own words, and passphrases that stand as samples in many texts."""


class ManageOperators:
    """What is done with operators, by themselves or on the server's machine."""

    def __init__(self, operators: Operators, passphrases: Passphrases, meter: PassphraseMeter, clock: Clock) -> None:
        self._operators = operators
        self._passphrases = passphrases
        self._meter = meter
        self._clock = clock

    async def all(self) -> Sequence[Operator]:
        """Every operator, oldest first."""
        return await self._operators.all()

    async def create(
        self, name: str, passphrase: Secret, role: Role = Role.OPERATOR, audit: AuditEntry | None = None
    ) -> Operator:
        """A new operator. The first of all is the owner, whatever the role says.

        Raises:
            UnsupportedInputError: The name or the passphrase breaks a rule.
            ConflictError: Another operator has this name.
        """
        operator = await self._new(name, passphrase, role)
        if not await self._operators.all():
            with contextlib.suppress(ConflictError):  # somebody else was first in this moment
                return await self._operators.add_first(replace(operator, role=Role.OWNER), audit)
        return await self._operators.add(operator, audit)

    async def create_first(self, name: str, passphrase: Secret, audit: AuditEntry | None = None) -> Operator:
        """The owner, as long as there is no operator.

        Raises:
            UnsupportedInputError: The name or the passphrase breaks a rule.
            ConflictError: There is an operator.
        """
        return await self._operators.add_first(await self._new(name, passphrase, Role.OWNER), audit)

    async def reset(self, which: str | None, passphrase: Secret, audit: AuditEntry | None = None) -> Operator:
        """Give the operator of this name or id a new passphrase and a new stamp, which ends every session.

        Args:
            which: None takes the only one.

        Raises:
            UnsupportedInputError: The passphrase breaks a rule.
            ChangedMeanwhileError: Somebody else has changed him while the passphrase was hashed.
            ConflictError: There is no such operator, or more than one to choose from.
        """
        operator = self._chosen(await self._operators.all(), which)
        return await self.renew(operator, passphrase, audit=_about(operator, audit))

    async def set_role(
        self, which: str, role: Role, audit: AuditEntry | None = None, *, former: Role | None = None
    ) -> Operator:
        """Give the operator of this name or id another role; his sessions go on under it.

        Args:
            former: The role that was seen when this one was chosen; None for whichever it is.

        Raises:
            ChangedMeanwhileError: Somebody else has changed him meanwhile; nothing was changed here.
            ConflictError: There is no such operator, or nobody would own the server any more.
        """
        operator = self._chosen(await self._operators.all(), which)
        if operator.role is role:
            return operator
        if former is not None and operator.role is not former:
            raise ChangedMeanwhileError(("role",))
        changed = replace(operator, role=role)
        details = differences({"role": operator.role.value}, {"role": role.value})
        await self._operators.save(changed, _about(operator, audit, details), former=operator)
        return changed

    async def sign_out(self, which: str, audit: AuditEntry | None = None) -> Operator:
        """End every session of the operator of this name or id; the passphrase stays.

        Raises:
            ChangedMeanwhileError: Somebody else has changed him in the same moment.
            ConflictError: There is no such operator.
        """
        operator = self._chosen(await self._operators.all(), which)
        changed = replace(operator, stamp=_new_stamp())
        await self._operators.save(changed, _about(operator, audit), former=operator)
        return changed

    async def remove(self, which: str, audit: AuditEntry | None = None) -> Operator:
        """Forget the operator of this name or id; his sessions end with it.

        Raises:
            ConflictError: There is no such operator, or nobody would own the server any more.
        """
        operator = self._chosen(await self._operators.all(), which)
        details = {"name": operator.name, "role": operator.role.value}
        await self._operators.remove(operator.id, _about(operator, audit, details))
        return operator

    async def named(self, which: str | None) -> Operator:
        """The operator with this name or id; None takes the only one.

        Raises:
            NotKnownError: There is none.
            ConflictError: There is more than one to choose from.
        """
        return self._chosen(await self._operators.all(), which)

    async def strength(self, passphrase: Secret, name: str) -> PassphraseStrength:
        """How well this would do as the passphrase of an operator of this name; nothing is changed."""
        length = len(passphrase)
        if not SHORTEST_PASSPHRASE <= length <= LONGEST_PASSPHRASE:
            return PassphraseStrength.TOO_SHORT if length < SHORTEST_PASSPHRASE else PassphraseStrength.TOO_LONG
        return strength_of(await self._meter.guesses(passphrase, near=(name[:_LONGEST_NAME], *_NEAR)))

    async def renew(
        self, operator: Operator, passphrase: Secret, *, name: str | None = None, audit: AuditEntry | None = None
    ) -> Operator:
        """The operator under a new passphrase and stamp, and under another name if one is given.

        Raises:
            UnsupportedInputError: The name or the passphrase breaks a rule.
            ChangedMeanwhileError: The operator is not any more as he was given here.
            ConflictError: Another operator has this name.
        """
        name = operator.name if name is None else _checked(name)
        changed = replace(
            operator,
            name=name,
            passphrase_hash=await self._hashed(passphrase, name),
            stamp=_new_stamp(),
            passphrase_changed_at=self._clock.now(),
        )
        await self._operators.save(changed, audit, former=operator)
        return changed

    async def _new(self, name: str, passphrase: Secret, role: Role) -> Operator:
        name = _checked(name)
        hashed = await self._hashed(passphrase, name)
        now = self._clock.now()
        return Operator(
            id=0,
            name=name,
            role=role,
            passphrase_hash=hashed,
            stamp=_new_stamp(),
            created_at=now,
            passphrase_changed_at=now,
        )

    async def _hashed(self, passphrase: Secret, name: str) -> Secret:
        if not SHORTEST_PASSPHRASE <= len(passphrase) <= LONGEST_PASSPHRASE:
            raise UnsupportedInputError(
                f"A passphrase has {SHORTEST_PASSPHRASE} to {LONGEST_PASSPHRASE} characters.", param="passphrase"
            )
        if await self._meter.guesses(passphrase, near=(name, *_NEAR)) < LEAST_GUESSES:
            raise UnsupportedInputError(
                "The passphrase is among the first that would be tried. "
                "Take several words that have nothing to do with each other, or characters of chance.",
                param="passphrase",
            )
        return await self._passphrases.hash(passphrase)

    @staticmethod
    def _chosen(operators: Sequence[Operator], which: str | None) -> Operator:
        if not operators:
            raise ConflictError("There is no operator yet; `flow2api operator create` makes one.")
        if which is None:
            if len(operators) > 1:
                raise ConflictError("There are several operators; say the name or the id of one.")
            return operators[0]
        for operator in operators:
            if which == str(operator.id) or folded(which) == folded(operator.name):
                return operator
        raise NotKnownError(f"There is no operator {which[:_LONGEST_NAME]!r}; `flow2api operator list` shows them.")


def _about(
    operator: Operator, audit: AuditEntry | None, details: Mapping[str, object] | None = None
) -> AuditEntry | None:
    return None if audit is None else replace(audit, subject=str(operator.id), details=details or audit.details)


def _checked(name: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise UnsupportedInputError(f"An operator's name has 1 to {_LONGEST_NAME} printable characters.", param="name")
    if name.isdecimal():
        raise UnsupportedInputError("An operator's name cannot be a number alone, for ids are numbers.", param="name")
    return name


def _new_stamp() -> str:
    return secrets.token_urlsafe(_STAMP_BYTES)
