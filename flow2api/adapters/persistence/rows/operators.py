from sqlalchemy import BigInteger, ForeignKey, LargeBinary, Text
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
    preferences: Mapped[str | None] = mapped_column(Text)


class SecondFactorRow(Row):
    """What the codes of an operator's app are made of, sealed. Codes are asked for once it is confirmed."""

    __tablename__ = "second_factors"

    operator_id: Mapped[int] = mapped_column(NUMBER, ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True)
    secret: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(BigInteger)
    confirmed_at: Mapped[int | None] = mapped_column(BigInteger)
    last_step: Mapped[int] = mapped_column(BigInteger)


class RecoveryCodeRow(Row):
    """A recovery code that is left, as its keyed hash."""

    __tablename__ = "recovery_codes"

    operator_id: Mapped[int] = mapped_column(
        NUMBER, ForeignKey("second_factors.operator_id", ondelete="CASCADE"), primary_key=True
    )
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)


class SetupCodeRow(Row):
    """A code by which the first operator may set himself up, as its keyed hash."""

    __tablename__ = "setup_codes"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    expires_at: Mapped[int] = mapped_column(BigInteger)
