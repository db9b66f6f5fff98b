"""``flow2api audit``."""

import asyncio
from collections.abc import Sequence
from typing import Any

import click
import msgspec

from flow2api.cli.context import Installation, json_option, opened_storage, with_installation
from flow2api.cli.output import print_json, print_table
from flow2api.cli.tables import printable
from flow2api.documents.audit import audit_view
from flow2api.domain.audit import AuditEntry, AuditFilter
from flow2api.domain.usecases.read_audit_log import ReadAuditLog


@click.command()
@click.option("--action", help="Only what begins so, such as account or operator.sign_in_refused.")
@click.option("--actor", help="Only what this operator did, by name.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many at most.")
@json_option
@with_installation
def audit(here: Installation, action: str | None, actor: str | None, limit: int, as_json: bool) -> None:
    """Show what operators did, and who tried to sign in, newest first. It is never changed and holds no secret.

    JSON: {"entries": [{"number": 1, "at": "...", "actor": "ada", "action": "account.added", ...}]}.
    """
    entries = [audit_view(one) for one in asyncio.run(_read(here, action or "", actor, limit))]
    if as_json:
        print_json({"entries": entries})
        return
    print_table(
        ("NUMBER", "AT", "WHO", "DOOR", "ADDRESS", "ACTION", "SUBJECT", "DETAILS"),
        [
            (one.number, one.at, one.actor, one.door, one.address, one.action, one.subject, _text(one.details))
            for one in entries
        ],
        empty="The audit log has no such entry.",
    )


async def _read(here: Installation, action: str, actor: str | None, limit: int) -> Sequence[AuditEntry]:
    found: list[AuditEntry] = []
    wanted = AuditFilter(action=action or None, actor=actor)
    async with opened_storage(here) as (storage, _):
        read = ReadAuditLog(storage.audit_log)
        while len(found) < limit:
            before = found[-1].number if found else None
            page = await read.page(wanted, before=before, limit=limit - len(found))
            found += page.items
            if not page.has_more:
                break
    return found


def _text(details: dict[str, Any]) -> str:
    return printable(msgspec.json.encode(details).decode()) if details else ""
