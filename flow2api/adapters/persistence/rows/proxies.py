from sqlalchemy import BigInteger, Boolean, ForeignKey, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from flow2api.adapters.persistence.rows.base import NUMBER, Row


class ProxyRow(Row):
    """An egress proxy. ``url`` is sealed, for it holds the credentials; ``address`` is the same without them."""

    __tablename__ = "proxies"
    __table_args__ = ({"sqlite_autoincrement": True},)  # a health that comes late is never taken for another's

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    url: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    pool: Mapped[str | None] = mapped_column(Text)
    is_enabled: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text)
    since: Mapped[int | None] = mapped_column(BigInteger)
    checked_at: Mapped[int | None] = mapped_column(BigInteger)
    latency_ms: Mapped[int | None] = mapped_column(Integer)
    failures: Mapped[int] = mapped_column(Integer)
    egress: Mapped[str | None] = mapped_column(Text)
    fault: Mapped[str | None] = mapped_column(Text)


class ProxyAssignmentRow(Row):
    """Which proxy of a pool an account has, by its name."""

    __tablename__ = "proxy_assignments"

    account_id: Mapped[int] = mapped_column(NUMBER, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    pool: Mapped[str] = mapped_column(Text, primary_key=True)
    proxy: Mapped[str] = mapped_column(Text, index=True)
