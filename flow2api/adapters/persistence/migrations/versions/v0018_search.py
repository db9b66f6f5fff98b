"""What failed or was cancelled is found without looking through what ended well."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

FAILURES = "state IN ('failed', 'cancelled')"


def upgrade() -> None:
    op.create_index(
        "ix_generations_failures",
        "generations",
        ["state"],
        sqlite_where=sa.text(FAILURES),
        postgresql_where=sa.text(FAILURES),
    )
