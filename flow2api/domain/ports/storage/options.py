"""Options that an operator has set."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from flow2api.domain.audit import AuditEntry


class OptionValues(Protocol):
    """Options that an operator has set, by name, as JSON values."""

    async def read(self) -> Mapping[str, object]:
        """Everything that differs from the defaults."""
        ...

    async def write(
        self,
        values: Mapping[str, object],
        who: str,
        audit: AuditEntry | None = None,
        *,
        known: Mapping[str, object] | None = None,
    ) -> None:
        """Set these options (None: back to the default), keep who did it, and note the change in the feed.

        Args:
            known: What was read of these options before, as `read` tells it; None writes whatever stands there now.

        Raises:
            ChangedMeanwhileError: One of them is not as it was read; nothing is written.
        """
        ...


@runtime_checkable
class PeeksOptions(Protocol):
    """A storage that can tell the options before it is opened: they say which plugins are to be loaded.

    A storage may offer this; one that does not is opened and closed once more for it.
    """

    def peek_options(self) -> Mapping[str, object]:
        """What `OptionValues.read` would tell; nothing when there is no database yet. Nothing is made or changed.

        Raises:
            StorageError: It cannot be read.
        """
        ...
