"""The audit log for operators, page by page."""

from flow2api.domain.audit import AuditEntry, AuditFilter
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.storage import Page

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
        if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
            raise UnsupportedInputError("The span ends before it begins; exchange its ends.", param="until")
        for name, text in (("action", wanted.action), ("actor", wanted.actor), ("subject", wanted.subject)):
            if text is not None and len(text) > LONGEST_TEXT:
                raise UnsupportedInputError(f"It has no more than {LONGEST_TEXT} characters.", param=name)
        limit = min(max(limit, 1), LARGEST_PAGE)
        found = await self._audit_log.page(before=before, limit=limit + 1, wanted=wanted)
        return Page(tuple(found[:limit]), has_more=len(found) > limit)
