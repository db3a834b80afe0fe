"""variants: groups of items that differ in size or colour"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "item_groups",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_groups")),
        sa.UniqueConstraint("code", name=op.f("uq_item_groups_code")),
    )
    with op.batch_alter_table("items") as batch_op:
        batch_op.add_column(sa.Column("group_id", BIG_ID, nullable=True))
        batch_op.add_column(
            sa.Column("option_values", sa.JSON(), server_default="[]", nullable=False)
        )
        batch_op.add_column(sa.Column("option_key", sa.String(length=200), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_items_group_id_item_groups"), "item_groups", ["group_id"], ["id"]
        )
        batch_op.create_check_constraint(
            op.f("ck_items_variant"), "(group_id IS NULL) = (option_key IS NULL)"
        )
        batch_op.create_unique_constraint(
            op.f("uq_items_group_id_option_key"), ["group_id", "option_key"]
        )


def downgrade() -> None:
    with op.batch_alter_table("items") as batch_op:
        batch_op.drop_constraint(op.f("uq_items_group_id_option_key"), type_="unique")
        batch_op.drop_constraint(op.f("ck_items_variant"), type_="check")
        batch_op.drop_constraint(op.f("fk_items_group_id_item_groups"), type_="foreignkey")
        batch_op.drop_column("option_key")
        batch_op.drop_column("option_values")
        batch_op.drop_column("group_id")
    op.drop_table("item_groups")
