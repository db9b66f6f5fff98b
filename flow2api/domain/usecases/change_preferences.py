"""Lets operators have the console as they like it."""

from dataclasses import asdict

from flow2api.domain.audit import AuditAction, AuditEntry, differences
from flow2api.domain.ports.storage import Operators
from flow2api.domain.ports.system import Clock
from flow2api.domain.preferences import Preferences
from flow2api.domain.visitor import SignedIn, Visitor


class ChangePreferences:
    """The preferences of who is signed in; they come along with the operator of every session."""

    def __init__(self, operators: Operators, clock: Clock) -> None:
        self._operators = operators
        self._clock = clock

    async def __call__(self, here: SignedIn, preferences: Preferences, visitor: Visitor) -> Preferences:
        """Take these from the next request on; the same ones change nothing."""
        operator = here.operator
        if preferences != operator.preferences:
            entry = AuditEntry(
                at=self._clock.now(),
                actor=visitor.acting(operator.name, operator.id),
                action=AuditAction.PREFERENCES_CHANGED,
                subject=str(operator.id),
                details=differences(asdict(operator.preferences), asdict(preferences)),
            )
            await self._operators.prefer(operator.id, preferences, entry)
        return preferences
