"""What was saved by another try, and what was spent, among the figures; and what accounts had left day by day."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("quarter_statistics", "daily_statistics", "total_statistics", "overall_statistics"):
        for name in ("saved", "credits"):
            op.add_column(table, sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    op.create_table(
        "credits_history",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "day", name=op.f("pk_credits_history")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_credits_history_day"), "credits_history", ["day"])
