"""Delivery: how an order gets to the shopper: which place serves it, and every step on the way."""

from .addresses import Where, address, address_book, keep_for_order, of_order, use_address
from .models import Shipment
from .places import Spot, spot, spots, spots_of, spots_text, weighing
from .rates import (
    NoDelivery,
    Quoted,
    ZoneWithRates,
    cheapest,
    quote,
    weight_g,
    zones,
    zones_of,
    zones_text,
)
from .shipments import (
    BadStep,
    WrongCode,
    advance,
    by_code,
    goods_of,
    locked,
    open_shipments,
    take_off,
)
from .sourcing import Candidate, Parcel, Plan, Point, Weighing, distance_km, nearest, source
from .supply import candidates
from .tracking import Tracked, of_sale, of_sales, one, waiting

__all__ = [
    "BadStep",
    "Candidate",
    "NoDelivery",
    "Parcel",
    "Plan",
    "Point",
    "Quoted",
    "Shipment",
    "Spot",
    "Tracked",
    "Weighing",
    "Where",
    "WrongCode",
    "ZoneWithRates",
    "address",
    "address_book",
    "advance",
    "by_code",
    "candidates",
    "cheapest",
    "distance_km",
    "goods_of",
    "keep_for_order",
    "locked",
    "nearest",
    "of_order",
    "of_sale",
    "of_sales",
    "one",
    "open_shipments",
    "quote",
    "source",
    "spot",
    "spots",
    "spots_of",
    "spots_text",
    "take_off",
    "use_address",
    "waiting",
    "weighing",
    "weight_g",
    "zones",
    "zones_of",
    "zones_text",
]
