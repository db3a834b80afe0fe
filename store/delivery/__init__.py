"""Delivery: how an order gets to the shopper, and which place serves it."""

from .addresses import Where, address, address_book
from .places import Spot, spots, weighing
from .rates import NoDelivery, Quoted, cheapest, quote, weight_g, zones
from .sourcing import Candidate, Parcel, Plan, Point, Weighing, distance_km, nearest, source

__all__ = [
    "Candidate",
    "NoDelivery",
    "Parcel",
    "Plan",
    "Point",
    "Quoted",
    "Spot",
    "Weighing",
    "Where",
    "address",
    "address_book",
    "cheapest",
    "distance_km",
    "nearest",
    "quote",
    "source",
    "spots",
    "weighing",
    "weight_g",
    "zones",
]
