"""consents: what members said about being told of offers"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consents",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("member_id", BigId, nullable=False),
        sa.Column("purpose", sa.String(8), nullable=False),
        sa.Column("channel", sa.String(4), nullable=False),
        sa.Column("what", sa.String(9), nullable=False),
        sa.Column("place", sa.String(9), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("version", BigId, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("from_member_id", BigId, nullable=True),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name="fk_consents_member_id_members"
        ),
        sa.ForeignKeyConstraint(
            ["from_member_id"], ["members.id"], name="fk_consents_from_member_id_members"
        ),
        sa.CheckConstraint("channel IN ('mail', 'sms', 'page')", name="channel"),
        sa.CheckConstraint("purpose = 'offers'", name="purpose"),
        sa.CheckConstraint("what IN ('given', 'withdrawn', 'declined')", name="what"),
        sa.CheckConstraint(
            "place IN ('account', 'receipt', 'link', 'one_click', 'page', 'merge')",
            name="place",
        ),
        sa.CheckConstraint("(what = 'given') = (version > 0 AND words <> '')", name="words"),
        sa.CheckConstraint("(place = 'merge') = (from_member_id IS NOT NULL)", name="from_member"),
    )
    op.create_index("ix_consents_member_id_channel_id", "consents", ["member_id", "channel", "id"])
    op.create_index("ix_consents_from_member_id", "consents", ["from_member_id"])


def downgrade() -> None:
    op.drop_table("consents")
