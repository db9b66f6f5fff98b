"""The audit log for operators, page by page and as a file."""

from collections.abc import AsyncIterator
from dataclasses import replace

from flow2api.domain.audit import AuditEntry, AuditFilter
from flow2api.domain.audit_file import as_csv, as_json_line, csv_head
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.storage import Page
from flow2api.domain.request_log import FileForm

LARGEST_PAGE = 500
LONGEST_TEXT = 256


class ReadAuditLog:
    """Reads from the newest entry on; it changes nothing, for nothing may."""

    def __init__(self, audit_log: AuditLog) -> None:
        self._audit_log = audit_log

    async def page(self, wanted: AuditFilter, *, before: int | None = None, limit: int = 50) -> Page[AuditEntry]:
        """Entries with smaller numbers than ``before`` (None: the newest ones), newest first.

        Args:
            limit: How many, 500 at most.

        Raises:
            UnsupportedInputError: The filter asks for what cannot be.
        """
        wanted = checked(wanted)
        limit = min(max(limit, 1), LARGEST_PAGE)
        found = await self._audit_log.page(before=before, limit=limit + 1, wanted=wanted)
        return Page(tuple(found[:limit]), has_more=len(found) > limit)

    async def export(self, wanted: AuditFilter, form: FileForm) -> AsyncIterator[str]:
        """The entries as a file, newest first, in pieces.

        Raises:
            UnsupportedInputError: The filter asks for what cannot be.
        """
        wanted = checked(wanted)
        written = as_csv if form == "csv" else as_json_line
        if form == "csv":
            yield csv_head()
        before: int | None = None
        while entries := await self._audit_log.page(before=before, limit=LARGEST_PAGE, wanted=wanted):
            yield "".join(map(written, entries))
            before = entries[-1].number


def checked(wanted: AuditFilter) -> AuditFilter:
    """The filter, its texts without what stands around them; an empty one filters nothing.

    Raises:
        UnsupportedInputError: Its span ends before it begins, or a text is too long.
    """
    if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
        raise UnsupportedInputError("The span ends before it begins; exchange its ends.", param="until")
    for name, text in (("action", wanted.action), ("actor", wanted.actor), ("subject", wanted.subject)):
        if text is not None and len(text) > LONGEST_TEXT:
            raise UnsupportedInputError(f"It has no more than {LONGEST_TEXT} characters.", param=name)
    return replace(wanted, action=_text(wanted.action), actor=_text(wanted.actor), subject=_text(wanted.subject))


def _text(text: str | None) -> str | None:
    return (text or "").strip() or None
