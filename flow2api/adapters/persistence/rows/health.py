from sqlalchemy import BigInteger, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from flow2api.adapters.persistence.rows.base import NUMBER, Row


class HealthEventRow(Row):
    """Something that happened to an account. It outlives the account, and goes by its age alone."""

    __tablename__ = "health_events"
    __table_args__ = (
        Index("ix_health_events_account_id_number", "account_id", "number"),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[int] = mapped_column(BigInteger, index=True)
    kind: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    model: Mapped[str | None] = mapped_column(Text)
    call: Mapped[str | None] = mapped_column(Text)
    until: Mapped[int | None] = mapped_column(BigInteger)
    cause: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
