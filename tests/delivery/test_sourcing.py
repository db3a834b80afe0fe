"""Sourcing: the score, the nearest of real shops, splits, and how long it takes."""

from __future__ import annotations

import csv
import math
import random
import time
from itertools import combinations
from pathlib import Path

import pytest

from store.delivery.sourcing import (
    Candidate,
    Plan,
    Point,
    Weighing,
    distance_km,
    nearest,
    source,
)

SHOPS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "stores_la.csv"
HOME = Point(34.05, -118.25)
EVEN = Weighing(cost_percent=100, parcel_minor=300, day_minor=200, km_minor=5)


def served(plan: Plan) -> dict[int, dict[int, int]]:
    return {parcel.location_id: parcel.goods for parcel in plan.parcels}


def test_one_place_that_has_all_serves_alone() -> None:
    plan = source({1: 2, 2: 1}, [Candidate(7, {1: 1, 2: 9}), Candidate(8, {1: 2, 2: 1})])
    assert served(plan) == {8: {1: 2, 2: 1}}
    assert plan.missing == {}


def test_the_score_is_the_sum_of_its_parts() -> None:
    there = Point(34.05, -118.35)
    km = distance_km(HOME, there)
    assert km is not None
    only = Candidate(1, {1: 1}, there, parcel_minor=400, days=2)
    plan = source({1: 1}, [only], HOME, Weighing(50, 300, 200, 5))
    assert (plan.cost, plan.many, plan.time) == (200, 300, 400)
    assert plan.distance == round(km * 5)
    assert plan.score == 900 + plan.distance


@pytest.mark.parametrize(
    ("weighing", "chosen"),
    [
        (Weighing(100, 0, 0, 0), {3}),  # the cheapest parcel
        (Weighing(0, 0, 100, 0), {2}),  # the quickest
        (Weighing(0, 0, 0, 10), {1}),  # the nearest
    ],
)
def test_the_owners_weights_decide(weighing: Weighing, chosen: set[int]) -> None:
    candidates = [
        Candidate(1, {1: 1}, Point(34.06, -118.25), parcel_minor=900, days=3),
        Candidate(2, {1: 1}, Point(34.90, -118.25), parcel_minor=900, days=0),
        Candidate(3, {1: 1}, Point(34.90, -118.25), parcel_minor=100, days=3),
    ]
    assert served(source({1: 1}, candidates, HOME, weighing)).keys() == chosen


def test_an_order_is_split_where_no_place_has_all() -> None:
    plan = source({1: 3, 2: 1}, [Candidate(1, {1: 2}), Candidate(2, {1: 1, 2: 1})])
    assert served(plan) == {1: {1: 2}, 2: {1: 1, 2: 1}}


def test_two_near_places_win_over_a_far_one_only_where_distance_weighs_enough() -> None:
    far = Candidate(1, {1: 1, 2: 1}, Point(40.0, -100.0))
    near = [Candidate(2, {1: 1}, HOME), Candidate(3, {2: 1}, HOME)]
    assert served(source({1: 1, 2: 1}, [far, *near], HOME, Weighing(100, 300, 0, 1))).keys() == {
        2,
        3,
    }
    assert served(source({1: 1, 2: 1}, [far, *near], HOME, Weighing(100, 9_000, 0, 1))).keys() == {
        1
    }


def test_what_nobody_has_is_said_and_the_rest_is_planned() -> None:
    plan = source({1: 5, 2: 1, 3: 1}, [Candidate(1, {1: 2}), Candidate(2, {1: 1, 2: 1})])
    assert plan.missing == {1: 2, 3: 1}
    assert sum(goods.get(1, 0) for goods in served(plan).values()) == 3
    assert source({1: 1}, []) == Plan([], {1: 1})


def test_more_than_two_places_where_it_must_be_and_none_that_is_needless() -> None:
    candidates = [Candidate(at, {at: 1}) for at in range(1, 6)]
    candidates.append(Candidate(9, {1: 1, 2: 1, 3: 1}))
    plan = source(dict.fromkeys(range(1, 6), 1), candidates)
    assert served(plan).keys() == {9, 4, 5}


def test_places_without_coordinates_are_chosen_by_the_rest() -> None:
    found = source({1: 1}, [Candidate(1, {1: 1}, parcel_minor=200), Candidate(2, {1: 1})], HOME)
    assert served(found) == {2: {1: 1}}
    assert found.parcels[0].km is None


def test_no_single_place_or_pair_would_have_been_better() -> None:
    """Against a search that tries everything, on small random cases."""
    chance = random.Random(9)
    for _ in range(150):
        wanted = {item: chance.randint(1, 3) for item in range(1, 4)}
        candidates = [
            Candidate(at, {item: chance.randint(0, 3) for item in wanted},
                      Point(chance.uniform(33, 35), chance.uniform(-119, -117)),
                      chance.randrange(0, 900), chance.randint(0, 3))
            for at in range(1, 8)
        ]  # fmt: skip
        possible = [
            group for many in (1, 2) for group in combinations(candidates, many)
            if all(sum(one.has[item] for one in group) >= want for item, want in wanted.items())
        ]  # fmt: skip
        plan = source(wanted, candidates, HOME, EVEN)
        given = {item: sum(p.goods.get(item, 0) for p in plan.parcels) for item in wanted}
        if possible:
            assert given == wanted
            assert plan.score <= min(map(score, possible)) + 1
        for parcel in plan.parcels:
            has = next(one.has for one in candidates if one.location_id == parcel.location_id)
            assert all(many <= has[item] for item, many in parcel.goods.items())


def score(group: tuple[Candidate, ...]) -> float:
    km = sum(distance_km(one.at, HOME) or 0 for one in group)
    days = max(one.days for one in group)
    return sum(one.parcel_minor for one in group) + 300 * len(group) + 200 * days + 5 * km


# Real places


def real_shops() -> list[tuple[str, Point]]:
    if not SHOPS.exists():
        pytest.skip("the list of real shops is not here")
    with SHOPS.open(encoding="utf-8", newline="") as file:
        return [
            (row["name"], Point(float(row["lat"]), float(row["lon"])))
            for row in csv.DictReader(file)
        ]


def by_vectors(one: Point, other: Point) -> float:
    """The angle between two points on a sphere by their vectors: another formula than ours."""

    def vector(point: Point) -> tuple[float, float, float]:
        north, east = math.radians(point.latitude), math.radians(point.longitude)
        return math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)

    (a, b, c), (d, e, f) = vector(one), vector(other)
    cross = math.hypot(b * f - c * e, c * d - a * f, a * e - b * d)
    return 6371.0088 * math.atan2(cross, a * d + b * e + c * f)


def test_the_nearest_of_the_real_shops_is_the_nearest() -> None:
    shops = real_shops()
    assert len(shops) == 695
    candidates = [Candidate(at, {1: 1}, point) for at, (_, point) in enumerate(shops)]
    for home in [point for _, point in shops[::40]] + [HOME, Point(33.0, -117.0)]:
        moved = Point(home.latitude + 0.011, home.longitude - 0.007)
        expected = sorted((by_vectors(point, moved), at) for at, (_, point) in enumerate(shops))
        found = nearest(candidates, moved)
        assert [one.location_id for one, _ in found[:10]] == [at for _, at in expected[:10]]
        for (_, km), (away, _) in zip(found, expected):
            assert km == pytest.approx(away, abs=1e-6)
        plan = source({1: 1}, candidates, moved, Weighing(0, 0, 0, 1000))
        assert plan.parcels[0].location_id == expected[0][1]


def test_great_circles_that_are_known() -> None:
    los_angeles, new_york = Point(33.9425, -118.408056), Point(40.639722, -73.778889)
    assert distance_km(los_angeles, new_york) == pytest.approx(3974.2, abs=0.5)
    assert distance_km(Point(0, 0), Point(0, 180)) == pytest.approx(math.pi * 6371.0088)
    assert distance_km(Point(0, 179.5), Point(0, -179.5)) == pytest.approx(111.195, abs=0.01)
    assert distance_km(HOME, HOME) == 0
    assert distance_km(HOME, None) is None


@pytest.mark.parametrize("share", [1.0, 0.4, 0.08])
def test_a_hundred_places_and_ten_lines_are_sourced_in_no_time(share: float) -> None:
    """However much of the basket each place has: all, some, hardly anything. Of the processor's
    time, because other tests share the machine; what is measured lies far below (docs)."""
    chance = random.Random(4)
    wanted = {item: chance.randint(1, 4) for item in range(1, 11)}
    candidates = [
        Candidate(at, {item: chance.randint(1, 4) for item in wanted if chance.random() < share},
                  Point(chance.uniform(33, 35), chance.uniform(-119, -117)),
                  chance.randrange(900), chance.randint(0, 3))
        for at in range(100)
    ]  # fmt: skip
    best = min(_seconds(wanted, candidates) for _ in range(5))
    assert best < 0.05


def _seconds(wanted: dict[int, int], candidates: list[Candidate]) -> float:
    began = time.thread_time()
    source(wanted, candidates, HOME)
    return time.thread_time() - began
