"""who wants the figures of each day by mail"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0085"
down_revision = "0084"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "daily_mails",
        sa.Column("member_id", BigId, nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("last_day", BigId, nullable=False),
        sa.Column("tested_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_daily_mails")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_daily_mails_member_id_members")
        ),
    )


def downgrade() -> None:
    op.drop_table("daily_mails")
