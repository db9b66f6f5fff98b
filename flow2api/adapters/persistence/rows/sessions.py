from sqlalchemy import BigInteger, ForeignKey, Integer, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from flow2api.adapters.persistence.rows.base import NUMBER, Row


class SessionRow(Row):
    """Somebody who is signed in. ``digest`` is the keyed hash of the token, which is kept nowhere."""

    __tablename__ = "operator_sessions"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    id: Mapped[str] = mapped_column(Text, unique=True)
    operator_id: Mapped[int] = mapped_column(NUMBER, ForeignKey("operators.id", ondelete="CASCADE"), index=True)
    stamp: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    address: Mapped[str | None] = mapped_column(Text)
    agent: Mapped[str] = mapped_column(Text)


class SignInTriesRow(Row):
    """Tries to sign in of one source or for one name, of which only a keyed hash is kept."""

    __tablename__ = "sign_in_tries"

    subject: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    blocked_until: Mapped[int] = mapped_column(BigInteger)
