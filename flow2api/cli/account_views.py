"""Accounts as tables."""

from collections.abc import Iterable

from flow2api.cli.output import print_table
from flow2api.documents.accounts import AccountView
from flow2api.domain.account import AccountStatus


def print_accounts(accounts: Iterable[AccountView]) -> None:
    """Print a table of accounts."""
    print_table(
        (
            "ID",
            "NAME",
            "UPSTREAM",
            "E-MAIL",
            "STATUS",
            "WHY",
            "TIER",
            "CREDITS",
            "IMAGES",
            "VIDEOS",
            "TAGS",
            "TOKEN UNTIL",
        ),
        [
            (
                one.id,
                one.name,
                one.upstream,
                one.email,
                one.status.replace("_", " "),
                _why(one),
                one.tier,
                one.credits,
                _slots(one.image_slots),
                _slots(one.video_slots),
                one.tags,
                one.access_expires_at,
            )
            for one in accounts
        ],
        empty="There are no accounts; `flow2api accounts add` or `flow2api accounts import` brings some.",
    )


def _why(one: AccountView) -> str | None:
    if one.reason is None:
        return None if one.is_warm or one.status != AccountStatus.ACTIVE else "warming"
    told = one.reason.replace("_", " ")
    told += f" of {one.call}s" if one.call is not None else ""
    told += f" until {one.until:%m-%d %H:%M}" if one.until is not None else ""
    return f"{told}: {one.why}" if one.why else told


def _slots(slots: int | None) -> str:
    return "any" if slots is None else "off" if slots == 0 else str(slots)
