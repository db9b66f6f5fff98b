from sqlalchemy import BigInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from flow2api.adapters.persistence.rows.base import Row


class OptionRow(Row):
    """An option that was set once, and by whom last. ``value`` is JSON; NULL when it went back to the default."""

    __tablename__ = "options"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[str | None] = mapped_column(Text)
    changed_at: Mapped[int] = mapped_column(BigInteger)
    changed_by: Mapped[str] = mapped_column(Text)
