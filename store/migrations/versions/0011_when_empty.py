"""what a place does when its book says zero and the shopper holds the item"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # In words that both databases take: SQLite adds a checked column without copying the table.
    op.execute(
        "ALTER TABLE locations ADD COLUMN when_empty VARCHAR(8) DEFAULT 'refuse' NOT NULL"
        " CONSTRAINT ck_locations_when_empty CHECK (when_empty IN ('refuse', 'sell'))"
    )


def downgrade() -> None:
    # A later migration may have copied the table, and the check with it.
    with op.batch_alter_table("locations") as batch:
        batch.drop_constraint(op.f("ck_locations_when_empty"), type_="check")
        batch.drop_column("when_empty")
