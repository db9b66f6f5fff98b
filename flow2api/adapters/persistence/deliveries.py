"""Messages to webhooks in the database: the outbox."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import msgspec
from sqlalchemy import Connection, CursorResult, RowMapping, bindparam, delete, func, or_, select, text, update

from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.rows import DeliveryRow, WebhookRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant, to_moment
from flow2api.domain.webhook import ECHO, Delivery, DeliveryState

DELIVERIES = table_of(DeliveryRow)
WEBHOOKS = table_of(WebhookRow)

_ENABLED = select(WEBHOOKS.c.id).where(WEBHOOKS.c.disabled_at.is_(None))
_PENDING = DELIVERIES.c.state == DeliveryState.PENDING.value
_NOT_BUSY = DELIVERIES.c.webhook_id.not_in(bindparam("busy", expanding=True))
_NEXT_DUE = select(func.min(DELIVERIES.c.due_at)).where(_PENDING, _NOT_BUSY)
_DUE = (
    select(DELIVERIES)
    .where(_PENDING, _NOT_BUSY, DELIVERIES.c.due_at <= bindparam("now"))
    .order_by(DELIVERIES.c.due_at, DELIVERIES.c.number)
    .limit(bindparam("most"))
)
_HOLD = (
    update(DELIVERIES)
    .where(DELIVERIES.c.number.in_(bindparam("numbers", expanding=True)))
    .values(due_at=bindparam("until"))
)
_SAVE = update(DELIVERIES).where(DELIVERIES.c.number == bindparam("of"), _PENDING)
_GOT_THROUGH = (
    update(WEBHOOKS).where(WEBHOOKS.c.id == bindparam("of")).values(failing_since=None, delivered_at=bindparam("at"))
)
_FAILS = (
    update(WEBHOOKS)
    .where(WEBHOOKS.c.id == bindparam("of"), WEBHOOKS.c.failing_since.is_(None))
    .values(failing_since=bindparam("since"))
)
_PAGE = (
    select(DELIVERIES)
    .where(
        or_(bindparam("webhook").is_(None), DELIVERIES.c.webhook_id == bindparam("webhook")),
        or_(bindparam("before").is_(None), DELIVERIES.c.number < bindparam("before")),
    )
    .order_by(DELIVERIES.c.number.desc())
    .limit(bindparam("most"))
)
_LATEST = (
    select(DELIVERIES.c.news, DELIVERIES.c.at)
    .where(
        DELIVERIES.c.webhook_id == bindparam("webhook"), DELIVERIES.c.about == bindparam("thing"), text("about <> ''")
    )
    .order_by(DELIVERIES.c.number.desc())
    .limit(1)
)
_ECHO = ECHO // timedelta(microseconds=1)
_OLD = select(DELIVERIES.c.number).where(DELIVERIES.c.ended_at < bindparam("before")).limit(bindparam("most"))
_FORGET = delete(DELIVERIES).where(DELIVERIES.c.number.in_(_OLD.scalar_subquery()))


class SqlDeliveries:
    """Messages as rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, deliveries: Sequence[Delivery]) -> None:
        rows = [_row(delivery) for delivery in deliveries]
        adding = self._database.insert(DELIVERIES).on_conflict_do_nothing()

        def step(connection: Connection) -> None:
            enabled = {row.id for row in connection.execute(_ENABLED)}
            if wanted := _without_echoes(connection, [row for row in rows if row["webhook_id"] in enabled]):
                connection.execute(adding, wanted)

        await self._database.write(step)

    async def claim(self, now: datetime, until: datetime, limit: int, busy: Sequence[int] = ()) -> Sequence[Delivery]:
        values = {"now": to_instant(now), "most": limit, "busy": list(busy)}

        def step(connection: Connection) -> Sequence[RowMapping]:
            rows = connection.execute(_DUE, values).mappings().all()
            if rows:
                connection.execute(_HOLD, {"numbers": [row["number"] for row in rows], "until": to_instant(until)})
            return rows

        return [_delivery(row) for row in await self._database.write(step)]

    async def next_due(self, busy: Sequence[int] = ()) -> datetime | None:
        values = {"busy": list(busy)}
        instant = await self._database.read(lambda connection: connection.execute(_NEXT_DUE, values).scalar())
        return to_moment(instant)

    async def save(self, delivery: Delivery, failing_since: datetime | None) -> None:
        changed = {
            "state": delivery.state.value,
            "attempts": delivery.attempts,
            "due_at": to_instant(delivery.due_at),
            "answer": delivery.answer,
            "error": delivery.error,
            "ended_at": to_instant(delivery.ended_at),
        }
        of = {"of": delivery.webhook_id}

        def step(connection: Connection) -> None:
            connection.execute(_SAVE.values(changed), {"of": delivery.number})
            if failing_since is None:
                connection.execute(_GOT_THROUGH, {**of, "at": to_instant(delivery.ended_at)})
            else:
                connection.execute(_FAILS, {**of, "since": to_instant(failing_since)})

        await self._database.write(step)

    async def page(self, webhook_id: int | None, *, before: int | None, limit: int) -> Sequence[Delivery]:
        values = {"webhook": webhook_id, "before": before, "most": limit}
        rows = await self._database.read(lambda connection: connection.execute(_PAGE, values).mappings().all())
        return [_delivery(row) for row in rows]

    async def forget(self, before: datetime, limit: int) -> int:
        values = {"before": to_instant(before), "most": limit}
        return await self._database.write(
            lambda connection: cast("CursorResult[Any]", connection.execute(_FORGET, values)).rowcount
        )


def _without_echoes(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows but for those that another process has written; ``about`` tells which may be such."""
    kept: list[dict[str, Any]] = []
    latest: dict[tuple[int, str], tuple[str, int]] = {}
    for row in rows:
        thing = row["webhook_id"], row["about"]
        if row["about"]:
            if thing not in latest:
                found = connection.execute(_LATEST, {"webhook": thing[0], "thing": thing[1]}).first()
                latest[thing] = ("", 0) if found is None else (found.news, found.at)
            news, at = latest[thing]
            if news == row["news"] and abs(row["at"] - at) < _ECHO:
                continue
            latest[thing] = row["news"], row["at"]
        kept.append(row)
    return kept


def _row(delivery: Delivery) -> dict[str, Any]:
    return {
        "webhook_id": delivery.webhook_id,
        "message_id": delivery.message_id,
        "kind": delivery.kind,
        "at": to_instant(delivery.at),
        "content": delivery.content,
        "results": msgspec.json.encode(delivery.results).decode(),
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "due_at": to_instant(delivery.due_at),
        "answer": delivery.answer,
        "error": delivery.error,
        "ended_at": to_instant(delivery.ended_at),
        "about": delivery.about,
        "news": delivery.news,
    }


def _delivery(row: RowMapping) -> Delivery:
    return Delivery(
        number=row["number"],
        webhook_id=row["webhook_id"],
        message_id=row["message_id"],
        kind=row["kind"],
        at=to_moment(row["at"]),
        content=row["content"],
        results=tuple(msgspec.json.decode(row["results"])),
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        due_at=to_moment(row["due_at"]),
        answer=row["answer"],
        error=row["error"],
        ended_at=to_moment(row["ended_at"]),
        about=row["about"],
        news=row["news"],
    )


if TYPE_CHECKING:
    from flow2api.domain.ports.webhooks import Deliveries

    def _is_deliveries(deliveries: SqlDeliveries) -> Deliveries:
        return deliveries
