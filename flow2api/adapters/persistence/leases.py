"""Who works on which generation, and until when, by the database's own clock."""

from sqlalchemy import BindParameter, ColumnElement, Select, Update, bindparam, case, or_, select, text, update

from flow2api.adapters.persistence.rows import GenerationRow
from flow2api.adapters.persistence.rows.base import table_of
from flow2api.adapters.persistence.rows.generations import UNFINISHED

GENERATIONS = table_of(GenerationRow)


def renewing(now: ColumnElement[int]) -> Update:
    """Prolongs the leases of the owner ``by`` by ``span`` microseconds."""
    return (
        update(GENERATIONS)
        .where(GENERATIONS.c.owner == bindparam("by"), text(UNFINISHED))
        .values(lease_until=now + _span())
    )


def holding() -> Select[str]:
    """The ids of what the owner ``by`` has not finished."""
    return select(GENERATIONS.c.id).where(GENERATIONS.c.owner == bindparam("by"), text(UNFINISHED))


def releasing() -> Update:
    """Ends the leases of the owner ``by``."""
    return (
        update(GENERATIONS)
        .where(GENERATIONS.c.owner == bindparam("by"), text(UNFINISHED))
        .values(owner=None, lease_until=None)
    )


def taking_over(now: ColumnElement[int]) -> Update:
    """Gives the owner ``by`` at most ``most`` rows whose lease has run out, and returns them."""
    left: Select[tuple[int]] = (
        select(GENERATIONS.c.number)
        .where(text(UNFINISHED), or_(GENERATIONS.c.lease_until.is_(None), GENERATIONS.c.lease_until < now))
        .order_by(GENERATIONS.c.created_at, GENERATIONS.c.number)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )
    return (
        update(GENERATIONS)
        .where(GENERATIONS.c.number.in_(left))
        .values(
            owner=bindparam("by"),
            lease_until=now + _span(),
            fence=GENERATIONS.c.fence + 1,
            # An owner that released its rows stopped in order; only one that vanished may have died of this row.
            rescues=GENERATIONS.c.rescues + case((GENERATIONS.c.owner.is_(None), 0), else_=1),
        )
        .returning(GENERATIONS)
    )


def kept_lease() -> ColumnElement[int]:
    """The lease after a save: the saver's own copy may be older than the last renewal, and must not shorten it.

    The saver's owner is ``by``, the lease of its copy ``lease``.
    """
    lease = bindparam("lease", type_=GENERATIONS.c.lease_until.type)
    return case(
        ((GENERATIONS.c.owner == bindparam("by")) & (GENERATIONS.c.lease_until > lease), GENERATIONS.c.lease_until),
        else_=lease,
    )


def _span() -> BindParameter[int]:
    return bindparam("span", type_=GENERATIONS.c.lease_until.type)
