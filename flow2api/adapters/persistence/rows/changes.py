from sqlalchemy import BigInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from flow2api.adapters.persistence.rows.base import NUMBER, Row


class ChangeRow(Row):
    """One entry of the change feed. Numbers grow and are never used again."""

    __tablename__ = "changes"
    __table_args__ = ({"sqlite_autoincrement": True},)

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    what: Mapped[str] = mapped_column(Text)
    id: Mapped[str] = mapped_column(Text)
    at: Mapped[int] = mapped_column(BigInteger)
    origin: Mapped[str] = mapped_column(Text)
