"""The health of accounts: a streak for each kind of call, and the timeline of what they went through."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("streaks", sa.Text(), server_default="[]", nullable=False))
    op.create_table(
        "health_events",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("call", sa.Text(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_health_events")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_health_events_account_id_number", "health_events", ["account_id", "number"])
    op.create_index(op.f("ix_health_events_at"), "health_events", ["at"])
