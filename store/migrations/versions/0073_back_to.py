"""top-ups: the page that the shopper came from, and what is withheld of one that is disputed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attempts", sa.Column("back_to", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("disputes") as batch:
        batch.add_column(sa.Column("withheld_minor", BigId, nullable=False, server_default="0"))
        batch.create_check_constraint(
            op.f("ck_disputes_withheld"), "withheld_minor BETWEEN 0 AND amount_minor"
        )


def downgrade() -> None:
    if op.get_bind().scalar(sa.text("SELECT 1 FROM disputes WHERE withheld_minor > 0 LIMIT 1")):
        raise RuntimeError("There are disputes for which money is withheld, and it must stay so")
    with op.batch_alter_table("disputes") as batch:
        batch.drop_constraint(op.f("ck_disputes_withheld"), type_="check")
        batch.drop_column("withheld_minor")
    op.drop_column("attempts", "back_to")
