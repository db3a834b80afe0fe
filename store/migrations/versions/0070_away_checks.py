"""checks that an exit made without a network"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None


def upgrade() -> None:
    def key(column: str, table: str) -> sa.ForeignKeyConstraint:
        return sa.ForeignKeyConstraint(
            [column], [f"{table}.id"], name=op.f(f"fk_away_checks_{column}_{table}")
        )

    op.create_table(
        "away_checks",
        sa.Column("id", BigId, nullable=False),
        sa.Column("scanner", sa.String(32), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("sale_id", sa.String(20), nullable=True),
        sa.Column("location_id", BigId, nullable=False),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("outcome", sa.String(24), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("skew_s", BigId, nullable=False),
        sa.Column("told_at", Moment(), nullable=False),
        sa.Column("flag", sa.String(16), nullable=True),
        sa.Column("seen_by", BigId, nullable=True),
        sa.Column("seen_at", Moment(), nullable=True),
        key("location_id", "locations"), key("staff_id", "members"), key("seen_by", "members"),
        sa.CheckConstraint(
            "(seen_at IS NULL) = (seen_by IS NULL)", name=op.f("ck_away_checks_seen")
        ),
        sa.CheckConstraint(
            "seen_at IS NULL OR flag IS NOT NULL", name=op.f("ck_away_checks_flagged")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_away_checks")),
        sa.UniqueConstraint("scanner", "key", name=op.f("uq_away_checks_scanner_key")),
    )  # fmt: skip
    op.create_index("ix_away_checks_sale_id", "away_checks", ["sale_id"])
    op.create_index("ix_away_checks_flag", "away_checks", ["location_id", "seen_at", "flag"])


def downgrade() -> None:
    op.drop_table("away_checks")
