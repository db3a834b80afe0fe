"""a first one among a member's signs, and signs that were removed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

NAME = "ck_identifier_changes_what"


def upgrade() -> None:
    op.add_column("identifiers", sa.Column("first_at", Moment(), nullable=True))
    with op.batch_alter_table("identifier_changes") as batch:
        batch.drop_constraint(op.f(NAME), type_="check")
        batch.create_check_constraint(op.f(NAME), "what IN ('proven', 'moved', 'removed')")


def downgrade() -> None:
    # What the older schema has no word for says that the sign belongs to the member no more.
    op.execute("UPDATE identifier_changes SET what = 'moved' WHERE what = 'removed'")
    with op.batch_alter_table("identifier_changes") as batch:
        batch.drop_constraint(op.f(NAME), type_="check")
        batch.create_check_constraint(op.f(NAME), "what IN ('proven', 'moved')")
    with op.batch_alter_table("identifiers") as batch:
        batch.drop_column("first_at")
