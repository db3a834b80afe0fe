"""how many items want ordering, as the worker counted"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0089"
down_revision = "0088"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "order_counts",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("items", BigId, nullable=False),
        sa.Column("counted_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_counts")),
    )


def downgrade() -> None:
    op.drop_table("order_counts")
