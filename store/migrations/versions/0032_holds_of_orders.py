"""holds of web orders that a provider is paid for"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("holds", sa.Column("order", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    if op.get_bind().scalar(sa.text('SELECT 1 FROM holds WHERE "order" IS NOT NULL LIMIT 1')):
        raise RuntimeError("there are web orders that wait for a provider; they cannot be kept")
    op.drop_column("holds", "order")
