"""who reads the address to which a guest's receipt went may say that the purchase is not theirs"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("guest_mails", sa.Column("denied_at", Moment(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("guest_mails") as table:
        table.drop_column("denied_at")
