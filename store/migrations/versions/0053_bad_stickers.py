"""stickers that are not what they should be, until somebody has seen to them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bad_stickers",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("sign", sa.String(48), nullable=False),
        sa.Column("label_id", sa.String(10), nullable=True),
        sa.Column("item_id", BigId, nullable=True),
        sa.Column("location_id", BigId, nullable=False),
        sa.Column("shelf", sa.String(40), nullable=False),
        sa.Column("times", BigId, nullable=False),
        sa.Column("first_at", Moment(), nullable=False),
        sa.Column("last_at", Moment(), nullable=False),
        sa.Column("seen_by", BigId, nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("ended_by", BigId, nullable=True),
        sa.Column("how", sa.String(10), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_bad_stickers_item_id_items"),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name="fk_bad_stickers_location_id_locations"
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (how IS NULL)", name="ended"),
        sa.CheckConstraint("how IN ('replaced', 'removed', 'right')", name="how"),
    )
    op.create_index(
        "uq_bad_stickers_open", "bad_stickers", ["kind", "sign", "location_id"], unique=True,
        sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL"),
    )  # fmt: skip
    op.create_index(
        "ix_bad_stickers_location_id_ended_at", "bad_stickers", ["location_id", "ended_at"]
    )


def downgrade() -> None:
    op.drop_table("bad_stickers")
