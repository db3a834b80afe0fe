"""how stock flowed, by day and month"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId

revision = "0082"
down_revision = "0081"
branch_labels = None
depends_on = None

_KEYS = ("months", "day", "item_id", "location_id")


def upgrade() -> None:
    op.create_table(
        "stock_flows",
        *(sa.Column(name, BigId, autoincrement=False, nullable=False) for name in _KEYS),
        *(sa.Column(name, BigId, nullable=False) for name in ("quantity", "quantity_days", "sold")),
        sa.PrimaryKeyConstraint(*_KEYS, name=op.f("pk_stock_flows")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_stock_flows_item_id", "stock_flows", ["item_id", "months", "day"])
    op.create_table(
        "stock_flow_marks",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("seen_id", BigId, nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_flow_marks")),
    )


def downgrade() -> None:
    op.drop_table("stock_flow_marks")
    op.drop_index("ix_stock_flows_item_id", "stock_flows")
    op.drop_table("stock_flows")
