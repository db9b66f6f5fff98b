"""Webhooks in the database, their addresses and signing secrets sealed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from flow2api.adapters.persistence.audit_log import note_audit
from flow2api.adapters.persistence.changes import WEBHOOK, note_changes
from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.deliveries import DELIVERIES, WEBHOOKS
from flow2api.adapters.persistence.rows.base import to_instant, to_moment
from flow2api.domain.audit import AuditEntry
from flow2api.domain.errors import ChangedMeanwhileError, ConflictError
from flow2api.domain.notices import NoticeKind
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.system import Clock
from flow2api.domain.webhook import DeliveryState, Webhook, changed_fields

_KNOWN = {kind.value: kind for kind in NoticeKind}
_ALL = select(WEBHOOKS).order_by(WEBHOOKS.c.id)
_GET = select(WEBHOOKS).where(WEBHOOKS.c.id == bindparam("of"))
_NAMESAKE = select(WEBHOOKS.c.id).where(WEBHOOKS.c.name == bindparam("wanted"))
_REMOVE = delete(WEBHOOKS).where(WEBHOOKS.c.id == bindparam("of"))
_SWITCH_OFF = (
    update(WEBHOOKS)
    .where(WEBHOOKS.c.id == bindparam("of"), WEBHOOKS.c.disabled_at.is_(None))
    .values(disabled_at=bindparam("at"), disabled_why=bindparam("why"))
)
_SWITCH_ON = (
    update(WEBHOOKS)
    .where(WEBHOOKS.c.id == bindparam("of"), WEBHOOKS.c.disabled_at.is_not(None))
    .values(disabled_at=None, disabled_why="", failing_since=None)
)
_CHANGED = ("url", "shown", "signing", "kinds", "key_id")
_SAVE = update(WEBHOOKS).where(WEBHOOKS.c.id == bindparam("of"))
_GIVE_UP = (
    update(DELIVERIES)
    .where(DELIVERIES.c.webhook_id == bindparam("of"), DELIVERIES.c.state == DeliveryState.PENDING.value)
    .values(state=DeliveryState.FAILED.value, ended_at=bindparam("ended"), error="the webhook was switched off")
)


class SqlWebhooks:
    """Webhooks as rows."""

    def __init__(self, database: Database, cipher: Cipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    async def all(self) -> Sequence[Webhook]:
        rows = await self._database.read(lambda connection: connection.execute(_ALL).mappings().all())
        return [self._webhook(row) for row in rows]

    async def add(self, webhook: Webhook, audit: AuditEntry | None = None) -> Webhook:
        row = self._row(webhook)

        def step(connection: Connection) -> int | None:
            if connection.execute(_NAMESAKE, {"wanted": webhook.name}).first() is not None:
                return None
            number = connection.execute(insert(WEBHOOKS), row).inserted_primary_key
            assert number is not None  # noqa: S101 - one row was inserted
            note_changes(connection, WEBHOOK, number, self._clock.now())
            note_audit(connection, audit, made=number[0])
            return int(number[0])

        made = await self._database.write(step)
        if made is None:
            raise ConflictError(f"A webhook named {webhook.name!r} exists already. Choose another name.")
        return replace(webhook, id=made)

    async def remove(self, webhook_id: int, audit: AuditEntry | None = None) -> bool:
        def step(connection: Connection) -> bool:
            if not connection.execute(_REMOVE, {"of": webhook_id}).rowcount:
                return False
            note_changes(connection, WEBHOOK, (webhook_id,), self._clock.now())
            note_audit(connection, audit)
            return True

        return await self._database.write(step)

    async def save(self, webhook: Webhook, audit: AuditEntry | None = None, *, former: Webhook | None = None) -> bool:
        row = self._row(webhook)
        values = {name: row[name] for name in _CHANGED}

        def step(connection: Connection) -> bool | ChangedMeanwhileError:
            row = connection.execute(_GET, {"of": webhook.id}).mappings().first()
            if row is None:
                return False
            if former is not None and (fields := changed_fields(former, self._webhook(row))):
                return ChangedMeanwhileError(fields)
            connection.execute(_SAVE.values(values), {"of": webhook.id})
            note_changes(connection, WEBHOOK, (webhook.id,), self._clock.now())
            note_audit(connection, audit)
            return True

        outcome = await self._database.write(step)
        if isinstance(outcome, ChangedMeanwhileError):
            raise outcome
        return outcome

    async def switch(
        self, webhook_id: int, disabled_at: datetime | None, why: str = "", audit: AuditEntry | None = None
    ) -> bool:
        at = to_instant(disabled_at)

        def step(connection: Connection) -> bool:
            if at is None:
                switched = connection.execute(_SWITCH_ON, {"of": webhook_id}).rowcount
            else:
                switched = connection.execute(_SWITCH_OFF, {"of": webhook_id, "at": at, "why": why}).rowcount
                connection.execute(_GIVE_UP, {"of": webhook_id, "ended": at})
            if not switched:
                return False
            note_changes(connection, WEBHOOK, (webhook_id,), self._clock.now())
            note_audit(connection, audit)
            return True

        return await self._database.write(step)

    def _row(self, webhook: Webhook) -> dict[str, Any]:
        return {
            "name": webhook.name,
            "url": self._cipher.seal(webhook.url, place=_place("url", webhook.name)),
            "shown": webhook.shown,
            "signing": self._cipher.seal(webhook.signing, place=_place("signing", webhook.name)),
            "kinds": msgspec.json.encode(sorted(webhook.kinds)).decode(),
            "key_id": webhook.key_id,
            "created_at": to_instant(webhook.created_at),
            "disabled_at": to_instant(webhook.disabled_at),
            "disabled_why": webhook.disabled_why,
            "failing_since": to_instant(webhook.failing_since),
            "delivered_at": to_instant(webhook.delivered_at),
        }

    def _webhook(self, row: RowMapping) -> Webhook:
        kinds: list[str] = msgspec.json.decode(row["kinds"])
        return Webhook(
            id=row["id"],
            name=row["name"],
            url=self._cipher.open(row["url"], place=_place("url", row["name"])),
            shown=row["shown"],
            signing=self._cipher.open(row["signing"], place=_place("signing", row["name"])),
            kinds=frozenset(_KNOWN[kind] for kind in kinds if kind in _KNOWN),  # a newer version may know more
            key_id=row["key_id"],
            created_at=to_moment(row["created_at"]),
            disabled_at=to_moment(row["disabled_at"]),
            disabled_why=row["disabled_why"],
            failing_since=to_moment(row["failing_since"]),
            delivered_at=to_moment(row["delivered_at"]),
        )


def _place(column: str, name: str) -> str:
    # The name and not the id, which nobody knows before the row is there; names do not change.
    return f"webhooks.{column}.{name}"


if TYPE_CHECKING:
    from flow2api.domain.ports.webhooks import Webhooks

    def _is_webhooks(webhooks: SqlWebhooks) -> Webhooks:
        return webhooks
