"""takings_of_members: the index of a member serves days, months and years"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0088"
down_revision = "0087"
branch_labels = None
depends_on = None

_INDEX = "ix_takings_of_members_member_id"


def upgrade() -> None:
    op.drop_index(_INDEX, "takings_of_members")
    op.create_index(_INDEX, "takings_of_members", ["member_id", "months", "currency", "day"])


def downgrade() -> None:
    op.drop_index(_INDEX, "takings_of_members")
    op.create_index(
        _INDEX, "takings_of_members", ["member_id", "currency", "day"],
        sqlite_where=sa.text("months = 1"), postgresql_where=sa.text("months = 1"),
    )  # fmt: skip
