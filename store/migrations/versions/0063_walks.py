"""walk-throughs: staff scan every label of a place, shelf after shelf"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "walks",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("location_id", BigId, nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("opened_by", BigId, nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("ended_by", BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name="fk_walks_location_id_locations"
        ),
        sa.UniqueConstraint("key", name="uq_walks_key"),
    )
    op.create_index("ix_walks_location_id_ended_at", "walks", ["location_id", "ended_at"])
    op.create_table(
        "walk_finds",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("walk_id", BigId, nullable=False),
        sa.Column("key", sa.String(80), nullable=False),
        sa.Column("shelf", sa.String(40), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("what", sa.String(40), nullable=False),
        sa.Column("label_id", sa.String(10), nullable=True),
        sa.Column("item_id", BigId, nullable=True),
        sa.Column("text", sa.String(80), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("member_id", BigId, nullable=False),
        sa.ForeignKeyConstraint(["walk_id"], ["walks.id"], name="fk_walk_finds_walk_id_walks"),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_walk_finds_item_id_items"),
        sa.UniqueConstraint("walk_id", "key", name="uq_walk_finds_walk_id_key"),
    )
    op.create_table(
        "walk_shelves",
        sa.Column("walk_id", BigId, primary_key=True),
        sa.Column("shelf", sa.String(40), primary_key=True),
        sa.Column("closed_at", Moment(), nullable=False),
        sa.Column("closed_by", BigId, nullable=False),
        sa.ForeignKeyConstraint(["walk_id"], ["walks.id"], name="fk_walk_shelves_walk_id_walks"),
    )


def downgrade() -> None:
    for table in ("walk_shelves", "walk_finds", "walks"):
        op.drop_table(table)
