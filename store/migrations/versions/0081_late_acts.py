"""late acts: what staff did without a network, once; and when an act of the log was done"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0081"
down_revision = "0080"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "late_acts",
        sa.Column("member_id", BigId, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("what", sa.String(40), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("done_at", Moment(), nullable=False),
        sa.Column("arrived_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_late_acts_member_id_members")
        ),
        sa.PrimaryKeyConstraint("member_id", "key", name=op.f("pk_late_acts")),
    )
    op.create_index("ix_late_acts_arrived_at", "late_acts", ["arrived_at"])
    op.create_index("ix_late_acts_member", "late_acts", ["member_id", "arrived_at"])
    op.add_column("acts", sa.Column("done_at", Moment(), nullable=True))


def downgrade() -> None:
    op.drop_column("acts", "done_at")
    op.drop_table("late_acts")
