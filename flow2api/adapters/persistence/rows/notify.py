from sqlalchemy import BigInteger, ForeignKey, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from flow2api.adapters.persistence.rows.base import NUMBER, Row

_PENDING = text("state = 'pending'")
_ABOUT = text("about <> ''")


class NotifyTargetRow(Row):
    """A place where messages to operators go. ``url`` is sealed."""

    __tablename__ = "notify_targets"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    service: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(BigInteger)
    sent_at: Mapped[int | None] = mapped_column(BigInteger)
    failed_at: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[str] = mapped_column(Text)


class ToldNoticeRow(Row):
    """What operators were told of a thing last. ``about`` is trouble and its end alike."""

    __tablename__ = "told_notices"

    about: Mapped[str] = mapped_column(Text, primary_key=True)
    news: Mapped[str] = mapped_column(Text)
    at: Mapped[int] = mapped_column(BigInteger, index=True)


class WebhookRow(Row):
    """An address that is told of events. ``url`` and ``signing`` are sealed; ``kinds`` is a JSON list."""

    __tablename__ = "webhooks"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    url: Mapped[str] = mapped_column(Text)
    shown: Mapped[str] = mapped_column(Text)
    signing: Mapped[str] = mapped_column(Text)
    kinds: Mapped[str] = mapped_column(Text)
    key_id: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)
    disabled_at: Mapped[int | None] = mapped_column(BigInteger)
    disabled_why: Mapped[str] = mapped_column(Text)
    failing_since: Mapped[int | None] = mapped_column(BigInteger)
    delivered_at: Mapped[int | None] = mapped_column(BigInteger)


class DeliveryRow(Row):
    """A message to a webhook, on its way or ended. ``results`` is a JSON list.

    What ``about`` and ``news`` say tells the messages of several processes from one another; ``about`` may be empty.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("message_id", "webhook_id"),
        Index("ix_webhook_deliveries_due", "due_at", "webhook_id", sqlite_where=_PENDING),
        Index(
            "ix_webhook_deliveries_about",
            "about",
            "webhook_id",
            "number",
            sqlite_where=_ABOUT,
        ),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    webhook_id: Mapped[int] = mapped_column(NUMBER, ForeignKey("webhooks.id", ondelete="CASCADE"), index=True)
    message_id: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    at: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[str] = mapped_column(Text)
    results: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer)
    due_at: Mapped[int] = mapped_column(BigInteger)
    answer: Mapped[int | None] = mapped_column(Integer)
    error: Mapped[str] = mapped_column(Text)
    ended_at: Mapped[int | None] = mapped_column(BigInteger, index=True)
    about: Mapped[str] = mapped_column(Text, server_default="")
    news: Mapped[str] = mapped_column(Text, server_default="")
