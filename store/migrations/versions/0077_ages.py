"""ages: from which age an item is, and who was looked at before it left"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import BigId, Moment

revision = "0077"
down_revision = "0076"
branch_labels = None
depends_on = None

_TABLES = ("items", "sale_lines")


def upgrade() -> None:
    for table in _TABLES:
        # With its check in the same clause no table is copied, however many sales there are.
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN least_age INTEGER NOT NULL DEFAULT 0 "
            f"CONSTRAINT ck_{table}_least_age CHECK (least_age BETWEEN 0 AND 99)"
        )
    op.create_table(
        "age_checks",
        sa.Column("sale_id", sa.String(20), nullable=False),
        sa.Column("least_age", sa.Integer(), nullable=False),
        sa.Column("location_id", BigId, nullable=False),
        sa.Column("way", sa.String(8), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("staff_id", BigId, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("ended_by", BigId, nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("refund_id", sa.String(20), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'yes', 'no', 'known', 'missed')", name=op.f("ck_age_checks_state")
        ),
        sa.CheckConstraint(
            "way IN ('exit', 'till', 'counter', 'door')", name=op.f("ck_age_checks_way")
        ),
        sa.CheckConstraint("least_age BETWEEN 1 AND 99", name=op.f("ck_age_checks_least_age")),
        sa.CheckConstraint(
            "(state = 'open') = (ended_at IS NULL)", name=op.f("ck_age_checks_ended")
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_age_checks_ended_by")
        ),
        sa.CheckConstraint(
            "refund_id IS NULL OR state = 'no'", name=op.f("ck_age_checks_refund")
        ),
        sa.ForeignKeyConstraint(
            ["sale_id"], ["sales.id"], name=op.f("fk_age_checks_sale_id_sales")
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_age_checks_location_id_locations")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["members.id"], name=op.f("fk_age_checks_staff_id_members")
        ),
        sa.ForeignKeyConstraint(
            ["ended_by"], ["members.id"], name=op.f("fk_age_checks_ended_by_members")
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["refunds.id"], name=op.f("fk_age_checks_refund_id_refunds")
        ),
        sa.PrimaryKeyConstraint("sale_id", "least_age", name=op.f("pk_age_checks")),
    )  # fmt: skip
    op.create_index("ix_age_checks_location_id_at", "age_checks", ["location_id", "at"])


def downgrade() -> None:
    op.drop_table("age_checks")
    for table in reversed(_TABLES):
        if op.get_bind().dialect.name == "postgresql":
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_least_age")
        op.drop_column(table, "least_age")
