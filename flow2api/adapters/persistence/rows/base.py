"""What all tables have in common."""

from datetime import UTC, datetime, timedelta
from typing import overload

from sqlalchemy import BigInteger, Integer, MetaData, Table
from sqlalchemy.orm import DeclarativeBase

NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""A number that the database gives. SQLite hands out row numbers for columns of exactly this type only."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Row(DeclarativeBase):
    """Base of the tables. They have a registry of their own, apart from what plugins may register."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def table_of(row: type[Row]) -> Table:
    """The Core table of a row class."""
    table = row.__table__
    assert isinstance(table, Table)  # noqa: S101 - none of the classes maps a join
    return table


@overload
def to_instant(moment: datetime) -> int: ...
@overload
def to_instant(moment: datetime | None) -> int | None: ...
def to_instant(moment: datetime | None) -> int | None:
    """A moment as the database keeps it."""
    return None if moment is None else (moment - _EPOCH) // _MICROSECOND


@overload
def to_moment(instant: int) -> datetime: ...
@overload
def to_moment(instant: int | None) -> datetime | None: ...
def to_moment(instant: int | None) -> datetime | None:
    """A moment from the database, aware and in UTC."""
    return None if instant is None else _EPOCH + timedelta(microseconds=instant)
