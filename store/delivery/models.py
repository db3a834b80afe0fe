"""Tables of delivery: what places can do, shipping zones and rates, addresses, shipments."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, BigId, Moment

KINDS = ("collect", "deliver", "bring")
STATES = (
    "open", "picked", "packed", "shipped", "delivered", "failed", "put_back", "handed_over",
    "cancelled", "under_way",
)  # fmt: skip


class Place(Base):
    """What a location does for orders: where it is (degrees), when it is open, how many of each
    item it keeps for shoppers at its own shelves (`buffer`), whether it ships and hands over, what
    a parcel from there costs the shop and how many days it needs to send one. A location without
    a row has no coordinates and no buffer, ships, and hands over where it is a shop."""

    __tablename__ = "places"
    __table_args__ = (
        CheckConstraint("buffer >= 0", name="buffer"),
        CheckConstraint("parcel_minor >= 0", name="parcel"),
        CheckConstraint("days >= 0", name="days"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="coordinates"),
        CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude"),
        CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude"),
    )

    location_id: Mapped[int] = mapped_column(
        ForeignKey("locations.id"), primary_key=True, autoincrement=False
    )
    latitude: Mapped[float | None] = mapped_column(Double)
    longitude: Mapped[float | None] = mapped_column(Double)
    hours: Mapped[str] = mapped_column(String(300), default="")
    buffer: Mapped[int] = mapped_column(BigId, default=0)
    ships: Mapped[bool] = mapped_column(default=True)
    hands_over: Mapped[bool] = mapped_column(default=True)
    parcel_minor: Mapped[int] = mapped_column(BigId, default=0)
    days: Mapped[int] = mapped_column(BigId, default=0)


class Weights(Base):
    """One row: what sourcing weighs, each in the shop's money, so that a score is an amount. A
    minor unit of a parcel's cost counts `cost_percent` hundredths."""

    __tablename__ = "sourcing_weights"
    __table_args__ = (
        CheckConstraint(
            "cost_percent >= 0 AND parcel_minor >= 0 AND day_minor >= 0 AND km_minor >= 0",
            name="weights",
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    cost_percent: Mapped[int] = mapped_column(BigId)
    parcel_minor: Mapped[int] = mapped_column(BigId)
    day_minor: Mapped[int] = mapped_column(BigId)
    km_minor: Mapped[int] = mapped_column(BigId)


class Zone(Base):
    """Where the shop delivers: a country, or the postcodes of it that begin with `prefix`; the
    longest prefix that fits counts. The coordinates are the zone's middle."""

    __tablename__ = "shipping_zones"
    __table_args__ = (
        UniqueConstraint("country", "prefix"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="coordinates"),
        CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude"),
        CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    country: Mapped[str] = mapped_column(String(2))
    prefix: Mapped[str] = mapped_column(String(12), default="")
    latitude: Mapped[float | None] = mapped_column(Double)
    longitude: Mapped[float | None] = mapped_column(Double)


class Rate(Base):
    """What an order of up to so many grams costs to deliver into a zone, tax included, and in how
    many days it arrives."""

    __tablename__ = "shipping_rates"
    __table_args__ = (
        UniqueConstraint("zone_id", "up_to_g", "currency"),
        CheckConstraint("up_to_g > 0", name="up_to"),
        CheckConstraint("price_minor >= 0", name="price"),
        CheckConstraint("days_least >= 0 AND days_least <= days_most", name="days"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("shipping_zones.id"))
    up_to_g: Mapped[int] = mapped_column(BigId)
    price_minor: Mapped[int] = mapped_column(BigId)
    currency: Mapped[str] = mapped_column(String(3))
    days_least: Mapped[int] = mapped_column(BigId)
    days_most: Mapped[int] = mapped_column(BigId)


class WhereTo:
    """Where a parcel goes, as it is written on it. `country` is ISO 3166, two letters."""

    name: Mapped[str] = mapped_column(String(120))
    phone: Mapped[str] = mapped_column(String(40), default="")
    street: Mapped[str] = mapped_column(String(200))
    city: Mapped[str] = mapped_column(String(120))
    postcode: Mapped[str] = mapped_column(String(12))
    country: Mapped[str] = mapped_column(String(2))


class Address(WhereTo, Base):
    """An address in a member's own book. What is removed is gone: an order has its own copy."""

    __tablename__ = "addresses"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)
    used_at: Mapped[datetime] = mapped_column(Moment)


class OrderAddress(WhereTo, Base):
    """Where an order goes: the address as it was when it was ordered."""

    __tablename__ = "order_addresses"

    sale_id: Mapped[str] = mapped_column(String(20), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), index=True)


class Shipment(Base):
    """What one place sends, or hands over, of an order. `code` is what the shopper shows when they
    collect it. What is brought to the place where it is collected (`target_id`) stands where the
    goods stand (`location_id`), and is a collection from its arrival on."""

    __tablename__ = "shipments"
    __table_args__ = (
        CheckConstraint(f"kind IN {KINDS!r}", name="kind"),
        CheckConstraint(f"state IN {STATES!r}", name="state"),
        CheckConstraint("kind <> 'bring' OR target_id IS NOT NULL", name="target"),
        Index("ix_shipments_location_id_state", "location_id", "state"),
        Index(
            "ix_shipments_target_id",
            "target_id",
            sqlite_where=text("target_id IS NOT NULL"),
            postgresql_where=text("target_id IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    sale_id: Mapped[str] = mapped_column(String(20), index=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    target_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))
    kind: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(16), default="open")
    code: Mapped[str] = mapped_column(String(8), index=True)
    carrier: Mapped[str] = mapped_column(String(60), default="")
    tracking: Mapped[str] = mapped_column(String(80), default="")
    created_at: Mapped[datetime] = mapped_column(Moment)
    changed_at: Mapped[datetime] = mapped_column(Moment)


class ShipmentLine(Base):
    """So many of an item in a shipment; what was not there when it was picked is taken off."""

    __tablename__ = "shipment_lines"
    __table_args__ = (CheckConstraint("quantity >= 0", name="quantity"),)

    shipment_id: Mapped[str] = mapped_column(ForeignKey("shipments.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"), primary_key=True)
    quantity: Mapped[int] = mapped_column(BigId)


class ShipmentStep(Base):
    """What happened to a shipment, by whom. History: only added to."""

    __tablename__ = "shipment_steps"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    shipment_id: Mapped[str] = mapped_column(ForeignKey("shipments.id"), index=True)
    event: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    made_by: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    note: Mapped[str] = mapped_column(String(200), default="")
    at: Mapped[datetime] = mapped_column(Moment)
