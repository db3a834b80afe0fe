"""labels keep what they say of their item, to be compared with what it is called now

Of labels of before it is not known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("labels", sa.Column("said", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("labels") as batch_op:
        batch_op.drop_column("said")
