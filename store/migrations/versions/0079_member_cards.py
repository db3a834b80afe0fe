"""member_cards: numbers on cards by which a till knows whose purchase it is"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "member_cards",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("number", sa.String(40), nullable=False),
        sa.Column("member_id", BigId, nullable=True),
        sa.Column("kind", sa.String(16), nullable=True),
        sa.Column("value", sa.String(254), nullable=True),
        sa.Column("made_by", BigId, nullable=True),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_member_cards_member_id_members")
        ),
        sa.ForeignKeyConstraint(
            ["made_by"], ["members.id"], name=op.f("fk_member_cards_made_by_members")
        ),
        sa.CheckConstraint(
            "(member_id IS NULL) = (value IS NOT NULL)", name=op.f("ck_member_cards_whose")
        ),
        sa.CheckConstraint("(kind IS NULL) = (value IS NULL)", name=op.f("ck_member_cards_waits")),
    )
    op.create_index("ix_member_cards_member_id", "member_cards", ["member_id"])
    op.create_index("ix_member_cards_waits", "member_cards", ["kind", "value"])
    op.create_index(
        "uq_member_cards_live", "member_cards", ["number"], unique=True,
        sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("member_cards")
