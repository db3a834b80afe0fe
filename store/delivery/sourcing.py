"""Sourcing: which place serves an order, or which places, as one score that can be looked at.

A pure function over candidates: it reads no database and decides the same on the same facts. The
score of a plan is an amount in the shop's money, the smaller the better:

    what the parcels cost           × the owner's percentage
    + parcels                       × what one more parcel is worth to avoid
    + days until the last is sent   × what a day is worth
    + kilometres of all parcels     × what a kilometre is worth

Of all plans with one or two parcels the best is found. Where no two places have everything, places
are added one at a time, each time the one that is cheapest for what it still brings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple

__all__ = ["Candidate", "Parcel", "Plan", "Point", "Weighing", "distance_km", "nearest", "source"]

EARTH_KM = 6371.0088
"""The mean radius of the earth (IUGG)."""


class Point(NamedTuple):
    """Degrees north and east."""

    latitude: float
    longitude: float


@dataclass(frozen=True)
class Weighing:
    """What the owner weighs; all but the first are minor units of the shop's currency."""

    cost_percent: int = 100
    parcel_minor: int = 300
    day_minor: int = 200
    km_minor: int = 5


@dataclass(frozen=True)
class Candidate:
    """A place that could serve: what it has to give of each item (nothing that another order
    holds, nothing of its shelf buffer), what a parcel from there costs, after how many days it
    leaves."""

    location_id: int
    has: Mapping[int, int]
    at: Point | None = None
    parcel_minor: int = 0
    days: int = 0


@dataclass(frozen=True)
class Parcel:
    """What one place gives: quantities by item. `km` is None where a point is not known."""

    location_id: int
    goods: dict[int, int]
    km: float | None
    parcel_minor: int
    days: int


@dataclass(frozen=True)
class Plan:
    """The parcels of an order with the parts of its score (minor units), and what nobody has."""

    parcels: list[Parcel]
    missing: dict[int, int] = field(default_factory=dict)
    cost: int = 0
    many: int = 0
    time: int = 0
    distance: int = 0

    @property
    def score(self) -> int:
        return self.cost + self.many + self.time + self.distance


def distance_km(one: Point | None, other: Point | None) -> float | None:
    """The great circle between two points by the haversine formula; None where one is unknown."""
    if one is None or other is None:
        return None
    north, south = radians(one.latitude), radians(other.latitude)
    east = radians(other.longitude - one.longitude)
    half = sin((south - north) / 2) ** 2 + cos(north) * cos(south) * sin(east / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(half)))


def nearest(
    candidates: Sequence[Candidate], to: Point | None
) -> list[tuple[Candidate, float | None]]:
    """The candidates with their distances, the nearest first; those without one come last."""
    found = [(one, distance_km(one.at, to)) for one in candidates]
    far = float("inf")
    return sorted(
        found, key=lambda each: (far if each[1] is None else each[1], each[0].location_id)
    )


def source(
    wanted: Mapping[int, int],
    candidates: Sequence[Candidate],
    to: Point | None = None,
    weighing: Weighing | None = None,
) -> Plan:
    """The best plan for these quantities by item. What all candidates together do not have is the
    plan's `missing`; the rest of it is planned all the same, and the caller decides."""
    weighing = weighing or Weighing()
    able = {item: sum(one.has.get(item, 0) for one in candidates) for item in wanted}
    possible = {item: min(many, able[item]) for item, many in wanted.items()}
    missing = {
        item: many - possible[item] for item, many in wanted.items() if possible[item] < many
    }
    left = {item: many for item, many in possible.items() if many > 0}
    if not left:
        return Plan([], missing)
    desk = _Desk(left, candidates, to, weighing)
    chosen = desk.one_or_two()
    if chosen is None:
        chosen = desk.several()
    return desk.plan(chosen, missing)


class _Offer(NamedTuple):
    """A candidate as the search looks at it: its own score, days apart, a quantity a line, and a
    bit for each line of which it has any."""

    own: float
    days: int
    has: tuple[int, ...]
    some: int
    candidate: Candidate
    km: float | None


class _Desk:
    """One search: the lines in a fixed order, the offers in the order of their own scores."""

    def __init__(
        self,
        wanted: Mapping[int, int],
        candidates: Sequence[Candidate],
        to: Point | None,
        weighing: Weighing,
    ) -> None:
        self.items, self.wanted = tuple(wanted), tuple(wanted.values())
        self.weighing = weighing
        offers = [self._offer(one, to) for one in candidates]
        self.offers = sorted(
            (one for one in offers if any(one.has)),
            key=lambda one: (one.own + self._time(one.days), one.candidate.location_id),
        )

    def _offer(self, one: Candidate, to: Point | None) -> _Offer:
        km = distance_km(one.at, to)
        own = one.parcel_minor * self.weighing.cost_percent / 100
        own += self.weighing.parcel_minor + (km or 0) * self.weighing.km_minor
        has = tuple(min(one.has.get(item, 0), most) for item, most in zip(self.items, self.wanted))
        some = sum(1 << at for at, many in enumerate(has) if many)
        return _Offer(own, one.days, has, some, one, km)

    def _time(self, days: int) -> int:
        return days * self.weighing.day_minor

    def one_or_two(self) -> list[_Offer] | None:
        """The best single place or pair of places that has everything, or None."""
        best: list[_Offer] | None = None
        score = float("inf")
        for one in self.offers:
            if one.has == self.wanted and one.own + self._time(one.days) < score:
                best, score = [one], one.own + self._time(one.days)
        least = min((one.own for one in self.offers), default=0.0)
        every = (1 << len(self.items)) - 1
        for at, one in enumerate(self.offers):
            if one.own + least >= score:
                continue
            lacks = tuple(most - has for most, has in zip(self.wanted, one.has))
            others = self.offers[at + 1 :]
            for other in [each for each in others if one.some | each.some == every]:
                both = one.own + other.own
                if both >= score or both + self._time(max(one.days, other.days)) >= score:
                    continue
                if all(has >= lack for has, lack in zip(other.has, lacks)):
                    best, score = [one, other], both + self._time(max(one.days, other.days))
        return best

    def several(self) -> list[_Offer]:
        """Place by place: the one with the smallest score for each piece that it still brings;
        then those go that the others make needless, the dearest first."""
        left, chosen = list(self.wanted), list[_Offer]()
        while any(left):
            brings = [(sum(map(min, one.has, left)), one) for one in self.offers]
            _, one = min(
                (
                    ((one.own + self._time(one.days)) / many, at)
                    for at, (many, one) in enumerate(brings)
                    if many and one not in chosen
                )
            )
            offer = self.offers[one]
            chosen.append(offer)
            left = [max(0, many - has) for many, has in zip(left, offer.has)]
        for offer in sorted(chosen, key=lambda one: -one.own):
            others = [one for one in chosen if one is not offer]
            if all(
                sum(one.has[at] for one in others) >= many for at, many in enumerate(self.wanted)
            ):
                chosen = others
        return chosen

    def plan(self, chosen: Sequence[_Offer], missing: dict[int, int]) -> Plan:
        """Who gives what: the best place all that it has of it, the next ones the rest."""
        left, parcels = list(self.wanted), list[Parcel]()
        for offer in sorted(chosen, key=lambda one: (-sum(one.has), one.own)):
            given = [min(has, many) for has, many in zip(offer.has, left)]
            left = [many - gives for many, gives in zip(left, given)]
            goods = {item: gives for item, gives in zip(self.items, given) if gives}
            if goods:
                one = offer.candidate
                parcels.append(Parcel(one.location_id, goods, offer.km, one.parcel_minor, one.days))
        weighing = self.weighing
        return Plan(
            parcels,
            missing,
            cost=round(sum(one.parcel_minor for one in parcels) * weighing.cost_percent / 100),
            many=len(parcels) * weighing.parcel_minor,
            time=self._time(max(one.days for one in parcels)),
            distance=round(sum(one.km or 0 for one in parcels) * weighing.km_minor),
        )
