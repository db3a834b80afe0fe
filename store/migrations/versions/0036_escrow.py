"""money of orders that is held until they have arrived"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "escrows",
        sa.Column("sale_id", sa.String(length=20), nullable=False),
        sa.Column("member_id", BIG_ID, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("held_minor", BIG_ID, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=True),
        sa.Column("released_at", Moment(), nullable=True),
        sa.Column("how", sa.String(length=8), nullable=False),
        sa.CheckConstraint("held_minor >= 0", name=op.f("ck_escrows_held")),
        sa.CheckConstraint(
            "state IN ('waiting', 'arrived', 'disputed', 'released', 'returned')",
            name=op.f("ck_escrows_state"),
        ),
        sa.CheckConstraint(
            "(held_minor > 0) = (state IN ('waiting', 'arrived', 'disputed'))",
            name=op.f("ck_escrows_held_so_long"),
        ),
        sa.CheckConstraint(
            "(state = 'released') = (released_at IS NOT NULL)", name=op.f("ck_escrows_released")
        ),
        sa.CheckConstraint("state <> 'arrived' OR due_at IS NOT NULL", name=op.f("ck_escrows_due")),
        sa.CheckConstraint(
            "how IN ('', 'shopper', 'counter', 'timer', 'decision')", name=op.f("ck_escrows_how")
        ),
        sa.PrimaryKeyConstraint("sale_id", name=op.f("pk_escrows")),
    )
    op.create_index(
        "ix_escrows_due_at",
        "escrows",
        ["due_at"],
        sqlite_where=sa.text("state = 'arrived'"),
        postgresql_where=sa.text("state = 'arrived'"),
    )
    op.create_index("ix_escrows_state_opened_at", "escrows", ["state", "opened_at"])
    op.create_table(
        "complaints",
        sa.Column("sale_id", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("decision", sa.String(length=8), nullable=False),
        sa.Column("refund_id", sa.String(length=20), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("decided_by", BIG_ID, nullable=True),
        sa.Column("decided_at", Moment(), nullable=True),
        sa.CheckConstraint(
            "decision IN ('', 'release', 'refund')", name=op.f("ck_complaints_decision")
        ),
        sa.CheckConstraint(
            "(decision = '') = (decided_at IS NULL)", name=op.f("ck_complaints_decided")
        ),
        sa.ForeignKeyConstraint(
            ["sale_id"], ["escrows.sale_id"], name=op.f("fk_complaints_sale_id_escrows")
        ),
        sa.PrimaryKeyConstraint("sale_id", name=op.f("pk_complaints")),
    )


def downgrade() -> None:
    if op.get_bind().scalar(sa.text("SELECT 1 FROM escrows WHERE held_minor > 0 LIMIT 1")):
        raise RuntimeError("money of orders is held; release it first")
    op.drop_table("complaints")
    op.drop_table("escrows")
