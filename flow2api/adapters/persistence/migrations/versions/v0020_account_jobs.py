"""What came to nothing on one account is found without looking through what did on all others."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

FAILURES = "state IN ('failed', 'cancelled')"


def upgrade() -> None:
    op.create_index(
        "ix_generations_failures_of_account",
        "generations",
        ["account_id", "state"],
        sqlite_where=sa.text(FAILURES),
        postgresql_where=sa.text(FAILURES),
    )
