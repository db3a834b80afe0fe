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
    op.execute("ALTER TABLE locations DROP COLUMN when_empty")
