"""what items cost, on orders and deliveries too; the cost of sold lines, and margins in the sums"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None

_SUMS = ("takings", "takings_of_items", "takings_of_members")
_MEASURES = ("goods_minor", "costed_minor", "cost_minor")


def upgrade() -> None:
    op.create_table(
        "item_costs",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("item_id", BigId, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("hundredths", BigId, nullable=False),
        sa.Column("starts_at", Moment(), nullable=False),
        sa.Column("why", sa.String(10), nullable=False),
        sa.Column("slip_id", BigId, nullable=True),
        sa.Column("made_by", BigId, nullable=True),
        sa.CheckConstraint("hundredths > 0", name=op.f("ck_item_costs_hundredths")),
        sa.CheckConstraint(
            "why IN ('said', 'imported', 'delivered')", name=op.f("ck_item_costs_why")
        ),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_item_costs_item_id_items"),
        sa.ForeignKeyConstraint(["made_by"], ["members.id"], name="fk_item_costs_made_by_members"),
    )
    op.create_index("ix_item_costs_item_id_starts_at", "item_costs", ["item_id", "starts_at"])
    op.create_table(
        "slip_costs",
        sa.Column("slip_id", BigId, nullable=False),
        sa.Column("item_id", BigId, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("hundredths", BigId, nullable=False),
        sa.CheckConstraint("hundredths > 0", name=op.f("ck_slip_costs_hundredths")),
        sa.PrimaryKeyConstraint("slip_id", "item_id", name=op.f("pk_slip_costs")),
        sa.ForeignKeyConstraint(["slip_id"], ["slips.id"], name="fk_slip_costs_slip_id_slips"),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_slip_costs_item_id_items"),
    )
    for table in ("sale_lines", "refund_lines"):
        op.add_column(table, sa.Column("cost_minor", BigId, nullable=True))
    for table in _SUMS:
        for name in _MEASURES:
            op.add_column(table, sa.Column(name, BigId, nullable=False, server_default="0"))
    # What goods brought without tax is not in the sums yet: the worker sums up anew, and until then
    # the pages read the sales themselves.
    op.execute("UPDATE reckoning SET time_zone = ''")


def downgrade() -> None:
    for table in _SUMS:
        for name in reversed(_MEASURES):
            op.drop_column(table, name)
    for table in ("refund_lines", "sale_lines"):
        op.drop_column(table, "cost_minor")
    op.drop_table("slip_costs")
    op.drop_index("ix_item_costs_item_id_starts_at", "item_costs")
    op.drop_table("item_costs")
