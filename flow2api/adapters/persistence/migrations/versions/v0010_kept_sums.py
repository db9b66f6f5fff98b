"""Figures of all accounts together, kept beside those of each, and an index by address."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SUMS = (
    *("images", "videos", "errors", "succeeded", "cancelled", "refused", "duration_ms", "waited_ms"),
    *(f"took_{number}" for number in range(12)),
)


def upgrade() -> None:
    op.create_table(
        "overall_statistics",
        sa.Column("key_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), server_default="0", nullable=False) for name in SUMS),
        sa.PrimaryKeyConstraint("key_id", "model", name=op.f("pk_overall_statistics")),
    )
    summed = ", ".join(f"SUM({name})" for name in SUMS)
    op.execute(
        f"INSERT INTO overall_statistics (key_id, model, {', '.join(SUMS)})"  # noqa: S608 - names of columns only
        f" SELECT key_id, model, {summed} FROM total_statistics GROUP BY key_id, model"
    )
    op.create_index(op.f("ix_accounts_email"), "accounts", ["email"])
