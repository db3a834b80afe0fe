"""delivery: places, zones and rates, addresses, shipments; how a sale comes to the shopper"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.db import Moment

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _where_to() -> list[sa.Column]:
    return [
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("street", sa.String(length=200), nullable=False),
        sa.Column("city", sa.String(length=120), nullable=False),
        sa.Column("postcode", sa.String(length=12), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
    ]


def _on_earth(table: str) -> list[sa.CheckConstraint]:
    return [
        sa.CheckConstraint(
            "(latitude IS NULL) = (longitude IS NULL)", name=op.f(f"ck_{table}_coordinates")
        ),
        sa.CheckConstraint("latitude BETWEEN -90 AND 90", name=op.f(f"ck_{table}_latitude")),
        sa.CheckConstraint("longitude BETWEEN -180 AND 180", name=op.f(f"ck_{table}_longitude")),
    ]


def upgrade() -> None:
    _places_and_rates()
    _addresses()
    _shipments()
    with op.batch_alter_table("sales") as batch_op:
        batch_op.add_column(
            sa.Column("fulfilment", sa.String(length=8), server_default="taken", nullable=False)
        )
        batch_op.create_check_constraint(
            op.f("ck_sales_fulfilment"), "fulfilment IN ('taken', 'collect', 'deliver')"
        )
    with op.batch_alter_table("sale_lines") as batch_op:
        batch_op.add_column(
            sa.Column("kind", sa.String(length=8), server_default="goods", nullable=False)
        )
        batch_op.create_check_constraint(
            op.f("ck_sale_lines_kind"), "kind IN ('goods', 'shipping')"
        )


def _places_and_rates() -> None:
    op.create_table(
        "places",
        sa.Column("location_id", BigId, autoincrement=False, nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("hours", sa.String(length=300), nullable=False),
        sa.Column("buffer", BigId, nullable=False),
        sa.Column("ships", sa.Boolean(), nullable=False),
        sa.Column("hands_over", sa.Boolean(), nullable=False),
        sa.Column("parcel_minor", BigId, nullable=False),
        sa.Column("days", BigId, nullable=False),
        sa.CheckConstraint("buffer >= 0", name=op.f("ck_places_buffer")),
        sa.CheckConstraint("parcel_minor >= 0", name=op.f("ck_places_parcel")),
        sa.CheckConstraint("days >= 0", name=op.f("ck_places_days")),
        *_on_earth("places"),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_places_location_id_locations")
        ),
        sa.PrimaryKeyConstraint("location_id", name=op.f("pk_places")),
    )
    op.create_table(
        "sourcing_weights",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("cost_percent", BigId, nullable=False),
        sa.Column("parcel_minor", BigId, nullable=False),
        sa.Column("day_minor", BigId, nullable=False),
        sa.Column("km_minor", BigId, nullable=False),
        sa.CheckConstraint(
            "cost_percent >= 0 AND parcel_minor >= 0 AND day_minor >= 0 AND km_minor >= 0",
            name=op.f("ck_sourcing_weights_weights"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sourcing_weights")),
    )
    op.create_table(
        "shipping_zones",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("prefix", sa.String(length=12), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        *_on_earth("shipping_zones"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipping_zones")),
        sa.UniqueConstraint("country", "prefix", name=op.f("uq_shipping_zones_country_prefix")),
    )
    op.create_table(
        "shipping_rates",
        sa.Column("id", BigId, nullable=False),
        sa.Column("zone_id", BigId, nullable=False),
        sa.Column("up_to_g", BigId, nullable=False),
        sa.Column("price_minor", BigId, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("days_least", BigId, nullable=False),
        sa.Column("days_most", BigId, nullable=False),
        sa.CheckConstraint("up_to_g > 0", name=op.f("ck_shipping_rates_up_to")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_shipping_rates_price")),
        sa.CheckConstraint(
            "days_least >= 0 AND days_least <= days_most", name=op.f("ck_shipping_rates_days")
        ),
        sa.ForeignKeyConstraint(
            ["zone_id"],
            ["shipping_zones.id"],
            name=op.f("fk_shipping_rates_zone_id_shipping_zones"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipping_rates")),
        sa.UniqueConstraint(
            "zone_id",
            "up_to_g",
            "currency",
            name=op.f("uq_shipping_rates_zone_id_up_to_g_currency"),
        ),
    )


def _addresses() -> None:
    op.create_table(
        "addresses",
        sa.Column("id", BigId, nullable=False),
        sa.Column("member_id", BigId, nullable=False),
        sa.Column("used_at", Moment(), nullable=False),
        *_where_to(),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_addresses_member_id_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_addresses")),
    )
    op.create_index(op.f("ix_addresses_member_id"), "addresses", ["member_id"])
    op.create_table(
        "order_addresses",
        sa.Column("sale_id", sa.String(length=20), nullable=False),
        sa.Column("member_id", BigId, nullable=False),
        *_where_to(),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_order_addresses_member_id_members")
        ),
        sa.PrimaryKeyConstraint("sale_id", name=op.f("pk_order_addresses")),
    )
    op.create_index(op.f("ix_order_addresses_member_id"), "order_addresses", ["member_id"])


def _shipments() -> None:
    op.create_table(
        "shipments",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("sale_id", sa.String(length=20), nullable=False),
        sa.Column("member_id", BigId, nullable=False),
        sa.Column("location_id", BigId, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("carrier", sa.String(length=60), nullable=False),
        sa.Column("tracking", sa.String(length=80), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.CheckConstraint("kind IN ('collect', 'deliver')", name=op.f("ck_shipments_kind")),
        sa.CheckConstraint(
            "state IN ('open', 'picked', 'packed', 'shipped', 'delivered', 'failed', 'put_back',"
            " 'handed_over', 'cancelled')",
            name=op.f("ck_shipments_state"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_shipments_member_id_members")
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_shipments_location_id_locations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipments")),
    )
    op.create_index(op.f("ix_shipments_sale_id"), "shipments", ["sale_id"])
    op.create_index(op.f("ix_shipments_code"), "shipments", ["code"])
    op.create_index("ix_shipments_location_id_state", "shipments", ["location_id", "state"])
    op.create_table(
        "shipment_lines",
        sa.Column("shipment_id", sa.String(length=20), nullable=False),
        sa.Column("item_id", BigId, nullable=False),
        sa.Column("quantity", BigId, nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_shipment_lines_quantity")),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipments.id"], name=op.f("fk_shipment_lines_shipment_id_shipments")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name=op.f("fk_shipment_lines_item_id_items")
        ),
        sa.PrimaryKeyConstraint("shipment_id", "item_id", name=op.f("pk_shipment_lines")),
    )
    op.create_table(
        "shipment_steps",
        sa.Column("id", BigId, nullable=False),
        sa.Column("shipment_id", sa.String(length=20), nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("made_by", BigId, nullable=True),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipments.id"], name=op.f("fk_shipment_steps_shipment_id_shipments")
        ),
        sa.ForeignKeyConstraint(
            ["made_by"], ["members.id"], name=op.f("fk_shipment_steps_made_by_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment_steps")),
    )
    op.create_index(op.f("ix_shipment_steps_shipment_id"), "shipment_steps", ["shipment_id"])


def downgrade() -> None:
    """A sale that is collected or delivered has no place in the old tables."""
    if op.get_bind().scalar(sa.text("SELECT 1 FROM sales WHERE fulfilment <> 'taken'")):
        raise RuntimeError("there are orders to collect or deliver; they cannot be kept")
    with op.batch_alter_table("sale_lines") as batch_op:
        batch_op.drop_constraint(op.f("ck_sale_lines_kind"), type_="check")
        batch_op.drop_column("kind")
    with op.batch_alter_table("sales") as batch_op:
        batch_op.drop_constraint(op.f("ck_sales_fulfilment"), type_="check")
        batch_op.drop_column("fulfilment")
    for table in (
        "shipment_steps", "shipment_lines", "shipments", "order_addresses", "addresses",
        "shipping_rates", "shipping_zones", "sourcing_weights", "places",
    ):  # fmt: skip
        op.drop_table(table)
