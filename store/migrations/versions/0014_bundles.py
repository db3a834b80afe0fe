"""bundles: items that are sold as one"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    bundle = sa.Column("is_bundle", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("items", bundle)
    op.create_table(
        "bundle_parts",
        sa.Column("bundle_id", BIG_ID, nullable=False),
        sa.Column("item_id", BIG_ID, nullable=False),
        sa.Column("quantity", BIG_ID, nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_bundle_parts_quantity")),
        sa.CheckConstraint("bundle_id <> item_id", name=op.f("ck_bundle_parts_two_items")),
        sa.ForeignKeyConstraint(
            ["bundle_id"], ["items.id"], name=op.f("fk_bundle_parts_bundle_id_items")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name=op.f("fk_bundle_parts_item_id_items")
        ),
        sa.PrimaryKeyConstraint("bundle_id", "item_id", name=op.f("pk_bundle_parts")),
    )


def downgrade() -> None:
    op.drop_table("bundle_parts")
    op.drop_column("items", "is_bundle")
