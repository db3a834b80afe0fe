"""Slips of work with stock, what was written off, and the place of goods in transit."""

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("locations") as batch_op:
        batch_op.drop_constraint(op.f("ck_locations_kind"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_locations_kind"), "kind IN ('shop', 'warehouse', 'transit')"
        )
    op.create_table(
        "slips",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("location_id", BIG, nullable=False),
        sa.Column("target_id", BIG),
        sa.Column("purchase_id", BIG),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("expected_on", sa.Date()),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("opened_by", BIG, nullable=False),
        sa.Column("sent_at", Moment()),
        sa.Column("sent_by", BIG),
        sa.Column("ended_at", Moment()),
        sa.Column("ended_by", BIG),
        sa.Column("how", sa.String(12)),
        sa.CheckConstraint(
            "kind IN ('purchase', 'delivery', 'count', 'transfer')", name=op.f("ck_slips_kind")
        ),
        sa.CheckConstraint("how IN ('done', 'cancelled')", name=op.f("ck_slips_how")),
        sa.CheckConstraint("(ended_at IS NULL) = (how IS NULL)", name=op.f("ck_slips_ended")),
        sa.CheckConstraint(
            "(kind = 'transfer') = (target_id IS NOT NULL)", name=op.f("ck_slips_target")
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_slips_location_id_locations")
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["locations.id"], name=op.f("fk_slips_target_id_locations")
        ),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["slips.id"], name=op.f("fk_slips_purchase_id_slips")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slips")),
        sa.UniqueConstraint("key", name=op.f("uq_slips_key")),
    )
    op.create_index(
        "ix_slips_location_id_kind_ended_at", "slips", ["location_id", "kind", "ended_at"]
    )
    op.create_index("ix_slips_target_id", "slips", ["target_id"])
    op.create_index(op.f("ix_slips_purchase_id"), "slips", ["purchase_id"])
    op.create_table(
        "slip_scans",
        sa.Column("id", BIG, nullable=False),
        sa.Column("slip_id", BIG, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("stage", sa.String(4), nullable=False),
        sa.Column("item_id", BIG, nullable=False),
        sa.Column("quantity", BIG, nullable=False),
        sa.Column("anew", sa.Boolean(), nullable=False),
        sa.Column("book", BIG),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_slip_scans_quantity")),
        sa.CheckConstraint("stage IN ('out', 'in')", name=op.f("ck_slip_scans_stage")),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name=op.f("fk_slip_scans_item_id_items")
        ),
        sa.ForeignKeyConstraint(
            ["slip_id"], ["slips.id"], name=op.f("fk_slip_scans_slip_id_slips")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slip_scans")),
        sa.UniqueConstraint(
            "slip_id", "key", "item_id", name=op.f("uq_slip_scans_slip_id_key_item_id")
        ),
    )
    op.create_table(
        "slip_lines",
        sa.Column("slip_id", BIG, nullable=False),
        sa.Column("item_id", BIG, nullable=False),
        sa.Column("expected", BIG, nullable=False),
        sa.Column("done", BIG, nullable=False),
        sa.CheckConstraint("expected >= 0", name=op.f("ck_slip_lines_expected")),
        sa.CheckConstraint("done >= 0", name=op.f("ck_slip_lines_done")),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name=op.f("fk_slip_lines_item_id_items")
        ),
        sa.ForeignKeyConstraint(
            ["slip_id"], ["slips.id"], name=op.f("fk_slip_lines_slip_id_slips")
        ),
        sa.PrimaryKeyConstraint("slip_id", "item_id", name=op.f("pk_slip_lines")),
    )
    op.create_index("ix_slip_lines_item_id", "slip_lines", ["item_id"])
    op.create_table(
        "write_offs",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("item_id", BIG, nullable=False),
        sa.Column("location_id", BIG, nullable=False),
        sa.Column("quantity", BIG, nullable=False),
        sa.Column("why", sa.String(16), nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("member_id", BIG),
        sa.Column("at", Moment(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_write_offs_quantity")),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name=op.f("fk_write_offs_item_id_items")
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_write_offs_location_id_locations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_write_offs")),
        sa.UniqueConstraint("key", name=op.f("uq_write_offs_key")),
    )
    op.create_index("ix_write_offs_at", "write_offs", ["at"])


def downgrade() -> None:
    for table in ("write_offs", "slip_lines", "slip_scans", "slips"):
        op.drop_table(table)
    # What is in transit is nowhere else, so the place stays as a warehouse.
    op.execute("UPDATE locations SET kind = 'warehouse' WHERE kind = 'transit'")
    with op.batch_alter_table("locations") as batch_op:
        batch_op.drop_constraint(op.f("ck_locations_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_locations_kind"), "kind IN ('shop', 'warehouse')")
