"""returns, return rules, quarantine"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("locations") as batch_op:
        batch_op.drop_constraint(op.f("ck_locations_kind"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_locations_kind"), "kind IN ('shop', 'warehouse', 'transit', 'quarantine')"
        )
    with op.batch_alter_table("sale_lines") as batch_op:
        batch_op.add_column(
            sa.Column("quantity_returning", BIG_ID, server_default="0", nullable=False)
        )
        batch_op.create_check_constraint(
            op.f("ck_sale_lines_quantity_returning"),
            "quantity_returning >= 0 AND quantity_refunded + quantity_returning <= quantity",
        )
    op.create_table(
        "return_rules",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("item_id", BIG_ID, nullable=True),
        sa.Column("category_id", BIG_ID, nullable=True),
        sa.Column("days", BIG_ID, nullable=False),
        sa.Column("opened", BIG_ID, nullable=False),
        sa.Column("starts_at", Moment(), nullable=False),
        sa.Column("made_by", BIG_ID, nullable=True),
        sa.CheckConstraint("days >= 0", name=op.f("ck_return_rules_days")),
        sa.CheckConstraint("opened IN (0, 1)", name=op.f("ck_return_rules_opened")),
        sa.CheckConstraint(
            "(item_id IS NULL) <> (category_id IS NULL)", name=op.f("ck_return_rules_whose")
        ),
        *_keys("return_rules", item_id="items", category_id="categories", made_by="members"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_rules")),
    )
    op.create_index(op.f("ix_return_rules_item_id"), "return_rules", ["item_id"])
    op.create_index(op.f("ix_return_rules_category_id"), "return_rules", ["category_id"])
    op.create_table(
        "returns",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("sale_id", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("way", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("made_by", BIG_ID, nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("allowed_by", BIG_ID, nullable=True),
        sa.Column("allowed_reason", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "state IN ('declared', 'part_received', 'received', 'cancelled')",
            name=op.f("ck_returns_state"),
        ),
        sa.CheckConstraint("way IN ('shop', 'mail', 'pick_up')", name=op.f("ck_returns_way")),
        *_keys("returns", sale_id="sales", made_by="members", allowed_by="members"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returns")),
        sa.UniqueConstraint("code", name=op.f("uq_returns_code")),
        sa.UniqueConstraint("sale_id", "key", name=op.f("uq_returns_sale_id_key")),
    )
    op.create_index(op.f("ix_returns_state"), "returns", ["state"])
    op.create_table(
        "return_lines",
        sa.Column("return_id", sa.String(length=20), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("quantity", BIG_ID, nullable=False),
        sa.Column("quantity_received", BIG_ID, nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_return_lines_quantity")),
        sa.CheckConstraint(
            "quantity_received BETWEEN 0 AND quantity",
            name=op.f("ck_return_lines_quantity_received"),
        ),
        *_keys("return_lines", return_id="returns"),
        sa.PrimaryKeyConstraint("return_id", "position", name=op.f("pk_return_lines")),
    )
    op.create_table(
        "return_decisions",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("return_id", sa.String(length=20), nullable=False),
        sa.Column("refund_id", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("quantity", BIG_ID, nullable=False),
        sa.Column("decision", sa.String(length=12), nullable=False),
        sa.Column("location_id", BIG_ID, nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("made_by", BIG_ID, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_return_decisions_quantity")),
        sa.CheckConstraint(
            "decision IN ('resell', 'quarantine', 'scrap')",
            name=op.f("ck_return_decisions_decision"),
        ),
        *_keys(
            "return_decisions",
            return_id="returns",
            refund_id="refunds",
            location_id="locations",
            made_by="members",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_decisions")),
    )
    op.create_index(op.f("ix_return_decisions_return_id"), "return_decisions", ["return_id"])
    op.create_index(op.f("ix_return_decisions_refund_id"), "return_decisions", ["refund_id"])


def _keys(table: str, **to: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            [column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}")
        )
        for column, other in to.items()
    ]


def downgrade() -> None:
    """What lies in quarantine has no place in the old tables: it must be moved or written off, and
    its empty places must be gone."""
    if op.get_bind().scalar(sa.text("SELECT 1 FROM locations WHERE kind = 'quarantine' LIMIT 1")):
        raise RuntimeError("there are places of quarantine; they cannot be kept")
    for table in ("return_decisions", "return_lines", "returns", "return_rules"):
        op.drop_table(table)
    with op.batch_alter_table("sale_lines") as batch_op:
        batch_op.drop_constraint(op.f("ck_sale_lines_quantity_returning"), type_="check")
        batch_op.drop_column("quantity_returning")
    with op.batch_alter_table("locations") as batch_op:
        batch_op.drop_constraint(op.f("ck_locations_kind"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_locations_kind"), "kind IN ('shop', 'warehouse', 'transit')"
        )
