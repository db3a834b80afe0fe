"""a till's purchase keys are unique per seller, whoever buys"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A key that one seller used for two members stays with the first sale of the two.
    op.execute(
        "UPDATE sales SET key = id WHERE sold_by IS NOT NULL AND EXISTS ("
        " SELECT 1 FROM sales AS earlier WHERE earlier.sold_by = sales.sold_by"
        " AND earlier.key = sales.key AND earlier.id < sales.id)"
    )
    op.drop_index("uq_sales_sold_by_key", "sales")
    _index("sold_by IS NOT NULL")


def downgrade() -> None:
    op.drop_index("uq_sales_sold_by_key", "sales")
    _index("member_id IS NULL")


def _index(where: str) -> None:
    op.create_index(
        "uq_sales_sold_by_key", "sales", ["sold_by", "key"], unique=True,
        sqlite_where=sa.text(where), postgresql_where=sa.text(where),
    )  # fmt: skip
