from sqlalchemy import BigInteger, Index, Integer, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from flow2api.adapters.persistence.rows.base import NUMBER, Row

UNFINISHED = "state IN ('queued', 'running')"
"""Written out in queries, too: an index with a condition serves only queries that show the very same condition."""

FAILURES = "state IN ('failed', 'cancelled')"
"""Written out like `UNFINISHED`. These are few among what ended well, and an index of them alone costs the others nothing."""


class GenerationRow(Row):
    """A generation. ``number`` tells in which order they were added; ``inputs``, ``warnings``, ``results`` and ``choice``,
    ``passages`` and ``failed_attempts`` are JSON.
    """

    __tablename__ = "generations"
    __table_args__ = (
        Index("ix_generations_page", "key_id", "kind", "created_at", "number"),
        Index(
            "ix_generations_unfinished",
            "owner",
            "lease_until",
            sqlite_where=text(UNFINISHED),
        ),
        Index(
            "ix_generations_failures",
            "state",
            sqlite_where=text(FAILURES),
        ),
        Index(
            "ix_generations_failures_of_account",
            "account_id",
            "state",
            sqlite_where=text(FAILURES),
        ),
        Index(
            "ix_generations_body_digest",
            "body_digest",
            sqlite_where=text("body_digest IS NOT NULL"),
        ),
        Index(
            "ix_generations_parent_id",
            "parent_id",
            sqlite_where=text("parent_id IS NOT NULL"),
        ),
    )

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    id: Mapped[str] = mapped_column(Text, unique=True)
    key_id: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    spec_name: Mapped[str] = mapped_column(Text)
    prompt: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(BigInteger)
    group_id: Mapped[str] = mapped_column(Text, index=True)
    door: Mapped[str] = mapped_column(Text)
    inputs: Mapped[str] = mapped_column(Text)
    count: Mapped[int] = mapped_column(Integer)
    seed: Mapped[int | None] = mapped_column(BigInteger)
    size: Mapped[str] = mapped_column(Text)
    seconds: Mapped[int | None] = mapped_column(Integer)
    warnings: Mapped[str] = mapped_column(Text)
    parent_id: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    phase: Mapped[str | None] = mapped_column(Text)
    stage: Mapped[str] = mapped_column(Text)
    progress: Mapped[int] = mapped_column(Integer)
    account_id: Mapped[int | None] = mapped_column(BigInteger)
    workspace: Mapped[str | None] = mapped_column(Text)
    operation_name: Mapped[str | None] = mapped_column(Text)
    operation_payload: Mapped[str | None] = mapped_column(Text)
    made: Mapped[str | None] = mapped_column(Text)
    results: Mapped[str] = mapped_column(Text)
    fault_code: Mapped[str | None] = mapped_column(Text)
    fault_message: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[int | None] = mapped_column(BigInteger)
    ended_at: Mapped[int | None] = mapped_column(BigInteger)
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
    deleted_at: Mapped[int | None] = mapped_column(BigInteger)
    owner: Mapped[str | None] = mapped_column(Text)
    lease_until: Mapped[int | None] = mapped_column(BigInteger)
    fence: Mapped[int] = mapped_column(Integer)
    rescues: Mapped[int] = mapped_column(Integer)
    attempts: Mapped[int] = mapped_column(Integer)
    choice: Mapped[str | None] = mapped_column(Text)
    body_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    passages: Mapped[str | None] = mapped_column(Text)
    failed_attempts: Mapped[str | None] = mapped_column(Text)


class ClaimRow(Row):
    """An idempotency key in use. ``key_id`` is 0 for the operator, for a unique index takes no two NULLs as equal."""

    __tablename__ = "idempotency_claims"

    key_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    idempotency_key: Mapped[str] = mapped_column(Text, primary_key=True)
    body_digest: Mapped[bytes] = mapped_column(LargeBinary)
    group_id: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
