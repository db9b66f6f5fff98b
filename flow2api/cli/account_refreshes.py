"""``flow2api accounts refresh``."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click
import msgspec

from flow2api.cli.context import Installation, json_option, opened_services, with_installation
from flow2api.cli.failures import EXIT_FAILED
from flow2api.cli.output import print_json, print_table, progress
from flow2api.cli.whoever import whoever
from flow2api.domain.account import Account
from flow2api.domain.audit import AuditAction, AuditEntry
from flow2api.domain.errors import Flow2ApiError
from flow2api.domain.usecases.manage_accounts import ManageAccounts
from flow2api.domain.usecases.refresh_account import why_left_alone

if TYPE_CHECKING:
    from flow2api.app import Services


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one account.

    Attributes:
        outcome: ``refreshed``, ``skipped`` or ``failed``.
        problem: Why it was skipped or failed, and what to do; null when it was refreshed.
    """

    id: int
    name: str
    email: str | None
    outcome: str
    problem: str | None
    tier: str | None
    credits: int | None
    access_expires_at: datetime | None


@click.command()
@click.argument("which", required=False)
@click.option("--all", "every", is_flag=True, help="Refresh every account that is not switched off or ended.")
@json_option
@with_installation
def refresh(here: Installation, which: str | None, every: bool, as_json: bool) -> None:
    """Ask the upstream now: a fresh access token, plan and credits, and a workspace where one is missing.

    The exit code is 1 if one failed, or if the very account that you named had to be skipped.

    JSON: {"accounts": [{"id": 1, "outcome": "refreshed", ...}]}.
    """
    if (which is None) is not every:
        raise click.UsageError("Name one account, or say --all.")
    outcomes = asyncio.run(_refresh(here, which))
    if as_json:
        print_json({"accounts": outcomes})
    else:
        print_table(
            ("ID", "NAME", "E-MAIL", "OUTCOME", "TIER", "CREDITS", "TOKEN UNTIL", "PROBLEM"),
            [
                (one.id, one.name, one.email, one.outcome, one.tier, one.credits, one.access_expires_at, one.problem)
                for one in outcomes
            ],
            empty="There are no accounts.",
        )
    if any(one.outcome == "failed" or (which and one.outcome == "skipped") for one in outcomes):
        sys.exit(EXIT_FAILED)


async def _refresh(here: Installation, which: str | None) -> Sequence[Outcome]:
    async with opened_services(here) as services:
        manage = ManageAccounts(services.storage.accounts, services.storage.vault, services.clock)
        chosen = await manage.all() if which is None else [await manage.find(which)]
        await _note(services, None if which is None else chosen[0])
        for account in chosen:
            services.pool.put(account)
        limit, done = asyncio.Semaphore(max(1, services.options().renewals_at_once)), 0
        with progress("Refreshed", len(chosen)) as show:

            async def one_by_one(account: Account) -> Outcome:
                nonlocal done
                async with limit:
                    outcome = await _warm(services, account)
                done += 1
                show(done)
                return outcome

            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one_by_one(account)) for account in chosen]
        return [task.result() for task in tasks]


async def _note(services: "Services", account: Account | None) -> None:
    """Put down that this account, or every one, is to be refreshed."""
    subject = None if account is None else str(account.id)
    entry = AuditEntry(
        at=services.clock.now(), actor=whoever(), action=AuditAction.RENEWAL_ASKED, subject=subject, details={}
    )
    await services.storage.audit_log.note(entry)


async def _warm(services: "Services", account: Account) -> Outcome:
    problem = why_left_alone(account)
    if problem is not None:
        return _outcome(account, "skipped", problem)
    try:
        return _outcome(await services.refresh(account.id), "refreshed")
    except Flow2ApiError as error:
        return _outcome(services.pool.get(account.id) or account, "failed", error.message)


def _outcome(account: Account, outcome: str, problem: str | None = None) -> Outcome:
    return Outcome(
        id=account.id,
        name=account.name,
        email=account.email,
        outcome=outcome,
        problem=problem,
        tier=None if account.tier is None else account.tier.name.lower(),
        credits=account.credits,
        access_expires_at=account.access_expires_at,
    )
