"""parts of a payment that stand on the account, set aside while a gateway brings the rest"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "asides",
        sa.Column("attempt_id", sa.String(length=20), nullable=False),
        sa.Column("member_id", BigId, nullable=False),
        sa.Column("amount_minor", BigId, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("is_confirmed", sa.Boolean(), nullable=False),
        sa.Column("set_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_asides_amount")),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["attempts.id"], name=op.f("fk_asides_attempt_id_attempts")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_asides_member_id_members")
        ),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_asides")),
    )
    held = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_asides_held", "asides", ["member_id"], sqlite_where=held, postgresql_where=held
    )
    with op.batch_alter_table("sales") as batch:
        batch.add_column(sa.Column("account_minor", BigId, nullable=False, server_default="0"))
        batch.create_check_constraint(
            op.f("ck_sales_account"),
            "account_minor = 0 OR (account_minor BETWEEN 1 AND total_minor - 1 "
            "AND member_id IS NOT NULL AND means <> 'account')",
        )
    with op.batch_alter_table("refunds") as batch:
        batch.add_column(sa.Column("account_minor", BigId, nullable=False, server_default="0"))
        batch.create_check_constraint(
            op.f("ck_refunds_account"), "account_minor BETWEEN 0 AND total_minor"
        )


def downgrade() -> None:
    with op.batch_alter_table("refunds") as batch:
        batch.drop_constraint(op.f("ck_refunds_account"), type_="check")
        batch.drop_column("account_minor")
    with op.batch_alter_table("sales") as batch:
        batch.drop_constraint(op.f("ck_sales_account"), type_="check")
        batch.drop_column("account_minor")
    op.drop_index("ix_asides_held", table_name="asides")
    op.drop_table("asides")
