from sqlalchemy import BigInteger, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from flow2api.adapters.persistence.rows.base import NUMBER, Row


class RequestLogRow(Row):
    """One ended generation."""

    __tablename__ = "request_log"

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger, index=True)
    request_id: Mapped[str] = mapped_column(Text)
    key_id: Mapped[int | None] = mapped_column(BigInteger)
    door: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    account_id: Mapped[int | None] = mapped_column(BigInteger)
    generation_id: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    code: Mapped[str | None] = mapped_column(Text)
    duration_ms: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str | None] = mapped_column(Text)


class StatisticRow(Row):
    """What one account did for one key with one model on one day (UTC, ``2026-11-23``). 0 stands for no account or key."""

    __tablename__ = "daily_statistics"

    day: Mapped[str] = mapped_column(Text, primary_key=True)
    account_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    key_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    model: Mapped[str] = mapped_column(Text, primary_key=True)
    images: Mapped[int] = mapped_column(BigInteger)
    videos: Mapped[int] = mapped_column(BigInteger)
    errors: Mapped[int] = mapped_column(BigInteger)
