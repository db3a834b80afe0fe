"""part refunds"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "refund_lines",
        sa.Column("refund_id", sa.String(length=20), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("item_id", BigId, nullable=False),
        sa.Column("quantity", BigId, nullable=False),
        sa.Column("total_minor", BigId, nullable=False),
        sa.Column("tax_minor", BigId, nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_refund_lines_quantity")),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name=op.f("fk_refund_lines_item_id_items")
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["refunds.id"], name=op.f("fk_refund_lines_refund_id_refunds")
        ),
        sa.PrimaryKeyConstraint("refund_id", "position", name=op.f("pk_refund_lines")),
    )
    op.create_index(op.f("ix_refund_lines_item_id"), "refund_lines", ["item_id"])
    with op.batch_alter_table("sale_lines") as batch_op:
        batch_op.add_column(
            sa.Column("quantity_refunded", BigId, server_default="0", nullable=False)
        )
        batch_op.create_check_constraint(
            op.f("ck_sale_lines_quantity_refunded"), "quantity_refunded BETWEEN 0 AND quantity"
        )
    with op.batch_alter_table("refunds") as batch_op:
        batch_op.drop_constraint(op.f("uq_refunds_sale_id"), type_="unique")
        batch_op.create_index(op.f("ix_refunds_sale_id"), ["sale_id"])
        batch_op.create_check_constraint(op.f("ck_refunds_total"), "total_minor >= 0")
    with op.batch_alter_table("sales") as batch_op:
        batch_op.drop_constraint(op.f("ck_sales_state"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_sales_state"), "state IN ('paid', 'part_refunded', 'refunded')"
        )
    # Until now a refund was of the whole sale, and a charge was reversed at once.
    op.execute(
        "INSERT INTO refund_lines (refund_id, position, item_id, quantity, total_minor, tax_minor)"
        " SELECT r.id, l.position, l.item_id, l.quantity, l.total_minor, l.tax_minor"
        " FROM refunds r JOIN sale_lines l ON l.sale_id = r.sale_id"
    )
    op.execute(
        "UPDATE sale_lines SET quantity_refunded = quantity"
        " WHERE sale_id IN (SELECT sale_id FROM refunds)"
    )
    with op.batch_alter_table("transfers") as batch_op:
        batch_op.add_column(sa.Column("reversed_before_minor", BigId, nullable=True))
    op.execute("UPDATE transfers SET reversed_before_minor = 0 WHERE reverses_id IS NOT NULL")
    with op.batch_alter_table("transfers") as batch_op:
        batch_op.drop_constraint(op.f("uq_transfers_reverses_id"), type_="unique")
        batch_op.create_unique_constraint(
            op.f("uq_transfers_reverses_id_reversed_before_minor"),
            ["reverses_id", "reversed_before_minor"],
        )
        batch_op.create_check_constraint(
            op.f("ck_transfers_reversed_before"),
            "(reverses_id IS NULL) = (reversed_before_minor IS NULL)",
        )


def downgrade() -> None:
    """What was given back in parts has no place in the old tables: such sales must not be there."""
    parts = "SELECT sale_id FROM refunds GROUP BY sale_id HAVING COUNT(*) > 1"
    part_refunded = "SELECT id FROM sales WHERE state = 'part_refunded'"
    if op.get_bind().scalar(sa.text(f"{parts} UNION {part_refunded} LIMIT 1")):
        raise RuntimeError("there are sales of which a part was given back; they cannot be kept")
    with op.batch_alter_table("transfers") as batch_op:
        batch_op.drop_constraint(op.f("ck_transfers_reversed_before"), type_="check")
        batch_op.drop_constraint(
            op.f("uq_transfers_reverses_id_reversed_before_minor"), type_="unique"
        )
        batch_op.create_unique_constraint(op.f("uq_transfers_reverses_id"), ["reverses_id"])
        batch_op.drop_column("reversed_before_minor")
    with op.batch_alter_table("sales") as batch_op:
        batch_op.drop_constraint(op.f("ck_sales_state"), type_="check")
        batch_op.create_check_constraint(op.f("ck_sales_state"), "state IN ('paid', 'refunded')")
    with op.batch_alter_table("refunds") as batch_op:
        batch_op.drop_constraint(op.f("ck_refunds_total"), type_="check")
        batch_op.drop_index(op.f("ix_refunds_sale_id"))
        batch_op.create_unique_constraint(op.f("uq_refunds_sale_id"), ["sale_id"])
    with op.batch_alter_table("sale_lines") as batch_op:
        batch_op.drop_constraint(op.f("ck_sale_lines_quantity_refunded"), type_="check")
        batch_op.drop_column("quantity_refunded")
    op.drop_index(op.f("ix_refund_lines_item_id"), "refund_lines")
    op.drop_table("refund_lines")
