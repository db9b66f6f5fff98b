from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from flow2api.adapters.persistence.rows.base import NUMBER, Row


class AccountRow(Row):
    """An account without its secrets. ``tags``, ``rests`` and ``streaks`` are JSON.

    ``streak`` is the longest of the streaks, for the release before, which knew of one only.

    The columns at the end follow from the others and are there to be searched by: until when the account is disabled,
    suspended, cooling down at the latest (a rest without an end is `FOR_EVER`), and its address, name and remark without
    case. The indexes hold all that a search looks at, so that none reads the rows.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        Index("ix_accounts_standing", "disabled_until", "suspended_until", "cooling_until"),
        Index("ix_accounts_search", "search_text", "disabled_until", "suspended_until", "cooling_until"),
    )

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=False)
    upstream: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(BigInteger)
    email: Mapped[str | None] = mapped_column(Text)
    remark: Mapped[str] = mapped_column(Text)
    tier: Mapped[int | None] = mapped_column(Integer)
    credits: Mapped[int | None] = mapped_column(Integer)
    image_capacity: Mapped[int | None] = mapped_column(Integer)
    video_capacity: Mapped[int | None] = mapped_column(Integer)
    tags: Mapped[str] = mapped_column(Text)
    weight: Mapped[int] = mapped_column(Integer)
    priority: Mapped[int] = mapped_column(Integer)
    proxy: Mapped[str | None] = mapped_column(Text)
    workspace: Mapped[str | None] = mapped_column(Text)
    workspace_name: Mapped[str | None] = mapped_column(Text)
    access_expires_at: Mapped[int | None] = mapped_column(BigInteger)
    access_obtained_at: Mapped[int | None] = mapped_column(BigInteger)
    rests: Mapped[str] = mapped_column(Text)
    streak: Mapped[int] = mapped_column(Integer)
    streaks: Mapped[str] = mapped_column(Text, server_default="[]")
    disabled_until: Mapped[int] = mapped_column(BigInteger, server_default="0")
    suspended_until: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cooling_until: Mapped[int] = mapped_column(BigInteger, server_default="0")
    search_text: Mapped[str] = mapped_column(Text, server_default="")


class CredentialRow(Row):
    """The sealed secrets of one account. By ``token_digest`` a session token is found again."""

    __tablename__ = "credentials"

    account_id: Mapped[int] = mapped_column(
        NUMBER, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    session_token: Mapped[str] = mapped_column(Text)
    access_token: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
    obtained_at: Mapped[int | None] = mapped_column(BigInteger)
    token_digest: Mapped[bytes] = mapped_column(LargeBinary, index=True)
