"""points that are spent on the lines of sales, and baskets that want it"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("reductions") as table:
        table.add_column(sa.Column("points", BIG_ID, nullable=True))
        table.alter_column("offer_id", existing_type=BIG_ID, nullable=True)
        table.create_check_constraint(
            op.f("ck_reductions_offer_or_points"), "(offer_id IS NULL) = (points IS NOT NULL)"
        )
    with op.batch_alter_table("baskets") as table:
        table.add_column(sa.Column("with_points", BIG_ID, server_default="0", nullable=False))


def downgrade() -> None:
    """What was paid with points is forgotten as a reason: the house before knew none."""
    op.execute("DELETE FROM reductions WHERE offer_id IS NULL")
    with op.batch_alter_table("baskets") as table:
        table.drop_column("with_points")
    with op.batch_alter_table("reductions") as table:
        table.drop_constraint(op.f("ck_reductions_offer_or_points"), type_="check")
        table.alter_column("offer_id", existing_type=BIG_ID, nullable=False)
        table.drop_column("points")
