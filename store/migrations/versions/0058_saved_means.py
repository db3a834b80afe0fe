"""cards that a provider keeps for members, and payments that keep one or are paid by one"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "saved_means",
        sa.Column("id", sa.String(20), nullable=False),
        sa.Column("member_id", BigId, nullable=False),
        sa.Column("gateway", sa.String(16), nullable=False),
        sa.Column("attempt_id", sa.String(20), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("customer", sa.String(128), nullable=False),
        sa.Column("token", sa.String(128), nullable=False),
        sa.Column("brand", sa.String(16), nullable=False),
        sa.Column("last4", sa.String(4), nullable=False),
        sa.Column("exp_month", sa.Integer(), nullable=False),
        sa.Column("exp_year", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("wanted_at", Moment(), nullable=False),
        sa.Column("next_at", Moment(), nullable=False),
        sa.Column("gone_at", Moment(), nullable=True),
        sa.CheckConstraint(
            "state IN ('wanted', 'kept', 'leaving', 'gone')", name=op.f("ck_saved_means_state")
        ),
        sa.CheckConstraint(
            "state IN ('wanted', 'gone') OR token <> ''", name=op.f("ck_saved_means_token")
        ),
        sa.CheckConstraint(
            "(state = 'gone') = (gone_at IS NOT NULL)", name=op.f("ck_saved_means_gone")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_saved_means_member_id_members")
        ),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempts.id"], name=op.f("fk_saved_means_attempt_id_attempts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_means")),
        sa.UniqueConstraint("attempt_id", name=op.f("uq_saved_means_attempt_id")),
    )
    op.create_index("ix_saved_means_member_id", "saved_means", ["member_id"])
    op.create_index("ix_saved_means_state_next_at", "saved_means", ["state", "next_at"])
    op.create_index(
        "uq_saved_means_gateway_token", "saved_means", ["gateway", "token"], unique=True,
        sqlite_where=sa.text("token <> ''"), postgresql_where=sa.text("token <> ''"),
    )  # fmt: skip
    op.add_column(
        "attempts", sa.Column("keeps", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    with op.batch_alter_table("attempts") as batch_op:
        batch_op.alter_column("keeps", server_default=None)
        batch_op.add_column(sa.Column("saved_id", sa.String(20), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("attempts") as batch_op:
        batch_op.drop_column("saved_id")
        batch_op.drop_column("keeps")
    op.drop_table("saved_means")
