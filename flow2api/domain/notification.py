"""Where operators are written to, and what the messages say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flow2api.domain.notices import Notice
from flow2api.domain.secret import Secret

LINES = 10
"""More notices than this are counted by kind, with a few of each."""

_OF_EACH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyTarget:
    """One place where operators read messages.

    Attributes:
        id: 0 before it is stored.
        service: What kind of place it is, such as ``Telegram``.
        url: Says where and as whom; the whole of it is a secret.
        sent_at: When a message last got there.
        failed_at: When one last did not.
        error: Why it did not, for people; empty once one got there again.
    """

    id: int
    name: str
    service: str
    url: Secret
    created_at: datetime
    sent_at: datetime | None = None
    failed_at: datetime | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class LastTold:
    """What operators were told of a thing last.

    Attributes:
        news: What it was, in the words of `Notice.news`.
    """

    news: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """What an operator reads."""

    title: str
    text: str


def message_of(notices: Sequence[Notice], left_out: int = 0) -> Message:
    """One message for everything that there is to tell.

    Args:
        notices: At least one.
        left_out: How many more there were that could not be held.
    """
    troubles = sum(notice.kind.is_trouble for notice in notices) + left_out
    if len(notices) == 1 and not left_out:
        return Message("flow2api: care is needed" if troubles else "flow2api: well again", notices[0].sentence)
    title = f"flow2api: {len(notices) + left_out} things changed" + (f", {troubles} need care" if troubles else "")
    if len(notices) <= LINES:
        lines = [f"- {notice.sentence}" for notice in _worst_first(notices)]
    else:
        lines = [line for kind_lines in _by_kind(notices) for line in kind_lines]
    if left_out:
        lines.append(f"{left_out} more were too many to be listed.")
    return Message(title, "\n".join(lines))


def _worst_first(notices: Sequence[Notice]) -> list[Notice]:
    return sorted(notices, key=lambda notice: (not notice.kind.is_trouble, notice.at))


def _by_kind(notices: Sequence[Notice]) -> list[list[str]]:
    groups: dict[str, list[Notice]] = {}
    for notice in _worst_first(notices):
        groups.setdefault(notice.kind.value, []).append(notice)
    return [
        [
            f"{kind}: {len(group)}",
            *(f"- {notice.sentence}" for notice in group[:_OF_EACH]),
            *([f"- and {len(group) - _OF_EACH} more"] if len(group) > _OF_EACH else []),
        ]
        for kind, group in groups.items()
    ]
