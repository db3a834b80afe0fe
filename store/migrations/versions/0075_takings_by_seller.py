"""takings of items are summed up by whose they were, too"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None

KEYS = ("months", "day", "item_id", "location_id")
MEASURES = ("sales", "refunds", "quantity", "total_minor", "tax_minor", "refunded_minor")


def upgrade() -> None:
    _made_anew(sa.Column("seller_id", BigId, autoincrement=False, nullable=False))


def downgrade() -> None:
    _made_anew()


def _made_anew(*more: sa.Column[int]) -> None:
    """The table with these keys besides, empty. All sums are in the days of no time zone now: the
    worker sums up anew, and until then the pages read the sales themselves."""
    op.drop_table("takings_of_items")
    op.create_table(
        "takings_of_items",
        sa.Column("currency", sa.String(3), nullable=False),
        *(sa.Column(name, BigId, autoincrement=False, nullable=False) for name in KEYS),
        sa.Column("channel", sa.String(8), nullable=False),
        *more,
        *(sa.Column(name, BigId, nullable=False) for name in MEASURES),
        sa.PrimaryKeyConstraint(
            "currency", *KEYS, "channel", *(column.name for column in more),
            name=op.f("pk_takings_of_items"),
        ),
        sqlite_with_rowid=False,
    )  # fmt: skip
    op.create_index(
        "ix_takings_of_items_item_id",
        "takings_of_items",
        ["item_id", "currency", "months", "day"],
    )
    op.execute("UPDATE reckoning SET time_zone = ''")
