"""How long a session is good for what."""

from datetime import UTC, datetime, timedelta

import pytest

from flow2api.domain.errors import SessionTooOldError
from flow2api.domain.session import FRESH_FOR, LONGEST_SESSION, OperatorSession

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "is_fresh"),
    [(timedelta(0), True), (FRESH_FOR, True), (FRESH_FOR + timedelta(seconds=1), False), (timedelta(days=1), False)],
)
def test_session_is_fresh_a_short_while_after_its_beginning_whatever_was_done_since(
    age: timedelta, is_fresh: bool
) -> None:
    session = OperatorSession(
        id="ses_1",
        digest=b"digest",
        operator_id=1,
        stamp="s",
        created_at=NOW - age,
        seen_at=NOW,
        expires_at=NOW + LONGEST_SESSION,
    )

    assert session.is_fresh(NOW) is is_fresh


def test_session_that_is_too_old_is_told_what_to_do() -> None:
    assert f"{FRESH_FOR.total_seconds() / 60:.0f} minutes" in SessionTooOldError().message
