"""opened bundles: lines of their parts"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CHECKS = {
    "kind": "kind IN ('goods', 'shipping', 'deposit', 'part')",
    "of_position": "(kind IN ('deposit', 'part')) = (of_position IS NOT NULL)",
    "quantity_returning": "quantity_returning >= 0 AND quantity_opened >= 0 AND "
    "quantity_refunded + quantity_returning + quantity_opened <= quantity",
    "quantity_opened": "quantity_opened = 0 OR kind = 'goods'",
}
BEFORE = {
    "kind": "kind IN ('goods', 'shipping', 'deposit')",
    "of_position": "(kind = 'deposit') = (of_position IS NOT NULL)",
    "quantity_returning": "quantity_returning >= 0 AND "
    "quantity_refunded + quantity_returning <= quantity",
}


def upgrade() -> None:
    with op.batch_alter_table("sale_lines") as batch:
        batch.add_column(sa.Column("quantity_opened", BIG_ID, server_default="0", nullable=False))
        for name in BEFORE:
            batch.drop_constraint(op.f(f"ck_sale_lines_{name}"), type_="check")
        for name, rule in CHECKS.items():
            batch.create_check_constraint(op.f(f"ck_sale_lines_{name}"), rule)


def downgrade() -> None:
    if op.get_bind().scalar(sa.text("SELECT 1 FROM sale_lines WHERE kind = 'part' LIMIT 1")):
        raise RuntimeError("there are bundles of which a part came back; they cannot be kept")
    with op.batch_alter_table("sale_lines") as batch:
        for name in CHECKS:
            batch.drop_constraint(op.f(f"ck_sale_lines_{name}"), type_="check")
        for name, rule in BEFORE.items():
            batch.create_check_constraint(op.f(f"ck_sale_lines_{name}"), rule)
        batch.drop_column("quantity_opened")
