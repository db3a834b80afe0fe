"""batches on what is scanned for a slip"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("slip_scans") as batch:
        batch.add_column(sa.Column("batch", sa.String(20), nullable=False, server_default=""))
        batch.add_column(sa.Column("expires_on", sa.Date(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("slip_scans") as batch:
        batch.drop_column("expires_on")
        batch.drop_column("batch")
