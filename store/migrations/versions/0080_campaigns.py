"""campaigns: what was told to which members, and who was held out"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("segment_id", BigId, nullable=False),
        sa.Column("channel", sa.String(4), nullable=False),
        sa.Column("texts", sa.JSON, nullable=False),
        sa.Column("coupon", sa.String(32), nullable=True),
        sa.Column("held_percent", BigId, nullable=False),
        sa.Column("days", BigId, nullable=False),
        sa.Column("due_at", Moment(), nullable=True),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("made_by", BigId, nullable=True),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("started_at", Moment(), nullable=True),
        sa.Column("drawn_at", Moment(), nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("counted", sa.JSON, nullable=True),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segments.id"], name="fk_campaigns_segment_id_segments"
        ),
        sa.ForeignKeyConstraint(["made_by"], ["members.id"], name="fk_campaigns_made_by_members"),
        sa.CheckConstraint("channel IN ('mail', 'sms', 'page')", name="channel"),
        sa.CheckConstraint(
            "state IN ('draft', 'running', 'paused', 'ended', 'dropped')", name="state"
        ),
        sa.CheckConstraint("held_percent BETWEEN 0 AND 50", name="held_percent"),
        sa.CheckConstraint("days BETWEEN 1 AND 90", name="days"),
        sa.CheckConstraint("drawn_at IS NULL OR started_at IS NOT NULL", name="drawn"),
    )
    op.create_index("ix_campaigns_state", "campaigns", ["state"])
    _members()


def _members() -> None:
    op.create_table(
        "campaign_members",
        sa.Column("campaign_id", BigId, primary_key=True),
        sa.Column("member_id", BigId, primary_key=True),
        sa.Column("channel", sa.String(4), nullable=False),
        sa.Column("held", BigId, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("why", sa.String(12), nullable=False, server_default=""),
        sa.Column("turn_at", Moment(), nullable=True),
        sa.Column("until_at", Moment(), nullable=True),
        sa.Column("told_at", Moment(), nullable=True),
        sa.Column("letter_id", sa.String(20), nullable=True),
        sa.Column("dismissed_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name="fk_campaign_members_campaign_id_campaigns"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name="fk_campaign_members_member_id_members"
        ),
        sa.CheckConstraint(
            "state IN ('drawn', 'passed', 'queued', 'told', 'bounced', 'skipped')", name="state"
        ),
        sa.CheckConstraint("channel IN ('mail', 'sms', 'page')", name="channel"),
        sa.CheckConstraint(
            "held = 0 OR (state IN ('drawn', 'passed') AND told_at IS NULL AND letter_id IS NULL)",
            name="held",
        ),
        sa.CheckConstraint("held = 1 OR state <> 'passed'", name="passed"),
        sa.CheckConstraint("(turn_at IS NULL) = (state = 'drawn')", name="turn"),
        sa.CheckConstraint("(turn_at IS NULL) = (until_at IS NULL)", name="until"),
        sa.CheckConstraint("state <> 'told' OR told_at IS NOT NULL", name="told"),
        sa.CheckConstraint("(why <> '') = (state = 'skipped')", name="why"),
    )
    for name, columns, where in (
        ("drawn", ["campaign_id", "member_id"], "state = 'drawn'"),
        ("letter", ["campaign_id", "letter_id"], "letter_id IS NOT NULL"),
    ):
        op.create_index(
            f"ix_campaign_members_{name}", "campaign_members", columns,
            sqlite_where=sa.text(where), postgresql_where=sa.text(where),
        )  # fmt: skip
    op.create_index(
        "ix_campaign_members_member", "campaign_members", ["member_id", "channel", "turn_at"]
    )


def downgrade() -> None:
    op.drop_table("campaign_members")
    op.drop_table("campaigns")
