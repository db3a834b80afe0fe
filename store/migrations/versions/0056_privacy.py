"""people who have gone, and those who were told that their account is going to be erased"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("members", sa.Column("erased_at", Moment(), nullable=True))
    op.create_table(
        "erasure_notices",
        sa.Column("member_id", BigId, nullable=False),
        sa.Column("told_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_erasure_notices_member_id_members")
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_erasure_notices")),
    )


def downgrade() -> None:
    op.drop_table("erasure_notices")
    with op.batch_alter_table("members") as batch:
        batch.drop_column("erased_at")
