"""markdowns: rules of what is near its date"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "markdown_rules",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("item_id", BIG_ID, nullable=True),
        sa.Column("category_id", BIG_ID, nullable=True),
        sa.Column("days", BIG_ID, nullable=False),
        sa.Column("percent", BIG_ID, nullable=False),
        sa.Column("starts_at", Moment(), nullable=False),
        sa.Column("made_by", BIG_ID, nullable=True),
        sa.CheckConstraint("days >= 0", name=op.f("ck_markdown_rules_days")),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name=op.f("ck_markdown_rules_percent")),
        sa.CheckConstraint(
            "item_id IS NULL OR category_id IS NULL", name=op.f("ck_markdown_rules_whose")
        ),
        *_keys("markdown_rules", item_id="items", category_id="categories", made_by="members"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_markdown_rules")),
    )
    op.create_index(op.f("ix_markdown_rules_item_id"), "markdown_rules", ["item_id"])
    op.create_index(op.f("ix_markdown_rules_category_id"), "markdown_rules", ["category_id"])


def downgrade() -> None:
    op.drop_table("markdown_rules")


def _keys(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            [column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}")
        )
        for column, other in columns.items()
    ]
