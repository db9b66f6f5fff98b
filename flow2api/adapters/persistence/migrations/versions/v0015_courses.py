"""Which phases a generation went through, which attempts came to nothing, and what was made from what."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("generations", sa.Column("passages", sa.Text(), nullable=True))
    op.add_column("generations", sa.Column("failed_attempts", sa.Text(), nullable=True))
    op.create_index(
        "ix_generations_parent_id",
        "generations",
        ["parent_id"],
        sqlite_where=sa.text("parent_id IS NOT NULL"),
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )
