"""Forgetting what nobody will ask for any more."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, func, select

from flow2api.adapters.persistence.changes import CHANGES
from flow2api.adapters.persistence.generations import CLAIMS
from flow2api.adapters.persistence.rows.base import to_instant
from flow2api.adapters.persistence.sessions import forget_ended_sessions
from flow2api.adapters.persistence.sign_in_tries import forget_old_tries
from flow2api.adapters.persistence.told_notices import forget_old_news

CHANGES_KEPT = timedelta(days=7)

# The newest entry stays, so that the latest number never seems to go back.
_OLD_CHANGES = delete(CHANGES).where(
    CHANGES.c.at < bindparam("before"), CHANGES.c.number < select(func.max(CHANGES.c.number)).scalar_subquery()
)
_EXPIRED_CLAIMS = delete(CLAIMS).where(CLAIMS.c.expires_at <= bindparam("before"))


def forget_old(connection: Connection, now: datetime) -> None:
    """Delete old entries of the change feed, claims and sessions that have ended, old tries and news."""
    connection.execute(_OLD_CHANGES, {"before": to_instant(now - CHANGES_KEPT)})
    connection.execute(_EXPIRED_CLAIMS, {"before": to_instant(now)})
    forget_ended_sessions(connection, now)
    forget_old_tries(connection, now)
    forget_old_news(connection, now)
