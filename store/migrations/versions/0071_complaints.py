"""complaints at providers: they stand among the disputes, move no money, and are answered"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None

STATE = (
    "(kind = 'dispute' AND state IN ('open', 'won', 'lost')) OR "
    "(kind = 'complaint' AND state IN ('open', 'answered', 'ended'))"
)


def upgrade() -> None:
    with op.batch_alter_table("disputes") as table:
        table.add_column(sa.Column("kind", sa.String(10), nullable=False, server_default="dispute"))
        table.add_column(sa.Column("words", sa.Text(), nullable=False, server_default=""))
        table.add_column(sa.Column("phone", sa.String(32), nullable=False, server_default=""))
        table.add_column(sa.Column("told_at", Moment(), nullable=True))
        table.drop_constraint(op.f("ck_disputes_state"), type_="check")
        table.drop_constraint(op.f("ck_disputes_closed"), type_="check")
        table.create_check_constraint(op.f("ck_disputes_state"), STATE)
        table.create_check_constraint(
            op.f("ck_disputes_closed"), "(state IN ('open', 'answered')) = (closed_at IS NULL)"
        )
        table.create_check_constraint(
            op.f("ck_disputes_told"), "(kind = 'complaint') = (told_at IS NOT NULL)"
        )
    with op.batch_alter_table("disputes") as table:
        for name in ("kind", "words", "phone"):
            table.alter_column(name, server_default=None)
    op.create_table(
        "dispute_answers",
        sa.Column("id", sa.String(20), primary_key=True),
        sa.Column("dispute_id", sa.String(20), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("words", sa.String(200), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("said_by", BigId, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'refused')", name=op.f("ck_dispute_answers_state")
        ),
        sa.ForeignKeyConstraint(
            ["dispute_id"], ["disputes.id"], name="fk_dispute_answers_dispute_id_disputes"
        ),
        sa.UniqueConstraint("dispute_id", "key", name="uq_dispute_answers_dispute_id_key"),
    )


def downgrade() -> None:
    if op.get_bind().scalar(sa.text("SELECT 1 FROM disputes WHERE kind = 'complaint' LIMIT 1")):
        raise RuntimeError("there are complaints; they cannot be kept")
    op.drop_table("dispute_answers")
    with op.batch_alter_table("disputes") as table:
        for name in ("ck_disputes_state", "ck_disputes_closed", "ck_disputes_told"):
            table.drop_constraint(op.f(name), type_="check")
        table.create_check_constraint(op.f("ck_disputes_state"), "state IN ('open', 'won', 'lost')")
        table.create_check_constraint(
            op.f("ck_disputes_closed"), "(state = 'open') = (closed_at IS NULL)"
        )
        for name in ("told_at", "phone", "words", "kind"):
            table.drop_column(name)
