"""What a request that spends has asked for, so that its repeat is known after a restart."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KNOWN = sa.text("body_digest IS NOT NULL")


def upgrade() -> None:
    op.add_column("generations", sa.Column("body_digest", sa.LargeBinary(), nullable=True))
    op.create_index(
        "ix_generations_body_digest", "generations", ["body_digest"], sqlite_where=KNOWN, postgresql_where=KNOWN
    )
