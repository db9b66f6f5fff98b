from sqlalchemy import BigInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from flow2api.adapters.persistence.rows.base import Row


class Sums:
    """What was done for one key (0 stands for none) with one model.

    The durations of what ended well are counted by classes, as `domain.statistics.BOUNDS_S` has them.
    """

    key_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    model: Mapped[str] = mapped_column(Text, primary_key=True)
    images: Mapped[int] = mapped_column(BigInteger, server_default="0")
    videos: Mapped[int] = mapped_column(BigInteger, server_default="0")
    errors: Mapped[int] = mapped_column(BigInteger, server_default="0")
    succeeded: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cancelled: Mapped[int] = mapped_column(BigInteger, server_default="0")
    refused: Mapped[int] = mapped_column(BigInteger, server_default="0")
    duration_ms: Mapped[int] = mapped_column(BigInteger, server_default="0")
    waited_ms: Mapped[int] = mapped_column(BigInteger, server_default="0")
    saved: Mapped[int] = mapped_column(BigInteger, server_default="0")
    credits: Mapped[int] = mapped_column(BigInteger, server_default="0")
    took_0: Mapped[int] = mapped_column(BigInteger, server_default="0")
    took_1: Mapped[int] = mapped_column(BigInteger, server_default="0")
    took_2: Mapped[int] = mapped_column(BigInteger, server_default="0")
    took_3: Mapped[int] = mapped_column(BigInteger, server_default="0")
    took_4: Mapped[int] = mapped_column(BigInteger, server_default="0")
    took_5: Mapped[int] = mapped_column(BigInteger, server_default="0")
    took_6: Mapped[int] = mapped_column(BigInteger, server_default="0")
    took_7: Mapped[int] = mapped_column(BigInteger, server_default="0")
    took_8: Mapped[int] = mapped_column(BigInteger, server_default="0")
    took_9: Mapped[int] = mapped_column(BigInteger, server_default="0")
    took_10: Mapped[int] = mapped_column(BigInteger, server_default="0")
    took_11: Mapped[int] = mapped_column(BigInteger, server_default="0")


class Figures(Sums):
    """The same of one account; 0 stands for none."""

    account_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, sort_order=-1)


class QuarterStatisticRow(Figures, Row):
    """A quarter hour, by its number since 1970 in UTC."""

    __tablename__ = "quarter_statistics"

    quarter: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, sort_order=-2)


class DayStatisticRow(Figures, Row):
    """A day (``2026-11-23``) in the time zone of the time when it was condensed; of older versions, a day of UTC."""

    __tablename__ = "daily_statistics"

    day: Mapped[str] = mapped_column(Text, primary_key=True, sort_order=-2)


class TotalStatisticRow(Figures, Row):
    """Everything since the beginning."""

    __tablename__ = "total_statistics"


class OverallStatisticRow(Sums, Row):
    """The totals of all accounts together, for adding up those of a hundred thousand takes half a second."""

    __tablename__ = "overall_statistics"
