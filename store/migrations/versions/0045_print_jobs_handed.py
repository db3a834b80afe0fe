"""print jobs know how many of their labels were handed to a printer

Jobs of before count as printed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MEMBER = "fk_print_jobs_handed_by_members"


def upgrade() -> None:
    with op.batch_alter_table("print_jobs") as batch_op:
        batch_op.add_column(
            sa.Column("languages", sa.String(length=40), nullable=False, server_default="")
        )
        batch_op.add_column(sa.Column("dpi", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("handed", BIG_ID, nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("handed_at", Moment(), nullable=True))
        batch_op.add_column(sa.Column("handed_by", BIG_ID, nullable=True))
        batch_op.create_foreign_key(op.f(MEMBER), "members", ["handed_by"], ["id"])
    op.execute("UPDATE print_jobs SET handed = count, handed_at = created_at, handed_by = made_by")
    with op.batch_alter_table("print_jobs") as batch_op:
        batch_op.alter_column("languages", server_default=None)
        batch_op.alter_column("dpi", server_default=None)
        batch_op.alter_column("handed", server_default=None)
        batch_op.create_check_constraint(
            op.f("ck_print_jobs_handed"), "handed >= 0 AND handed <= count"
        )


def downgrade() -> None:
    with op.batch_alter_table("print_jobs") as batch_op:
        batch_op.drop_constraint(op.f("ck_print_jobs_handed"), type_="check")
        batch_op.drop_constraint(op.f(MEMBER), type_="foreignkey")
        for column in ("handed_by", "handed_at", "handed", "dpi", "languages"):
            batch_op.drop_column(column)
