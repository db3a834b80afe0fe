"""what one person of the staff may do, where an owner has said so

Without a row they may what staff could do before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staff_rights",
        sa.Column("member_id", BigId, nullable=False),
        sa.Column("rights", sa.JSON(), nullable=False),
        sa.Column("set_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_staff_rights_member_id_members")
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_staff_rights")),
    )


def downgrade() -> None:
    op.drop_table("staff_rights")
