"""money paid in at a till, and where it stands in the till's day"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = "kind IN ('sale', 'refund', 'empties', 'courier', 'move')"


def upgrade() -> None:
    op.create_table(
        "pay_ins",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("location_id", BIG_ID, nullable=False),
        sa.Column("member_id", BIG_ID, nullable=False),
        sa.Column("means", sa.String(length=8), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", BIG_ID, nullable=False),
        sa.Column("made_by", BIG_ID, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_pay_ins_amount")),
        sa.CheckConstraint(
            "means = 'cash' OR (means = 'card' AND amount_minor > 0)", name=op.f("ck_pay_ins_means")
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_pay_ins_location_id_locations")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_pay_ins_member_id_members")
        ),
        sa.ForeignKeyConstraint(
            ["made_by"], ["members.id"], name=op.f("fk_pay_ins_made_by_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pay_ins")),
        sa.UniqueConstraint("made_by", "key", name=op.f("uq_pay_ins_made_by_key")),
    )
    op.create_index("ix_pay_ins_made_by_at", "pay_ins", ["made_by", "at"])
    op.create_index(op.f("ix_pay_ins_member_id"), "pay_ins", ["member_id"])
    _kinds(KINDS[:-1] + ", 'pay_in')")


def downgrade() -> None:
    op.execute("DELETE FROM till_entries WHERE kind = 'pay_in'")
    _kinds(KINDS)
    op.drop_index(op.f("ix_pay_ins_member_id"), "pay_ins")
    op.drop_index("ix_pay_ins_made_by_at", "pay_ins")
    op.drop_table("pay_ins")


def _kinds(which: str) -> None:
    with op.batch_alter_table("till_entries") as batch:
        batch.drop_constraint(op.f("ck_till_entries_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_till_entries_kind"), which)
