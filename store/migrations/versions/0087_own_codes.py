"""coupons.member_id, campaigns.own_codes, campaign_members.coupon_id: one member's own codes"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId

revision = "0087"
down_revision = "0086"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("coupons") as batch:
        batch.add_column(sa.Column("member_id", BigId, nullable=True))
        batch.create_foreign_key(
            op.f("fk_coupons_member_id_members"), "members", ["member_id"], ["id"]
        )
        batch.create_index(op.f("ix_coupons_member_id"), ["member_id"])
    with op.batch_alter_table("campaigns") as batch:
        batch.add_column(sa.Column("own_codes", BigId, nullable=False, server_default=sa.text("0")))
    with op.batch_alter_table("campaign_members") as batch:
        batch.add_column(sa.Column("coupon_id", BigId, nullable=True))
        batch.create_foreign_key(
            op.f("fk_campaign_members_coupon_id_coupons"), "coupons", ["coupon_id"], ["id"]
        )


def downgrade() -> None:
    with op.batch_alter_table("campaign_members") as batch:
        batch.drop_constraint(op.f("fk_campaign_members_coupon_id_coupons"), type_="foreignkey")
        batch.drop_column("coupon_id")
    with op.batch_alter_table("campaigns") as batch:
        batch.drop_column("own_codes")
    with op.batch_alter_table("coupons") as batch:
        batch.drop_index(op.f("ix_coupons_member_id"))
        batch.drop_constraint(op.f("fk_coupons_member_id_members"), type_="foreignkey")
        batch.drop_column("member_id")
