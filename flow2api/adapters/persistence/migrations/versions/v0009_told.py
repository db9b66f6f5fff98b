"""What was told last of each thing, so that of several processes one tells it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ABOUT = sa.text("about <> ''")


def upgrade() -> None:
    op.create_table(
        "told_notices",
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("news", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("about", name=op.f("pk_told_notices")),
    )
    op.create_index(op.f("ix_told_notices_at"), "told_notices", ["at"])
    op.add_column("webhook_deliveries", sa.Column("about", sa.Text(), server_default="", nullable=False))
    op.add_column("webhook_deliveries", sa.Column("news", sa.Text(), server_default="", nullable=False))
    op.create_index(
        "ix_webhook_deliveries_about",
        "webhook_deliveries",
        ["about", "webhook_id", "number"],
        sqlite_where=ABOUT,
        postgresql_where=ABOUT,
    )
