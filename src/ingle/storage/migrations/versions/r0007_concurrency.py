"""Reserved and provisioned concurrency."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("functions", sa.Column("reserved_concurrency", sa.BigInteger(), nullable=True))
    op.create_table(
        "provisioned_concurrency",
        sa.Column("account", sa.String(), primary_key=True),
        sa.Column("region", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("qualifier", sa.String(), primary_key=True),
        sa.Column("document", sa.JSON(), nullable=False),
    )
