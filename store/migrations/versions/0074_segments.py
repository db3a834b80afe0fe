"""segments: groups of members under a name"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "segments",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("wanted", sa.JSON, nullable=False),
        sa.Column("made_by", BigId, nullable=True),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(["made_by"], ["members.id"], name="fk_segments_made_by_members"),
    )


def downgrade() -> None:
    op.drop_table("segments")
