from sqlalchemy import BigInteger, Index, Integer, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from flow2api.adapters.persistence.rows.base import NUMBER, Row


class ApiKeyRow(Row):
    """A key to our API, as its keyed hash. Names are unique among the keys that are not revoked."""

    __tablename__ = "api_keys"
    __table_args__ = (
        Index(
            "uq_api_keys_active_name",
            "name",
            unique=True,
            sqlite_where=text("revoked_at IS NULL"),
        ),
        {"sqlite_autoincrement": True},  # a number of a key is never given to another one
    )

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    prefix: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[int] = mapped_column(BigInteger)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)
    last_used_at: Mapped[int | None] = mapped_column(BigInteger)
    tag: Mapped[str | None] = mapped_column(Text)
    profile: Mapped[str | None] = mapped_column(Text)
    scopes: Mapped[str | None] = mapped_column(Text)
    """Names with blanks between; NULL for all that there are, now and later."""
    models: Mapped[str | None] = mapped_column(Text)
    """JSON; NULL for all."""
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
    requests_per_min: Mapped[int | None] = mapped_column(Integer)
    max_concurrent: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    max_per_day: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    first_id: Mapped[int | None] = mapped_column(NUMBER)
    """The first key of its line; NULL for the first itself."""
