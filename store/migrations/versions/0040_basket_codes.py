"""a code with which another browser joins a guest's basket"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("baskets") as batch_op:
        batch_op.add_column(sa.Column("code", sa.String(length=8), nullable=True))
        batch_op.add_column(sa.Column("code_ends_at", Moment(), nullable=True))
        batch_op.create_check_constraint(
            op.f("ck_baskets_code"), "(code IS NULL) = (code_ends_at IS NULL)"
        )
        batch_op.create_index("uq_baskets_code", ["code"], unique=True)


def downgrade() -> None:
    with op.batch_alter_table("baskets") as batch_op:
        batch_op.drop_index("uq_baskets_code")
        batch_op.drop_constraint(op.f("ck_baskets_code"), type_="check")
        batch_op.drop_column("code_ends_at")
        batch_op.drop_column("code")
