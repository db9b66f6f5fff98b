from sqlalchemy import BigInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from flow2api.adapters.persistence.rows.base import Row


class CreditsRow(Row):
    """What an account (0 stands for all) had left on a day (``2026-11-23``) of the operator's time zone."""

    __tablename__ = "credits_history"
    __table_args__ = ({"sqlite_with_rowid": False},)

    account_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    day: Mapped[str] = mapped_column(Text, primary_key=True, index=True)
    credits: Mapped[int] = mapped_column(BigInteger)
