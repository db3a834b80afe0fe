"""Shipping: which zone an address lies in, what it costs to send so many grams there, and how long
it takes; all from a table that the owner edits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select

from .. import catalogue, logbook
from ..db import connection, in_transaction
from ..errors import Invalid, NotFound, Refusal
from ..money import LARGEST_MINOR
from ..prepared import as_text
from .models import Rate, Zone
from .places import check_point
from .sourcing import Point

__all__ = [
    "NoDelivery", "Quoted", "Step", "ZoneWithRates", "add_rate", "add_zone", "cheapest",
    "postcode_text", "quote", "remove_rate", "remove_zone", "weight_g", "zones", "zones_of",
    "zones_text",
]  # fmt: skip

HEAVIEST_G = 10**8
_GRAMS = {"mg": 0.001, "g": 1.0, "ul": 0.001, "ml": 1.0}
_COUNTRY = re.compile(r"[A-Z]{2}\Z")


class NoDelivery(Refusal):
    """The shop does not send there, or nothing so heavy. `data`: country, postcode, weight_g."""

    code = "no_delivery"
    status = 409
    title = "We do not deliver there"


@dataclass(frozen=True)
class Step:
    """One line of a zone's table."""

    id: int
    up_to_g: int
    price_minor: int
    currency: str
    days_least: int
    days_most: int


@dataclass(frozen=True)
class ZoneWithRates:
    id: int
    name: str
    country: str
    prefix: str
    point: Point | None
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Quoted:
    """What delivery costs, tax included, in how many days it arrives, and where the zone is."""

    zone: str
    price_minor: int
    days_least: int
    days_most: int
    point: Point | None


_COLUMNS = (
    Zone.id, Zone.name, Zone.country, Zone.prefix, Zone.latitude, Zone.longitude, Rate.id,
    Rate.up_to_g, Rate.price_minor, Rate.currency, Rate.days_least, Rate.days_most,
)  # fmt: skip


def zones(currency: str) -> list[ZoneWithRates]:
    """The whole table in one statement: zones by country and prefix, steps by weight."""
    return zones_of(connection().execute(_with_rates(currency)))


def zones_text(currency: Any, dialect: str) -> Any:
    """The same as a JSON list in another statement; `zones_of` reads its rows."""
    query = _with_rates(currency).with_only_columns(
        as_text(_COLUMNS, dialect), maintain_column_froms=True
    )
    return query.scalar_subquery()


def _with_rates(currency: Any) -> Any:
    return select(*_COLUMNS).outerjoin(
        Rate, (Rate.zone_id == Zone.id) & (Rate.currency == currency)
    )


def zones_of(rows: Iterable[Any]) -> list[ZoneWithRates]:
    """The table from its rows, in whichever order."""
    heads: dict[int, tuple[str, str, str, Point | None]] = {}
    steps: dict[int, list[Step]] = {}
    for row in sorted(rows, key=lambda row: (row[2], row[3], row[0], row[7] or 0)):
        point = None if row[4] is None else Point(row[4], row[5])
        heads[row[0]] = (row[1], row[2], row[3], point)
        found = steps.setdefault(row[0], [])
        if row[6] is not None:
            found.append(Step(*row[6:]))
    return [ZoneWithRates(id_, *head, tuple(steps[id_])) for id_, head in heads.items()]


def quote(country: str, postcode: str, weight: int, table: Sequence[ZoneWithRates]) -> Quoted:
    """What an order of so many grams costs there: the zone with the longest prefix, its first step
    that is heavy enough. Raises NoDelivery."""
    code = postcode_text(postcode)
    fitting = [one for one in table if one.country == country and code.startswith(one.prefix)]
    for zone in sorted(fitting, key=lambda one: -len(one.prefix))[:1]:
        for step in zone.steps:
            if weight <= step.up_to_g:
                return Quoted(
                    zone.name, step.price_minor, step.days_least, step.days_most, zone.point
                )
    raise NoDelivery(country=country, postcode=postcode, weight_g=weight)


def cheapest(weight: int, table: Sequence[ZoneWithRates]) -> Quoted | None:
    """What delivery costs at least, for who has not said where; None where the shop sends
    nothing."""
    found = [
        Quoted(zone.name, step.price_minor, step.days_least, step.days_most, zone.point)
        for zone in table
        for step in [next((one for one in zone.steps if weight <= one.up_to_g), None)]
        if step is not None
    ]
    return min(found, key=lambda one: (one.price_minor, one.days_least), default=None)


def weight_g(wanted: Mapping[int, int], piece_g: int) -> int:
    """What these goods weigh, by their sizes: a millilitre counts as a gram, what tells no weight
    counts `piece_g` a piece. In one statement."""
    item = catalogue.Item
    query = select(item.id, item.content, item.content_unit).where(item.id.in_(wanted))
    return sum(
        wanted[row[0]] * grams(row[1], row[2], piece_g) for row in connection().execute(query)
    )


def grams(content: int | None, unit: str | None, piece_g: int) -> int:
    """What one piece weighs, in whole grams, never less than one."""
    if content is None or unit not in _GRAMS:
        return piece_g
    return max(1, round(content * _GRAMS[unit]))


def postcode_text(postcode: str) -> str:
    """A postcode as it is compared: capital letters, no blanks or dashes."""
    return re.sub(r"[\s-]", "", postcode).upper()[:12]


def add_zone(name: str, country: str, prefix: str, point: Point | None) -> int:
    """Joiner: a new zone; answers its id. Raises Invalid."""
    session = in_transaction()
    country, prefix = country.strip().upper(), postcode_text(prefix)
    if not _COUNTRY.match(country):
        raise Invalid("A country is two letters, such as CN", field="country")
    if not name.strip():
        raise Invalid("A zone needs a name", field="name")
    check_point(point)
    same = select(Zone.id).where(Zone.country == country, Zone.prefix == prefix)
    if session.scalar(same) is not None:
        raise Invalid("There is a zone for these postcodes already", field="prefix")
    latitude, longitude = point or (None, None)
    zone = Zone(name=name.strip()[:80], country=country, prefix=prefix,
                latitude=latitude, longitude=longitude)  # fmt: skip
    session.add(zone)
    session.flush()
    logbook.note("zone.added", zone.id, after={"country": country, "prefix": prefix})
    return zone.id


def remove_zone(zone_id: int) -> None:
    """Joiner: the shop no longer delivers there by this zone; orders keep what they paid. Raises
    NotFound."""
    session = in_transaction()
    zone = session.get(Zone, zone_id)
    if zone is None:
        raise NotFound("There is no such zone")
    session.execute(delete(Rate).where(Rate.zone_id == zone_id))
    session.delete(zone)
    session.flush()
    logbook.note("zone.removed", zone_id, before={"country": zone.country, "prefix": zone.prefix})


def add_rate(
    zone_id: int, up_to_g: int, price_minor: int, currency: str, days_least: int, days_most: int
) -> None:
    """Joiner: a step of a zone; the same weight again is a new price for it. Raises Invalid,
    NotFound."""
    session = in_transaction()
    if session.get(Zone, zone_id) is None:
        raise NotFound("There is no such zone")
    if not 1 <= up_to_g <= HEAVIEST_G:
        raise Invalid(f"A weight is 1 to {HEAVIEST_G} g", field="up_to_g")
    if not 0 <= price_minor <= LARGEST_MINOR:
        raise Invalid("A price is 0 or more", field="price")
    if not 0 <= days_least <= days_most <= 365:
        raise Invalid("Days are 0 to 365, the least first", field="days_least")
    step = (Rate.zone_id == zone_id, Rate.up_to_g == up_to_g, Rate.currency == currency)
    rate = session.scalar(select(Rate).where(*step))
    before = None if rate is None else {"price_minor": rate.price_minor}
    if rate is None:
        rate = Rate(zone_id=zone_id, up_to_g=up_to_g, currency=currency)
        session.add(rate)
    rate.price_minor, rate.days_least, rate.days_most = price_minor, days_least, days_most
    session.flush()
    said = {"price_minor": price_minor, "days": [days_least, days_most], "up_to_g": up_to_g}
    logbook.note("rate.set", zone_id, before=before, after=said)


def remove_rate(rate_id: int) -> None:
    """Joiner: take a step out of a zone's table. Raises NotFound."""
    session = in_transaction()
    rate = session.get(Rate, rate_id)
    if rate is None:
        raise NotFound("There is no such rate")
    session.delete(rate)
    session.flush()
    said = {"up_to_g": rate.up_to_g, "price_minor": rate.price_minor}
    logbook.note("rate.removed", rate.zone_id, before=said)
