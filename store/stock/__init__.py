"""Stock: how many of each item are where, and every movement that made it so."""

from .levels import (
    OutOfStock,
    Want,
    count_to,
    level_of,
    levels,
    on_hand,
    put_back,
    put_on_shelf,
    receive,
    receive_many,
    shelves,
    take,
    transfer,
)
from .locations import (
    MAIN,
    Location,
    LocationTaken,
    add_location,
    location,
    location_by_id,
    locations,
)

__all__ = [
    "MAIN",
    "Location",
    "LocationTaken",
    "OutOfStock",
    "Want",
    "add_location",
    "count_to",
    "level_of",
    "levels",
    "location",
    "location_by_id",
    "locations",
    "on_hand",
    "put_back",
    "put_on_shelf",
    "receive",
    "receive_many",
    "shelves",
    "take",
    "transfer",
]
