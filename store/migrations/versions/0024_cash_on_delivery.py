"""cash on delivery: sales that are due, couriers, what they took and handed in"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATES = "state IN ('due', 'paid', 'part_refunded', 'refunded', 'cancelled')"
STATES_BEFORE = "state IN ('paid', 'part_refunded', 'refunded')"
DUE = sa.text("state = 'due'")
OPEN = sa.text("hand_in_id IS NULL")


def upgrade() -> None:
    with op.batch_alter_table("sales") as batch:
        batch.drop_constraint(op.f("ck_sales_state"), type_="check")
        batch.create_check_constraint(op.f("ck_sales_state"), STATES)
        batch.create_check_constraint(
            op.f("ck_sales_due"), "state NOT IN ('due', 'cancelled') OR means = 'delivery'"
        )
    op.create_index("ix_sales_due", "sales", ["created_at"], sqlite_where=DUE, postgresql_where=DUE)
    op.create_table(
        "couriers",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_couriers")),
        sa.UniqueConstraint("name", name=op.f("uq_couriers_name")),
    )
    _hand_ins()
    _takings()


def _hand_ins() -> None:
    op.create_table(
        "courier_hand_ins",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("courier_id", BIG_ID, nullable=False),
        sa.Column("location_id", BIG_ID, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("expected_minor", BIG_ID, nullable=False),
        sa.Column("counted_minor", BIG_ID, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("counted_by", BIG_ID, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.CheckConstraint(
            "expected_minor > 0 AND counted_minor >= 0", name=op.f("ck_courier_hand_ins_amounts")
        ),
        sa.CheckConstraint(
            "counted_minor = expected_minor OR reason <> ''",
            name=op.f("ck_courier_hand_ins_reason"),
        ),
        *_keys("courier_hand_ins", courier_id="couriers", location_id="locations",
               counted_by="members"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courier_hand_ins")),
        sa.UniqueConstraint("counted_by", "key", name=op.f("uq_courier_hand_ins_counted_by_key")),
    )  # fmt: skip


def _takings() -> None:
    op.create_table(
        "courier_takings",
        sa.Column("shipment_id", sa.String(length=20), nullable=False),
        sa.Column("sale_id", sa.String(length=20), nullable=False),
        sa.Column("courier_id", BIG_ID, nullable=False),
        sa.Column("amount_minor", BIG_ID, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("hand_in_id", sa.String(length=20), nullable=True),
        sa.Column("made_by", BIG_ID, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_courier_takings_amount")),
        *_keys("courier_takings", shipment_id="shipments", sale_id="sales", courier_id="couriers",
               hand_in_id="courier_hand_ins", made_by="members"),
        sa.PrimaryKeyConstraint("shipment_id", name=op.f("pk_courier_takings")),
    )  # fmt: skip
    op.create_index(
        "ix_courier_takings_courier_id", "courier_takings", ["courier_id"],
        sqlite_where=OPEN, postgresql_where=OPEN,
    )  # fmt: skip
    op.create_index(op.f("ix_courier_takings_sale_id"), "courier_takings", ["sale_id"])
    op.create_index(op.f("ix_courier_takings_hand_in_id"), "courier_takings", ["hand_in_id"])


def downgrade() -> None:
    if op.get_bind().scalar(sa.text("SELECT 1 FROM sales WHERE state IN ('due', 'cancelled')")):
        raise RuntimeError("there are orders to be paid at the door; they cannot be kept")
    op.drop_table("courier_takings")
    op.drop_table("courier_hand_ins")
    op.drop_table("couriers")
    op.drop_index("ix_sales_due", "sales")
    with op.batch_alter_table("sales") as batch:
        batch.drop_constraint(op.f("ck_sales_due"), type_="check")
        batch.drop_constraint(op.f("ck_sales_state"), type_="check")
        batch.create_check_constraint(op.f("ck_sales_state"), STATES_BEFORE)


def _keys(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            [column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}")
        )
        for column, other in columns.items()
    ]
