"""sales paid with UnionPay and by bank transfer"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

BEFORE = (
    "'account', 'cash', 'card', 'delivery', 'simulated', 'stripe', 'alipay', 'wechat', 'paypal'"
)


def upgrade() -> None:
    _means(f"{BEFORE}, 'unionpay', 'bank'")


def downgrade() -> None:
    paid = "SELECT 1 FROM sales WHERE means IN ('unionpay', 'bank') LIMIT 1"
    if op.get_bind().scalar(sa.text(paid)):
        raise RuntimeError(
            "there are sales paid with UnionPay or by bank transfer; they cannot be kept"
        )
    _means(BEFORE)


def _means(names: str) -> None:
    with op.batch_alter_table("sales") as batch:
        batch.drop_constraint(op.f("ck_sales_means"), type_="check")
        batch.create_check_constraint(op.f("ck_sales_means"), f"means IN ({names})")
