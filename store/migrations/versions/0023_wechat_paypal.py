"""sales paid with WeChat Pay and PayPal"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

BEFORE = "'account', 'cash', 'card', 'delivery', 'simulated', 'stripe', 'alipay'"


def upgrade() -> None:
    _means(f"{BEFORE}, 'wechat', 'paypal'")


def downgrade() -> None:
    paid = "SELECT 1 FROM sales WHERE means IN ('wechat', 'paypal') LIMIT 1"
    if op.get_bind().scalar(sa.text(paid)):
        raise RuntimeError("there are sales paid with WeChat Pay or PayPal; they cannot be kept")
    _means(BEFORE)


def _means(names: str) -> None:
    with op.batch_alter_table("sales") as batch:
        batch.drop_constraint(op.f("ck_sales_means"), type_="check")
        batch.create_check_constraint(op.f("ck_sales_means"), f"means IN ({names})")
