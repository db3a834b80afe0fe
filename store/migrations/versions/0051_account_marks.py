"""marks along busy accounts: what had come and gone up to a transfer

They are laid by and by, where a statement needs them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_marks",
        sa.Column("account_id", BigId, nullable=False),
        sa.Column("transfer_id", BigId, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("came_minor", BigId, nullable=False),
        sa.Column("went_minor", BigId, nullable=False),
        sa.CheckConstraint(
            "came_minor >= 0 AND went_minor >= 0", name=op.f("ck_account_marks_sums")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_account_marks_account_id_accounts")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfers.id"], name=op.f("fk_account_marks_transfer_id_transfers")
        ),
        sa.PrimaryKeyConstraint("account_id", "transfer_id", name=op.f("pk_account_marks")),
    )
    op.create_index("ix_account_marks_account_id_at", "account_marks", ["account_id", "at"])
    op.add_column(
        "returns", sa.Column("to_account", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    with op.batch_alter_table("returns") as batch_op:
        batch_op.alter_column("to_account", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("returns") as batch_op:
        batch_op.drop_column("to_account")
    op.drop_table("account_marks")
