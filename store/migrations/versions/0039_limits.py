"""limits of a member's account, and the PIN above them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("accounts") as batch:
        batch.add_column(sa.Column("most_buy_minor", BigId, nullable=True))
        batch.add_column(sa.Column("most_day_minor", BigId, nullable=True))
        batch.create_check_constraint(
            op.f("ck_accounts_limits"), "most_buy_minor > 0 AND most_day_minor > 0"
        )
    op.create_table(
        "pins",
        sa.Column("member_id", BigId, nullable=False),
        sa.Column("hash", sa.String(length=200), nullable=False),
        sa.Column("set_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_pins_member_id_members")
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_pins")),
    )


def downgrade() -> None:
    op.drop_table("pins")
    with op.batch_alter_table("accounts") as batch:
        batch.drop_constraint(op.f("ck_accounts_limits"), type_="check")
        batch.drop_column("most_day_minor")
        batch.drop_column("most_buy_minor")
