"""Published versions: their numbers only grow."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("functions", sa.Column("next_version", sa.BigInteger(), nullable=False, server_default="1"))
