"""The account pool: one function for each area."""

import json
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _standing()
    _sessions_and_audit()
    _statistics()
    _proxies()
    _notifications()


# --- accounts that can be searched by how they stand ------------------------------------------------------------------

_FOR_EVER = 2**62
_STANDING = {
    "manual": "disabled_until",
    "auth_expired": "suspended_until",
    "unusable": "suspended_until",
    "refused": "cooling_until",
    "rate_limited": "cooling_until",
    "quota": "cooling_until",
    "error_streak": "cooling_until",
}


def _standing() -> None:
    for name in ("disabled_until", "suspended_until", "cooling_until"):
        op.add_column("accounts", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("accounts", sa.Column("search_text", sa.Text(), server_default="", nullable=False))
    connection = op.get_bind()
    accounts = connection.execute(sa.text("SELECT id, email, name, remark, rests FROM accounts")).all()
    searched = [
        {
            "of": row.id,
            "search_text": "\n".join((row.email or "", row.name, row.remark)).casefold(),
            **_standing_of(json.loads(row.rests)),
        }
        for row in accounts
    ]
    if searched:
        connection.execute(
            sa.text(
                "UPDATE accounts SET disabled_until = :disabled_until, suspended_until = :suspended_until,"
                " cooling_until = :cooling_until, search_text = :search_text WHERE id = :of"
            ),
            searched,
        )
    standing = ["disabled_until", "suspended_until", "cooling_until"]
    op.create_index("ix_accounts_standing", "accounts", standing)
    op.create_index("ix_accounts_search", "accounts", ["search_text", *standing])


def _standing_of(rests: list[dict[str, object]]) -> dict[str, int]:
    until = {"disabled_until": 0, "suspended_until": 0, "cooling_until": 0}
    for rest in rests:
        column = _STANDING.get(str(rest["reason"]))
        if column is not None and rest.get("model") is None:
            until[column] = max(until[column], _instant(rest.get("until")))
    return until


def _instant(moment: object) -> int:
    if moment is None:
        return _FOR_EVER
    return (datetime.fromisoformat(str(moment)) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


# --- who is signed in, and what was done ------------------------------------------------------------------------------


def _sessions_and_audit() -> None:
    op.create_table(
        "operator_sessions",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("operator_id", NUMBER, nullable=False),
        sa.Column("stamp", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operators.id"], name=op.f("fk_operator_sessions_operator_id_operators"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_operator_sessions")),
        sa.UniqueConstraint("id", name=op.f("uq_operator_sessions_id")),
    )
    op.create_index(op.f("ix_operator_sessions_operator_id"), "operator_sessions", ["operator_id"])
    op.create_table(
        "sign_in_tries",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("blocked_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_sign_in_tries")),
    )
    op.create_table(
        "audit_log",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=True),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_log")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_log_at"), "audit_log", ["at"])
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_log_refuses_{what.lower()} BEFORE {what} ON audit_log"
                " BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END"
            )


# --- what was made, and how it went -----------------------------------------------------------------------------------

_COUNTERS = ("succeeded", "cancelled", "refused", "duration_ms", "waited_ms", *(f"took_{number}" for number in range(12)))


def _statistics() -> None:
    for name in ("status", "message", "prompt", "body"):
        op.add_column("request_log", sa.Column(name, sa.Integer() if name == "status" else sa.Text(), nullable=True))
    for name in ("attempts", "waited_ms", "results"):
        op.add_column("request_log", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    for lead in ("key_id", "account_id", "model", "state", "code"):
        rest = [name for name in ("model", "state", "key_id", "account_id") if name != lead]
        failures = sa.text("code IS NOT NULL") if lead in ("state", "code") else None
        op.create_index(
            f"ix_request_log_{lead}_at",
            "request_log",
            [lead, "at", *rest],
            sqlite_where=failures,
            postgresql_where=failures,
        )
    for name in ("request_id", "generation_id"):
        op.create_index(op.f(f"ix_request_log_{name}"), "request_log", [name])
    for name in _COUNTERS:
        op.add_column("daily_statistics", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    # A day counted pictures and videos, one for each generation that ended well.
    op.execute("UPDATE daily_statistics SET succeeded = images + videos")
    _create_statistics("quarter_statistics", [sa.Column("quarter", sa.BigInteger(), autoincrement=False)])
    _create_statistics("total_statistics", [])
    op.execute(
        "INSERT INTO total_statistics (account_id, key_id, model, images, videos, errors, succeeded)"
        " SELECT account_id, key_id, model, sum(images), sum(videos), sum(errors), sum(succeeded)"
        " FROM daily_statistics GROUP BY account_id, key_id, model"
    )


def _create_statistics(table: str, when: "list[sa.Column[int]]") -> None:
    op.create_table(
        table,
        *when,
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
            for name in ("images", "videos", "errors", *_COUNTERS)
        ),
        sa.PrimaryKeyConstraint(
            *(column.name for column in when), "account_id", "key_id", "model", name=op.f(f"pk_{table}")
        ),
    )


# --- the ways to upstream ---------------------------------------------------------------------------------------------


def _proxies() -> None:
    op.create_table(
        "proxies",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("pool", sa.Text(), nullable=True),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("checked_at", sa.BigInteger(), nullable=True),
        sa.Column("latency_ms", sa.Integer(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("egress", sa.Text(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proxies")),
        sa.UniqueConstraint("name", name=op.f("uq_proxies_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "proxy_assignments",
        sa.Column("account_id", NUMBER, nullable=False),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("proxy", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_proxy_assignments_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "pool", name=op.f("pk_proxy_assignments")),
    )
    op.create_index(op.f("ix_proxy_assignments_proxy"), "proxy_assignments", ["proxy"])


# --- what is told to others ---------------------------------------------------------------------------------------------


def _notifications() -> None:
    op.create_table(
        "notify_targets",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("failed_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notify_targets")),
        sa.UniqueConstraint("name", name=op.f("uq_notify_targets_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "webhooks",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("signing", sa.Text(), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("key_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.Column("disabled_why", sa.Text(), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
        sa.UniqueConstraint("name", name=op.f("uq_webhooks_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("webhook_id", NUMBER, nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("results", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("fk_webhook_deliveries_webhook_id_webhooks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint("message_id", "webhook_id", name=op.f("uq_webhook_deliveries_message_id")),
        sqlite_autoincrement=True,
    )
    pending = sa.text("state = 'pending'")
    op.create_index(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["due_at", "webhook_id"],
        sqlite_where=pending,
        postgresql_where=pending,
    )
    op.create_index(op.f("ix_webhook_deliveries_webhook_id"), "webhook_deliveries", ["webhook_id"])
    op.create_index(op.f("ix_webhook_deliveries_ended_at"), "webhook_deliveries", ["ended_at"])
