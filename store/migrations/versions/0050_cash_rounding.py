"""what cash is rounded by: of sales, refunds and empties"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

IN_CASH = "rounding_minor = 0 OR (means = 'cash' AND total_minor + rounding_minor >= 0)"
RULES = {
    "sales": IN_CASH,
    "refunds": "rounding_minor = 0 OR total_minor - account_minor + rounding_minor >= 0",
    "empties": IN_CASH,
}


def upgrade() -> None:
    for table, rule in RULES.items():
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("rounding_minor", BigId, nullable=False, server_default="0"))
            batch.create_check_constraint(op.f(f"ck_{table}_rounding"), rule)


def downgrade() -> None:
    for table in reversed(RULES):
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(op.f(f"ck_{table}_rounding"), type_="check")
            batch.drop_column("rounding_minor")
