"""Options that an operator has set."""

from collections.abc import Mapping
from typing import Protocol

from flow2api.domain.audit import AuditEntry


class OptionValues(Protocol):
    """Options that an operator has set, by name, as JSON values."""

    async def read(self) -> Mapping[str, object]:
        """Everything that differs from the defaults."""
        ...

    async def write(self, values: Mapping[str, object], who: str, audit: AuditEntry | None = None) -> None:
        """Set these options (None: back to the default), keep who did it, and note the change in the feed."""
        ...
