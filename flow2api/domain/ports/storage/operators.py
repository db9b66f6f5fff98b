"""Who may sign in."""

from collections.abc import Sequence
from typing import Protocol

from flow2api.domain.audit import AuditEntry
from flow2api.domain.operator import Operator
from flow2api.domain.preferences import Preferences


class Operators(Protocol):
    """Who may sign in. Two names are the same when they are so in their folded form."""

    async def all(self) -> Sequence[Operator]:
        """Every operator, oldest first."""
        ...

    async def get(self, operator_id: int) -> Operator | None:
        """One operator as the database has it now."""
        ...

    async def find(self, name: str) -> Operator | None:
        """The operator of this name."""
        ...

    async def add(self, operator: Operator, audit: AuditEntry | None = None) -> Operator:
        """Store a new operator; its ``id`` (0 before) is filled in.

        Raises:
            ConflictError: Another operator has this name.
        """
        ...

    async def add_first(self, operator: Operator, audit: AuditEntry | None = None) -> Operator:
        """Store the operator if there is none yet, in one step: of several at once, one succeeds.

        Raises:
            ConflictError: There is one already.
        """
        ...

    async def save(
        self, operator: Operator, audit: AuditEntry | None = None, *, former: Operator | None = None
    ) -> None:
        """Write the operator over what is there, but for his preferences, and note the change in the feed.

        Args:
            former: The operator as he was when the change was thought of, so that it undoes none that came between; None
                writes over whatever is there.

        Raises:
            ChangedMeanwhileError: He is not as `former` any more; nothing was written.
            ConflictError: Another operator has this name, or nobody would own the server any more.
        """
        ...

    async def prefer(self, operator_id: int, preferences: Preferences, audit: AuditEntry | None = None) -> None:
        """Write the operator's preferences and nothing else of him; one who is not there is no fault."""
        ...

    async def remove(self, operator_id: int, audit: AuditEntry | None = None) -> None:
        """Forget the operator and every session of his; one who is not there is no fault. Noted in the feed.

        Raises:
            ConflictError: Nobody would own the server any more.
        """
        ...
