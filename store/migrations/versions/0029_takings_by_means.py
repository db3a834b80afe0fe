"""takings are summed up by means of payment, too"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MEASURES = ("sales", "refunds", "quantity", "total_minor", "tax_minor", "refunded_minor")


def upgrade() -> None:
    _made_anew(sa.Column("means", sa.String(length=16), nullable=False))


def downgrade() -> None:
    _made_anew()


def _made_anew(*more: sa.Column[str]) -> None:
    """The table with these keys besides, empty. All sums are in the days of no time zone now: the
    worker sums up anew, and until then the pages read the sales themselves."""
    op.drop_table("takings")
    keys = ("currency", "day", "hour", "location_id", "channel", *(column.name for column in more))
    op.create_table(
        "takings",
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("day", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("hour", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("location_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        *more,
        *(sa.Column(name, BIG_ID, nullable=False) for name in MEASURES),
        sa.PrimaryKeyConstraint(*keys, name=op.f("pk_takings")),
        sqlite_with_rowid=False,
    )
    op.execute("UPDATE reckoning SET time_zone = ''")
