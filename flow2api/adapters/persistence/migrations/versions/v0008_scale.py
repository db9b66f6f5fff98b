"""Indexes for long lists: accounts that rest, and the lines of one key and model."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STANDING = ["disabled_until", "suspended_until", "cooling_until"]
RESTING = sa.text("disabled_until > 0 OR suspended_until > 0 OR cooling_until > 0")


def upgrade() -> None:
    op.drop_index("ix_accounts_standing", "accounts")
    op.create_index(
        "ix_accounts_resting", "accounts", ["id", *STANDING], sqlite_where=RESTING, postgresql_where=RESTING
    )
    op.create_index(
        "ix_request_log_key_id_model_at", "request_log", ["key_id", "model", "at", "state", "account_id"]
    )
