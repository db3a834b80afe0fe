"""one-time codes, and what became of the signs that people are known by"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "codes",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("visit", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=254), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sent", sa.String(length=8), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("used_at", Moment(), nullable=True),
        sa.Column("done_at", Moment(), nullable=True),
        sa.CheckConstraint("tries BETWEEN 0 AND 5", name=op.f("ck_codes_tries")),
        sa.CheckConstraint("sent IN ('soon', 'sent', 'failed')", name=op.f("ck_codes_sent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_codes")),
    )
    op.create_index("ix_codes_created_at", "codes", ["created_at"])
    still_open = sa.text("done_at IS NULL")
    op.create_index(
        "ix_codes_open", "codes", ["visit"],
        sqlite_where=still_open, postgresql_where=still_open,
    )  # fmt: skip
    op.create_table(
        "identifier_changes",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("member_id", BIG_ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=254), nullable=False),
        sa.Column("what", sa.String(length=8), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.CheckConstraint("what IN ('proven', 'moved')", name=op.f("ck_identifier_changes_what")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_identifier_changes_member_id_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identifier_changes")),
    )
    op.create_index("ix_identifier_changes_member_id", "identifier_changes", ["member_id"])


def downgrade() -> None:
    op.drop_table("identifier_changes")
    op.drop_table("codes")
