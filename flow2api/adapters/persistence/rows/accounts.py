from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from flow2api.adapters.persistence.rows.base import NUMBER, Row

STANDING = ("disabled_until", "suspended_until", "cooling_until")

RESTING = text("disabled_until > 0 OR suspended_until > 0 OR cooling_until > 0")
"""Accounts that rest as a whole, or did so when they were last written. A query has to say it in these words to have the index."""


class AccountRow(Row):
    """An account without its secrets. ``tags``, ``rests`` and ``streaks`` are JSON.

    ``streak`` is the longest of the streaks, for the release before, which knew of one only.

    The columns at the end follow from the others and are there to be searched by: until when the account is disabled,
    suspended, cooling down at the latest (a rest without an end is `FOR_EVER`), and its address, name and remark without
    case. The indexes hold all that a search looks at, so that none reads the rows; most accounts do not rest, and are not in
    the one for those that do.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        Index("ix_accounts_resting", "id", *STANDING, sqlite_where=RESTING),
        Index("ix_accounts_search", "search_text", *STANDING),
    )

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=False)
    upstream: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(BigInteger)
    email: Mapped[str | None] = mapped_column(Text, index=True)
    remark: Mapped[str] = mapped_column(Text)
    tier: Mapped[int | None] = mapped_column(Integer)
    credits: Mapped[int | None] = mapped_column(Integer)
    image_capacity: Mapped[int | None] = mapped_column(Integer)
    video_capacity: Mapped[int | None] = mapped_column(Integer)
    tags: Mapped[str] = mapped_column(Text)
    weight: Mapped[int] = mapped_column(Integer)
    priority: Mapped[int] = mapped_column(Integer)
    proxy: Mapped[str | None] = mapped_column(Text)
    base_url: Mapped[str | None] = mapped_column(Text)
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


class DeletedAccountRow(Row):
    """An account that was deleted: its row and that of its secrets, which stay sealed, as JSON by column."""

    __tablename__ = "deleted_accounts"

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=False)
    deleted_at: Mapped[int] = mapped_column(BigInteger, index=True)
    deleted_by: Mapped[str] = mapped_column(Text)
    account: Mapped[str] = mapped_column(Text)
    credentials: Mapped[str] = mapped_column(Text)
