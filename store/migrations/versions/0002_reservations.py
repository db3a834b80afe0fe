"""reservations; movements say which batch, and why in more words"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REASONS = "reason IN ('received', 'sold', 'returned', 'counted', 'moved', 'found', 'written_off')"
OLD_REASONS = "reason IN ('received', 'sold', 'returned', 'counted', 'moved')"


def upgrade() -> None:
    op.create_table(
        "reservations",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("item_id", BIG_ID, nullable=False),
        sa.Column("location_id", BIG_ID, nullable=False),
        sa.Column("quantity", BIG_ID, nullable=False),
        sa.Column("sale_id", sa.String(length=20), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("ends_at", Moment(), nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("how", sa.String(length=8), nullable=True),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_reservations_quantity")),
        sa.CheckConstraint(
            "how IN ('taken', 'released', 'expired')", name=op.f("ck_reservations_how")
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (how IS NULL)", name=op.f("ck_reservations_ended")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name=op.f("fk_reservations_item_id_items")
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_reservations_location_id_locations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservations")),
    )
    op.create_index(
        "ix_reservations_kept", "reservations", ["item_id", "location_id"],
        sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL"),
    )  # fmt: skip
    op.create_index(op.f("ix_reservations_sale_id"), "reservations", ["sale_id"])
    op.add_column("movements", sa.Column("batch_id", BIG_ID, nullable=True))
    _movements_with(REASONS)


def downgrade() -> None:
    # What the old words do not have becomes a count: the sum over the movements stays.
    op.execute("UPDATE movements SET reason = 'counted' WHERE reason IN ('found', 'written_off')")
    _movements_with(OLD_REASONS)
    with op.batch_alter_table("movements") as batch:
        batch.drop_column("batch_id")
    op.drop_table("reservations")


def _movements_with(reasons: str) -> None:
    """Movements whose reason is one of these."""
    with op.batch_alter_table("movements") as batch:
        batch.drop_constraint(op.f("ck_movements_reason"), type_="check")
        batch.create_check_constraint(op.f("ck_movements_reason"), reasons)
