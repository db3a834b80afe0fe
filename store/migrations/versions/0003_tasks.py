"""Tasks: what staff must look at."""

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OF_ITEM = sa.text("closed_at IS NULL AND item_id IS NOT NULL")
OF_PLACE = sa.text("closed_at IS NULL AND item_id IS NULL")


def upgrade() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("location_id", BIG, nullable=False),
        sa.Column("item_id", BIG),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("times", BIG, nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("opened_by", BIG),
        sa.Column("taken_at", Moment()),
        sa.Column("taken_by", BIG),
        sa.Column("closed_at", Moment()),
        sa.Column("closed_by", BIG),
        sa.CheckConstraint("(taken_by IS NULL) = (taken_at IS NULL)", name=op.f("ck_tasks_taken")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_tasks_item_id_items")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_tasks_location_id_locations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
    )
    op.create_index(
        "uq_tasks_open_item", "tasks", ["kind", "location_id", "item_id"], unique=True,
        sqlite_where=OF_ITEM, postgresql_where=OF_ITEM,
    )  # fmt: skip
    op.create_index(
        "uq_tasks_open_place", "tasks", ["kind", "location_id"], unique=True,
        sqlite_where=OF_PLACE, postgresql_where=OF_PLACE,
    )  # fmt: skip
    op.create_index("ix_tasks_location_id_closed_at", "tasks", ["location_id", "closed_at"])


def downgrade() -> None:
    op.drop_table("tasks")
