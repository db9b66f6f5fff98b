"""Forgetting what nobody will ask for any more, some records at a time."""

from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from flow2api.domain.throttle import FORGOTTEN_AFTER, Tries
from flow2api_lmdb.keys import Key
from flow2api_lmdb.schema import CHANGES, CLAIMS, OPERATORS, SESSIONS, SIGN_IN_TRIES, TOLD
from flow2api_lmdb.slices import first
from flow2api_lmdb.tables import Step, Table

AT_ONCE = 1_000
CHANGES_KEPT = timedelta(days=7)
NEWS_KEPT = timedelta(days=30)


def forget_old(step: Step, now: datetime) -> bool:
    """Delete old changes and news, and claims, sessions and tries that have ended.

    Returns:
        Whether there may be more.
    """
    stamps = {operator.stamp for operator in step.scan(OPERATORS)}
    sessions = (one for one in step.scan(SESSIONS) if not one.is_alive(now) or one.stamp not in stamps)
    tries = (one for one in step.scan(SIGN_IN_TRIES) if _is_forgotten(one.tries, now))
    changes = takewhile(lambda one: one.at < now - CHANGES_KEPT, step.scan(CHANGES))
    claims = step.by(CLAIMS, "expiry", before=(now + timedelta(microseconds=1),))
    told = (one for one in step.scan(TOLD) if one.last.at < now - NEWS_KEPT)
    gone: list[list[tuple[Table[Any], Key]]] = [
        [(SESSIONS, (one.digest,)) for one in first(AT_ONCE, sessions)],
        [(SIGN_IN_TRIES, (one.subject,)) for one in first(AT_ONCE, tries)],
        [(CHANGES, (one.number,)) for one in first(AT_ONCE, changes)],
        [(CLAIMS, (one.key_id, one.idempotency_key)) for one in first(AT_ONCE, claims)],
        [(TOLD, (one.about,)) for one in first(AT_ONCE, told)],
    ]
    for each in gone:
        for table, key in each:
            step.delete(table, *key)
    return any(len(each) == AT_ONCE for each in gone)


def _is_forgotten(tries: Tries, now: datetime) -> bool:
    return tries.blocked_until is not None and tries.blocked_until < now - FORGOTTEN_AFTER
