"""cohorts of members by the month of their first purchase, and an index for a member's months"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None

_INDEX = "ix_takings_of_members_member_id"


def upgrade() -> None:
    op.create_table(
        "cohorts",
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("first", BigId, nullable=False, autoincrement=False),
        sa.Column("day", BigId, nullable=False, autoincrement=False),
        *(sa.Column(name, BigId, nullable=False) for name in ("shoppers", "sales", "total_minor")),
        sa.PrimaryKeyConstraint("currency", "first", "day", name=op.f("pk_cohorts")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        _INDEX, "takings_of_members", ["member_id", "currency", "day"],
        sqlite_where=sa.text("months = 1"), postgresql_where=sa.text("months = 1"),
    )  # fmt: skip
    op.execute(
        """INSERT INTO cohorts (currency, first, day, shoppers, sales, total_minor)
           SELECT currency, first, day, SUM(CASE WHEN sales > 0 THEN 1 ELSE 0 END), SUM(sales),
                  SUM(total_minor)
             FROM (SELECT currency, day, sales, total_minor,
                          MIN(day) OVER (PARTITION BY currency, member_id) AS first
                     FROM (SELECT currency, member_id, day, SUM(sales) AS sales,
                                  SUM(total_minor) AS total_minor
                             FROM takings_of_members WHERE months = 1 AND member_id <> 0
                            GROUP BY currency, member_id, day
                           HAVING SUM(sales) <> 0 OR SUM(total_minor) <> 0) AS of_month
                  ) AS of_member
            GROUP BY currency, first, day"""
    )


def downgrade() -> None:
    op.drop_index(_INDEX, "takings_of_members")
    op.drop_table("cohorts")
