"""batches, and items whose stock is known by them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("item_id", BIG_ID, nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("recalled_at", Moment(), nullable=True),
        sa.Column("recalled_by", BIG_ID, nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_batches_item_id_items")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
        sa.UniqueConstraint("item_id", "code", name=op.f("uq_batches_item_id_code")),
    )
    known = sa.text("batch_id IS NOT NULL")
    op.create_index(
        "ix_movements_batch_id", "movements", ["batch_id"],
        sqlite_where=known, postgresql_where=known,
    )  # fmt: skip
    op.add_column(
        "items",
        sa.Column("tracks_batches", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    op.drop_column("items", "tracks_batches")
    op.drop_index("ix_movements_batch_id", "movements")
    op.execute("UPDATE movements SET batch_id = NULL WHERE batch_id IS NOT NULL")
    op.drop_table("batches")
