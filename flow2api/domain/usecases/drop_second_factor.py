"""Helps operators in who have lost both their phone and their recovery codes."""

from dataclasses import replace

from flow2api.domain.audit import AuditEntry
from flow2api.domain.operator import Operator
from flow2api.domain.ports.second_factors import SecondFactors
from flow2api.domain.usecases.manage_operators import ManageOperators


class DropSecondFactor:
    """Takes an operator's second factor away on behalf of somebody else: an owner, or who has the machine."""

    def __init__(self, operators: ManageOperators, factors: SecondFactors) -> None:
        self._operators = operators
        self._factors = factors

    async def __call__(self, which: str | None, audit: AuditEntry) -> tuple[Operator, bool]:
        """The operator of this name or id, who needs no code any more, and whether he needed one before.

        Args:
            which: None takes the only one.

        Raises:
            ConflictError: There is no such operator, or more than one to choose from.
        """
        operator = await self._operators.named(which)
        return operator, await self._factors.remove(operator.id, replace(audit, subject=str(operator.id)))
