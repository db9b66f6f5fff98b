"""Keys that took one another's place share their limits."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("first_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
