"""tiers of members, and offers for who has reached one"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tier_plans",
        sa.Column("id", BigId, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("basis", sa.String(8), nullable=False),
        sa.Column("days", BigId, nullable=False),
        sa.Column("tiers", sa.JSON(), nullable=False),
        sa.Column("made_by", BigId, nullable=True),
        sa.Column("made_at", Moment(), nullable=False),
        sa.CheckConstraint("basis IN ('spending', 'points')", name=op.f("ck_tier_plans_basis")),
        sa.CheckConstraint("days > 0", name=op.f("ck_tier_plans_days")),
        sa.ForeignKeyConstraint(
            ["made_by"], ["members.id"], name=op.f("fk_tier_plans_made_by_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tier_plans")),
    )
    with op.batch_alter_table("offers") as table:
        table.add_column(sa.Column("tier", BigId, nullable=True))
        table.drop_constraint(op.f("ck_offers_audience"), type_="check")
        table.create_check_constraint(
            op.f("ck_offers_audience"), "audience IN ('all', 'members', 'first', 'tier')"
        )
        table.create_check_constraint(
            op.f("ck_offers_tier"), "(audience = 'tier') = (tier IS NOT NULL)"
        )


def downgrade() -> None:
    """Offers for a tier are over: the house before knew none, and they were never for all members.
    What they took off keeps its reasons."""
    offers = sa.table(
        "offers", sa.column("made_at"), sa.column("ended_at"), sa.column("audience"),
        sa.column("tier"),
    )  # fmt: skip
    op.execute(
        offers.update()
        .where(offers.c.audience == "tier")
        .values(
            ended_at=sa.func.coalesce(offers.c.ended_at, offers.c.made_at),
            audience="members",
            tier=None,
        )
    )
    with op.batch_alter_table("offers") as table:
        table.drop_constraint(op.f("ck_offers_tier"), type_="check")
        table.drop_constraint(op.f("ck_offers_audience"), type_="check")
        table.create_check_constraint(
            op.f("ck_offers_audience"), "audience IN ('all', 'members', 'first')"
        )
        table.drop_column("tier")
    op.drop_table("tier_plans")
