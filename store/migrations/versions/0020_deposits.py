"""deposits: kinds, their lines in sales, empties that came back"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "deposits",
        sa.Column("item_id", BIG_ID, nullable=False),
        sa.Column("amount_minor", BIG_ID, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_deposits_amount")),
        *_keys("deposits", item_id="items"),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_deposits")),
    )
    with op.batch_alter_table("items") as batch_op:
        batch_op.add_column(sa.Column("deposit_id", BIG_ID, nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_items_deposit_id_items"), "items", ["deposit_id"], ["id"]
        )
    with op.batch_alter_table("sale_lines") as batch_op:
        batch_op.add_column(sa.Column("of_position", sa.Integer(), nullable=True))
        batch_op.drop_constraint(op.f("ck_sale_lines_kind"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_sale_lines_kind"), "kind IN ('goods', 'shipping', 'deposit')"
        )
        batch_op.create_check_constraint(
            op.f("ck_sale_lines_of_position"), "(kind = 'deposit') = (of_position IS NOT NULL)"
        )
    op.create_table(
        "empties",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("location_id", BIG_ID, nullable=False),
        sa.Column("member_id", BIG_ID, nullable=True),
        sa.Column("means", sa.String(length=16), nullable=False),
        sa.Column("sale_id", sa.String(length=20), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total_minor", BIG_ID, nullable=False),
        sa.Column("made_by", BIG_ID, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.CheckConstraint("total_minor > 0", name=op.f("ck_empties_total")),
        sa.CheckConstraint("means IN ('account', 'cash', 'card')", name=op.f("ck_empties_means")),
        sa.CheckConstraint(
            "member_id IS NOT NULL OR means <> 'account'", name=op.f("ck_empties_whose_account")
        ),
        sa.CheckConstraint(
            "sale_id IS NOT NULL OR means <> 'card'", name=op.f("ck_empties_card_of_sale")
        ),
        *_keys(
            "empties", location_id="locations", member_id="members", sale_id="sales",
            made_by="members",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_empties")),
        sa.UniqueConstraint("made_by", "key", name=op.f("uq_empties_made_by_key")),
    )  # fmt: skip
    op.create_index(op.f("ix_empties_sale_id"), "empties", ["sale_id"])
    op.create_table(
        "empty_lines",
        sa.Column("empties_id", sa.String(length=20), nullable=False),
        sa.Column("item_id", BIG_ID, nullable=False),
        sa.Column("quantity", BIG_ID, nullable=False),
        sa.Column("total_minor", BIG_ID, nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_empty_lines_quantity")),
        *_keys("empty_lines", empties_id="empties", item_id="items"),
        sa.PrimaryKeyConstraint("empties_id", "item_id", name=op.f("pk_empty_lines")),
    )


def downgrade() -> None:
    op.drop_table("empty_lines")
    op.drop_table("empties")
    # What was charged was charged: it stays a line that is no goods.
    op.execute("UPDATE sale_lines SET of_position = NULL, kind = 'shipping' WHERE kind = 'deposit'")
    with op.batch_alter_table("sale_lines") as batch_op:
        batch_op.drop_constraint(op.f("ck_sale_lines_of_position"), type_="check")
        batch_op.drop_constraint(op.f("ck_sale_lines_kind"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_sale_lines_kind"), "kind IN ('goods', 'shipping')"
        )
        batch_op.drop_column("of_position")
    with op.batch_alter_table("items") as batch_op:
        batch_op.drop_constraint(op.f("fk_items_deposit_id_items"), type_="foreignkey")
        batch_op.drop_column("deposit_id")
    op.drop_table("deposits")


def _keys(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            [column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}")
        )
        for column, other in columns.items()
    ]
