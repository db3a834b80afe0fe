"""the second factor of staff and owners"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _member(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["member_id"], ["members.id"], name=op.f(f"fk_{table}_member_id_members")
    )


def upgrade() -> None:
    op.add_column("sign_ins", sa.Column("second_at", Moment(), nullable=True))
    op.create_table(
        "factors",
        sa.Column("member_id", BIG_ID, nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("set_at", Moment(), nullable=False),
        _member("factors"),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_factors")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("member_id", BIG_ID, nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("used_at", Moment(), nullable=True),
        _member("recovery_codes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
    )
    op.create_index("ix_recovery_codes_member_id", "recovery_codes", ["member_id"])
    op.create_table(
        "half_sign_ins",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("member_id", BIG_ID, nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        _member("half_sign_ins"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_half_sign_ins")),
    )
    op.create_index("ix_half_sign_ins_expires_at", "half_sign_ins", ["expires_at"])
    op.create_index("ix_half_sign_ins_member_id", "half_sign_ins", ["member_id"])


def downgrade() -> None:
    op.drop_table("half_sign_ins")
    op.drop_table("recovery_codes")
    op.drop_table("factors")
    with op.batch_alter_table("sign_ins") as batch:
        batch.drop_column("second_at")
