"""outside accounts, and the states that came back"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "outside_accounts",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("member_id", BIG_ID, nullable=False),
        sa.Column("provider", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("used_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_outside_accounts_member_id_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_accounts")),
        sa.UniqueConstraint(
            "provider", "subject", name=op.f("uq_outside_accounts_provider_subject")
        ),
    )
    op.create_index("ix_outside_accounts_member_id", "outside_accounts", ["member_id"])
    op.create_table(
        "used_states",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_used_states")),
    )
    op.create_index("ix_used_states_expires_at", "used_states", ["expires_at"])


def downgrade() -> None:
    op.drop_table("used_states")
    op.drop_table("outside_accounts")
