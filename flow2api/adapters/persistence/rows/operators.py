from sqlalchemy import BigInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from flow2api.adapters.persistence.rows.base import NUMBER, Row


class OperatorRow(Row):
    """Somebody who may sign in. ``folded_name`` is the form of the name that is unique."""

    __tablename__ = "operators"
    __table_args__ = ({"sqlite_autoincrement": True},)  # what was done under a number is never taken for another's

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    folded_name: Mapped[str] = mapped_column(Text, unique=True)
    role: Mapped[str] = mapped_column(Text)
    passphrase_hash: Mapped[str] = mapped_column(Text)
    stamp: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(BigInteger)
    passphrase_changed_at: Mapped[int] = mapped_column(BigInteger)
