"""sales paid through a gateway: what is held while somebody pays, and what goes back"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MEANS = "means IN ('account', 'cash', 'card', 'delivery', 'simulated', 'stripe', 'alipay')"
MEANS_BEFORE = "means IN ('account', 'cash', 'card', 'delivery')"


def upgrade() -> None:
    _check(MEANS)
    op.create_table(
        "holds",
        sa.Column("attempt_id", sa.String(length=20), nullable=False),
        sa.Column("location_id", BIG_ID, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempts.id"], name=op.f("fk_holds_attempt_id_attempts")
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_holds_location_id_locations")
        ),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_holds")),
    )
    op.create_table(
        "paybacks",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("attempt_id", sa.String(length=20), nullable=False),
        sa.Column("amount_minor", BIG_ID, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("reference", sa.String(length=128), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("next_at", Moment(), nullable=False),
        sa.Column("settled_at", Moment(), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_paybacks_amount")),
        sa.CheckConstraint(
            "state IN ('waiting', 'done', 'refused')", name=op.f("ck_paybacks_state")
        ),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempts.id"], name=op.f("fk_paybacks_attempt_id_attempts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paybacks")),
    )
    op.create_index("ix_paybacks_state_next_at", "paybacks", ["state", "next_at"])
    op.create_index("ix_paybacks_attempt_id", "paybacks", ["attempt_id"])


def downgrade() -> None:
    if op.get_bind().scalar(sa.text("SELECT 1 FROM attempts WHERE purpose = 'sale' LIMIT 1")):
        raise RuntimeError("there are sales paid through a gateway; they cannot be kept")
    op.drop_table("paybacks")
    op.drop_table("holds")
    _check(MEANS_BEFORE)


def _check(rule: str) -> None:
    with op.batch_alter_table("sales") as batch:
        batch.drop_constraint(op.f("ck_sales_means"), type_="check")
        batch.create_check_constraint(op.f("ck_sales_means"), rule)
