"""sales at a till: in nobody's name, paid with cash or a card"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CHECKS = {
    "means": "means IN ('account', 'cash', 'card', 'delivery')",
    "somebody": "member_id IS NOT NULL OR sold_by IS NOT NULL",
    "whose_account": "member_id IS NOT NULL OR means <> 'account'",
}


def upgrade() -> None:
    with op.batch_alter_table("sales") as batch:
        batch.alter_column("member_id", existing_type=BIG_ID, nullable=True)
        for name, rule in CHECKS.items():
            batch.create_check_constraint(op.f(f"ck_sales_{name}"), rule)
    of_nobody = sa.text("member_id IS NULL")
    op.create_index(
        "uq_sales_sold_by_key", "sales", ["sold_by", "key"], unique=True,
        sqlite_where=of_nobody, postgresql_where=of_nobody,
    )  # fmt: skip


def downgrade() -> None:
    """A sale in nobody's name has no place in the old table."""
    if op.get_bind().scalar(sa.text("SELECT 1 FROM sales WHERE member_id IS NULL LIMIT 1")):
        raise RuntimeError("there are sales in nobody's name; they cannot be kept")
    op.drop_index("uq_sales_sold_by_key", "sales")
    with op.batch_alter_table("sales") as batch:
        for name in CHECKS:
            batch.drop_constraint(op.f(f"ck_sales_{name}"), type_="check")
        batch.alter_column("member_id", existing_type=BIG_ID, nullable=False)
