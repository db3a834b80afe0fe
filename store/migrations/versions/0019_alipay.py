"""sales paid by Alipay"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

MEANS = "means IN ('account', 'cash', 'card', 'delivery', 'simulated', 'stripe', 'alipay')"
MEANS_BEFORE = "means IN ('account', 'cash', 'card', 'delivery', 'simulated', 'stripe')"


def upgrade() -> None:
    _check(MEANS)


def downgrade() -> None:
    if op.get_bind().scalar(sa.text("SELECT 1 FROM sales WHERE means = 'alipay' LIMIT 1")):
        raise RuntimeError("there are sales paid by Alipay; they cannot be kept")
    _check(MEANS_BEFORE)


def _check(rule: str) -> None:
    with op.batch_alter_table("sales") as batch:
        batch.drop_constraint(op.f("ck_sales_means"), type_="check")
        batch.create_check_constraint(op.f("ck_sales_means"), rule)
