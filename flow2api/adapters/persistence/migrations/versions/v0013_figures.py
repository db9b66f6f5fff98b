"""What was saved by another try, and what was spent, among the figures."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("quarter_statistics", "daily_statistics", "total_statistics", "overall_statistics"):
        for name in ("saved", "credits"):
            op.add_column(table, sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
