"""receipts by mail: who wants all of them, and what was asked for"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_wishes",
        sa.Column("member_id", BigId, nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_mail_wishes_member_id_members")
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_mail_wishes")),
    )
    op.create_table(
        "mails_asked",
        sa.Column("member_id", BigId, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_mails_asked_member_id_members")
        ),
        sa.PrimaryKeyConstraint("member_id", "key", name=op.f("pk_mails_asked")),
    )


def downgrade() -> None:
    op.drop_table("mails_asked")
    op.drop_table("mail_wishes")
