"""Brings everything over from the old server's file, once or again."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

from flow2api.domain.audit import Actor
from flow2api.domain.legacy import (
    LegacyAccount,
    LegacyFigures,
    LegacyLogLine,
    LegacyProject,
    LegacyReport,
    LegacyTask,
    TableReport,
)
from flow2api.domain.ports.legacy import Inheritance, LegacyFile
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.storage import Accounts, CredentialVault
from flow2api.domain.ports.system import Clock
from flow2api.domain.request_log import LoggedRequest
from flow2api.domain.usecases.inherit_accounts import Heir, InheritAccounts, newest_projects
from flow2api.domain.usecases.inherit_records import generation_of, log_line_of, totals_of
from flow2api.domain.usecases.inherit_settings import SETTINGS_TABLES, InheritSettings

T = TypeVar("T")

Progress = Callable[[str, int, int], None]

TABLES = ("tokens", "projects", "token_stats", "tasks", "request_logs")
_DAMAGED = "The row is damaged."
_NOBODYS = "It belongs to an account that was not brought over."


class ImportLegacy:
    """Reads the old server's file in its order: settings, accounts with their projects, statistics, tasks, log.

    What is here already stays as it is, so that a second run brings only what is new.
    """

    def __init__(
        self,
        accounts: Accounts,
        vault: CredentialVault,
        inheritance: Inheritance,
        cipher: Cipher,
        clock: Clock,
        *,
        log_kept: timedelta | None = None,
        actor: Actor | None = None,
        settings: InheritSettings | None = None,
    ) -> None:
        """Args:
        log_kept: How long log entries are kept here; older ones are not brought over. None brings all.
        actor: Who does it; accounts and their audit entries are written in one step.
        settings: Takes over settings; None leaves them behind.
        """
        self._inherit = InheritAccounts(accounts, vault, clock, actor)
        self._inheritance = inheritance
        self._cipher = cipher
        self._clock = clock
        self._log_kept = log_kept
        self._settings = settings

    async def __call__(self, file: LegacyFile, on_progress: Progress = lambda table, done, total: None) -> LegacyReport:
        """Bring over what the file has.

        Args:
            on_progress: Told the table, how many of its rows are done, and how many it has.

        Raises:
            UnsupportedInputError: The file cannot be read any further; what came before is brought over.
        """
        counts = await file.counts()
        reports = {table: TableReport(rows=counts.get(table, 0)) for table in TABLES}

        async def watched(table: str, batches: AsyncIterator[Sequence[T | None]]) -> AsyncIterator[Sequence[T | None]]:
            done = 0
            async for batch in batches:
                yield batch
                done += len(batch)
                on_progress(table, done, max(done, counts.get(table, 0)))

        settings_notes: Sequence[str] = ()
        if self._settings is not None:
            reports |= {table: TableReport(rows=counts[table]) for table in SETTINGS_TABLES if table in counts}
            # Before the accounts: a running server calls with them at once, and by the right proxy.
            settings_notes = await self._settings(await file.settings(), reports)
        projects = await _whole(watched("projects", file.projects()), reports["projects"])
        rows = [row async for batch in watched("tokens", file.accounts()) for row in batch]
        heirs, notes = await self._inherit(rows, projects, reports["tokens"])
        by_number = {row.number: row for row in rows if row is not None}
        _judge_projects(projects, by_number, heirs, reports["projects"])
        await self._take_figures(watched("token_stats", file.figures()), heirs, reports["token_stats"])
        await self._take_tasks(watched("tasks", file.tasks()), heirs, reports["tasks"])
        await self._take_log(watched("request_logs", file.log()), heirs, reports["request_logs"])
        return LegacyReport(reports, (*notes, *settings_notes, *_left_behind(counts, reports)))

    async def _take_figures(
        self, batches: AsyncIterator[Sequence[LegacyFigures | None]], heirs: Mapping[int, Heir], report: TableReport
    ) -> None:
        kept = []
        for one in await _whole(batches, report):
            if one.account in heirs:
                kept.append(one)
            else:
                report.skip(_NOBODYS, one.account)
        await self._inheritance.set_totals(totals_of(kept, heirs))
        report.added = len(kept)

    async def _take_tasks(
        self, batches: AsyncIterator[Sequence[LegacyTask | None]], heirs: Mapping[int, Heir], report: TableReport
    ) -> None:
        now = self._clock.now()
        async for batch in batches:
            tasks = [task for task in batch if task is not None]
            if len(tasks) < len(batch):
                report.skip(_DAMAGED, None, len(batch) - len(tasks))
            made = [generation_of(task, heirs, self._cipher, now) for task in tasks]
            added = await self._inheritance.add_generations(made)
            report.added += added
            report.known += len(tasks) - added

    async def _take_log(
        self, batches: AsyncIterator[Sequence[LegacyLogLine | None]], heirs: Mapping[int, Heir], report: TableReport
    ) -> None:
        oldest = None if self._log_kept is None else self._clock.now() - self._log_kept
        async for batch in batches:
            lines: list[LoggedRequest] = []
            for line in batch:
                if line is None:
                    report.skip(_DAMAGED, None)
                elif line.at is None:
                    report.skip("It does not say when it was.", line.number)
                elif oldest is not None and line.at < oldest:
                    report.skip("It is older than the log is kept here.", line.number)
                else:
                    lines.append(log_line_of(line, heirs, line.at))
            added = await self._inheritance.add_log(lines)
            report.added += added
            report.known += len(lines) - added


async def _whole(batches: AsyncIterator[Sequence[T | None]], report: TableReport) -> list[T]:
    """Every row but the damaged ones, which are counted."""
    kept: list[T] = []
    async for batch in batches:
        good = [row for row in batch if row is not None]
        if len(good) < len(batch):
            report.skip(_DAMAGED, None, len(batch) - len(good))
        kept += good
    return kept


def _judge_projects(
    projects: Sequence[LegacyProject],
    rows: Mapping[int, LegacyAccount],
    heirs: Mapping[int, Heir],
    report: TableReport,
) -> None:
    """Count the projects that accounts go on with."""
    newest = newest_projects(projects)
    for project in projects:
        row = rows.get(project.account)
        if row is None or project.account not in heirs:
            report.skip(_NOBODYS, project.workspace)
        elif project.workspace == (row.workspace or newest.get(project.account)):
            report.added += 1
        else:
            report.skip("An account goes on with one project here: the current one.", project.workspace)


def _left_behind(counts: Mapping[str, int], reports: Mapping[str, TableReport]) -> Sequence[str]:
    """What is in the file and is not brought over, so that nobody waits for it."""
    others = [table for table in counts if table not in reports]
    told = [f"Not brought over: {', '.join(others)}. Set options here anew."] if others else []
    if "admin_config" in counts:
        told.append(
            "The administrator and the API key of the old server don't come: make operators and keys here anew."
        )
    return told
