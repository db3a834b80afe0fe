"""how often labels are scanned, and what was sold from them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId

revision = "0084"
down_revision = "0083"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "label_scans",
        sa.Column("months", BigId, autoincrement=False, nullable=False),
        sa.Column("day", BigId, autoincrement=False, nullable=False),
        sa.Column("label_id", sa.String(10), nullable=False),
        *(sa.Column(name, BigId, nullable=False) for name in ("scans", "looks", "baskets")),
        sa.PrimaryKeyConstraint("months", "day", "label_id", name=op.f("pk_label_scans")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "label_sales",
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("months", BigId, autoincrement=False, nullable=False),
        sa.Column("day", BigId, autoincrement=False, nullable=False),
        sa.Column("label_id", sa.String(16), nullable=False),
        *(sa.Column(name, BigId, nullable=False) for name in ("sales", "units", "total_minor")),
        sa.PrimaryKeyConstraint(
            "currency", "months", "day", "label_id", name=op.f("pk_label_sales")
        ),
        sqlite_with_rowid=False,
    )
    # What was sold so far is summed up by the worker, as after a change of the time zone.
    op.execute("UPDATE reckoning SET time_zone = ''")


def downgrade() -> None:
    op.drop_table("label_sales")
    op.drop_table("label_scans")
