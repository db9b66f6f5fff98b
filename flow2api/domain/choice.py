"""What is written down of how an account was chosen."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Choice:
    """Why this account serves a generation.

    Attributes:
        policy: Name of the selection policy.
        ready: How many accounts could have served at that moment.
        refused: How many could not, by reason.
        why: Why the winner won, as one clause.
        position: Its place in the waiting line when it joined, from 1; 0 when it did not wait.
        waited_ms: How long it waited for its turn.
    """

    policy: str
    ready: int
    refused: Mapping[str, int] = field(default_factory=dict)
    why: str = ""
    position: int = 0
    waited_ms: int = 0
