"""Operators as JSON."""

from datetime import datetime

import msgspec

from flow2api.domain.operator import Operator


class OperatorView(msgspec.Struct, frozen=True, kw_only=True):
    """An operator.

    Attributes:
        role: ``owner``, ``operator`` or ``viewer``.
    """

    id: int
    name: str
    role: str
    created_at: datetime
    passphrase_changed_at: datetime


def operator_view(one: Operator) -> OperatorView:
    """An operator as it is shown."""
    return OperatorView(
        id=one.id,
        name=one.name,
        role=one.role.value,
        created_at=one.created_at,
        passphrase_changed_at=one.passphrase_changed_at,
    )
