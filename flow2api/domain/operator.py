"""The people who run the server."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from flow2api.domain.preferences import AS_IT_COMES, Preferences
from flow2api.domain.secret import Secret


class Role(StrEnum):
    """What an operator may do; each includes what those behind it may."""

    OWNER = "owner"
    OPERATOR = "operator"
    VIEWER = "viewer"

    def includes(self, other: "Role") -> bool:
        """Whether who has this role may do what the other one may."""
        order = list(Role)
        return order.index(self) <= order.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Somebody who may sign in. The passphrase itself is kept nowhere.

    Attributes:
        passphrase_hash: What the passphrase is checked against; it names its own method and costs.
        stamp: Chance, and new with every passphrase: a session that was begun under another one has ended.
        preferences: How the console is to be for him.
    """

    id: int
    name: str
    role: Role
    passphrase_hash: Secret
    stamp: str
    created_at: datetime
    passphrase_changed_at: datetime
    preferences: Preferences = AS_IT_COMES


def changed_fields(seen: Operator, now: Operator) -> tuple[str, ...]:
    """What is different of an operator from how he was seen, as people call it; of his preferences nothing is told."""
    seen_as, is_now = _looked_at(seen), _looked_at(now)
    return tuple(name for name, value in seen_as.items() if is_now[name] != value)


def _looked_at(operator: Operator) -> dict[str, object]:
    return {
        "name": operator.name,
        "role": operator.role,
        "passphrase": operator.passphrase_hash,
        "sessions": operator.stamp,
    }


LAST_OWNER = "Somebody has to own the server; make another operator its owner first."


def folded(name: str) -> str:
    """The form of a name in which no two operators may agree: without case, and however its letters are encoded."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
