"""The change feed, and the options that operators have set."""

from collections.abc import Iterable, Mapping, Sequence

from flow2api.domain.audit import AuditEntry
from flow2api.domain.errors import ChangedMeanwhileError
from flow2api.domain.ports.storage import Change
from flow2api_lmdb.engine import Engine
from flow2api_lmdb.noting import OPTIONS as CHANGED_OPTIONS
from flow2api_lmdb.noting import note_audit, note_changes
from flow2api_lmdb.schema import CHANGES, OPTIONS, SetOption
from flow2api_lmdb.slices import first
from flow2api_lmdb.tables import Step


class LmdbChangeFeed:
    """Entries by their number."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def latest(self) -> int:
        return await self._engine.read(lambda step: step.last_number("change"))

    async def since(self, number: int, limit: int = 1000) -> Sequence[Change]:
        noted = await self._engine.read(lambda step: first(limit, step.scan(CHANGES, after=(number,))))
        return [Change(one.number, one.what, one.id, one.origin == self._engine.origin) for one in noted]


class LmdbOptionValues:
    """Options by name."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def read(self) -> Mapping[str, object]:
        return await self._engine.read(lambda step: {option.name: option.value for option in step.scan(OPTIONS)})

    async def write(
        self,
        values: Mapping[str, object],
        who: str,
        audit: AuditEntry | None = None,
        *,
        known: Mapping[str, object] | None = None,
    ) -> None:
        def work(step: Step) -> None:
            if known is not None:
                _check_unchanged(step, values, known)
            for name, value in values.items():
                if value is None:
                    step.delete(OPTIONS, name)
                else:
                    step.put(OPTIONS, (name,), SetOption(name, value, who, step.now))
            note_changes(step, CHANGED_OPTIONS, values)
            note_audit(step, audit)

        if values:
            await self._engine.write(work)


def _check_unchanged(step: Step, names: Iterable[str], known: Mapping[str, object]) -> None:
    """Refuse options that are not as they were read."""
    stored = {name: option.value for name in names if (option := step.get(OPTIONS, name)) is not None}
    changed = [name for name in names if stored.get(name) != known.get(name)]
    if changed:
        raise ChangedMeanwhileError(changed)
