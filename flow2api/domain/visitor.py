"""Who comes to the doors of operators."""

from dataclasses import dataclass

from flow2api.domain.audit import Actor
from flow2api.domain.operator import Operator
from flow2api.domain.session import OperatorSession


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
