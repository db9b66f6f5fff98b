from sqlalchemy import BigInteger, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from flow2api.adapters.persistence.rows.base import NUMBER, Row

_FILTERS = ("model", "state", "key_id", "account_id")
_FAILURES = text("code IS NOT NULL")


def _index(*leads: str, of_failures: bool = False) -> Index:
    """Finds the newest lines with these values; what else may be asked for is decided without reading the line."""
    columns = (*leads, "at", *(name for name in _FILTERS if name not in leads))
    where = _FAILURES if of_failures else None
    return Index(f"ix_request_log_{'_'.join(leads)}_at", *columns, sqlite_where=where)


class RequestLogRow(Row):
    """One ended generation, or one refused request."""

    __tablename__ = "request_log"
    __table_args__ = (
        *(_index(lead) for lead in ("key_id", "account_id", "model")),
        _index("key_id", "model"),
        *(_index(lead, of_failures=True) for lead in ("state", "code")),
    )

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger, index=True)
    request_id: Mapped[str] = mapped_column(Text, index=True)
    key_id: Mapped[int | None] = mapped_column(BigInteger)
    door: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    account_id: Mapped[int | None] = mapped_column(BigInteger)
    generation_id: Mapped[str | None] = mapped_column(Text, index=True)
    state: Mapped[str] = mapped_column(String(16))
    code: Mapped[str | None] = mapped_column(Text)
    duration_ms: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str | None] = mapped_column(Text)
    status: Mapped[int | None] = mapped_column(Integer)
    message: Mapped[str | None] = mapped_column(Text)
    prompt: Mapped[str | None] = mapped_column(Text)
    body: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    waited_ms: Mapped[int] = mapped_column(Integer, server_default="0")
    results: Mapped[int] = mapped_column(Integer, server_default="0")
