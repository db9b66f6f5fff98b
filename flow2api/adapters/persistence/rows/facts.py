from sqlalchemy import BigInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from flow2api.adapters.persistence.rows.base import Row


class FactRow(Row):
    """A single value about the database itself, such as the sealed text that tells whether the key is the right one."""

    __tablename__ = "facts"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class CounterRow(Row):
    """The last number that was given out, where numbers are needed before the rows are written."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)
