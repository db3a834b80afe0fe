"""work that waits on the shop floor: who sees to it"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "work_taken",
        sa.Column("kind", sa.String(24), primary_key=True),
        sa.Column("location_id", BigId, primary_key=True, autoincrement=False),
        sa.Column("member_id", BigId, nullable=False),
        sa.Column("taken_at", Moment(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("work_taken")
