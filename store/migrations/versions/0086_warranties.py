"""return_rules.warranty_months: for how long goods have a guarantee"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId

revision = "0086"
down_revision = "0085"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("return_rules") as batch:
        batch.add_column(
            sa.Column("warranty_months", BigId, nullable=False, server_default=sa.text("0"))
        )
        batch.create_check_constraint(op.f("ck_return_rules_warranty"), "warranty_months >= 0")


def downgrade() -> None:
    with op.batch_alter_table("return_rules") as batch:
        batch.drop_constraint(op.f("ck_return_rules_warranty"), type_="check")
        batch.drop_column("warranty_months")
