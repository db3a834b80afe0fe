"""known ages: what a member lets the shop remember of their age"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0083"
down_revision = "0082"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_ages",
        sa.Column("member_id", BigId, nullable=False),
        sa.Column("wanted_at", Moment(), nullable=False),
        sa.Column("least_age", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("checked_at", Moment(), nullable=True),
        sa.Column("checked_by", BigId, nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_known_ages_member_id_members")
        ),
        sa.ForeignKeyConstraint(
            ["checked_by"], ["members.id"], name=op.f("fk_known_ages_checked_by_members")
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_known_ages")),
    )


def downgrade() -> None:
    op.drop_table("known_ages")
