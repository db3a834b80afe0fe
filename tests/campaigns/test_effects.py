"""The statistics of campaigns: against published figures, and by simulation."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from flask import Flask

from store.campaigns import drawing, effects
from store.campaigns.effects import Group


def group(values: list[int]) -> Group:
    return Group(
        len(values), sum(value > 0 for value in values), sum(values), sum(v * v for v in values)
    )


def test_student_s_quantile_is_the_one_of_the_tables() -> None:
    for freedom, known in ((5, 2.5706), (10, 2.2281), (30, 2.0423), (120, 1.9799)):
        assert effects.quantile_t(freedom) == pytest.approx(known, rel=1e-3), freedom


def test_shares_differ_as_newcombe_has_published() -> None:
    """Newcombe 1998, table II, method 10: 56/70 and 48/80; 9/10 and 3/10; 10/10 and 0/20; 5/56 and
    0/29."""
    for (a, m), (b, n), low, high in (
        ((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0), ((5, 56), (0, 29), -0.0381, 0.1926),
    ):  # fmt: skip
        found = effects.shares(Group(m, a, 0, 0), Group(n, b, 0, 0))
        assert found is not None
        assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)


def test_welch_s_interval_is_that_of_a_worked_example() -> None:
    """The difference is -188.333; the variances 123 361.1 and 25 678.8 give an error of 120.316 and
    12.0954 degrees of freedom; Student's quantile of these, integrated numerically, is 2.17691."""
    one = [2750, 2200, 2940, 2480, 2310, 2330, 1850, 2530, 2660, 1900]
    other = [2740, 2550, 2300, 2390, 2690, 2450, 2820, 2610, 2580, 2460, 2770, 2640]
    found = effects.means(group(one), group(other))
    assert found is not None
    assert found.difference == pytest.approx(-188.333, abs=1e-3)
    assert (found.low, found.high) == pytest.approx((-450.2508, 73.5842), abs=0.01)
    assert effects.means(group([5]), group(one)) is None
    same = effects.means(group([5, 5]), group([3, 3, 3]))
    assert same is not None and same.low == same.high == 2


def test_the_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Purchases as shops see them: most buy nothing, some a little, few a lot; the held-out are
    fewer, and buy less. About 95 of 100 intervals hold the true difference."""
    dice, times = random.Random(20271), 500

    def person(chance: float) -> int:
        return round(dice.lognormvariate(8, 0.8)) if dice.random() < chance else 0

    mean = 2.718281828 ** (8 + 0.8**2 / 2)
    truth = (0.40 - 0.30) * mean
    held: Counter[str] = Counter()
    for _ in range(times):
        told = group([person(0.40) for _ in range(240)])
        out = group([person(0.30) for _ in range(120)])
        takings, share = effects.means(told, out), effects.shares(told, out)
        assert takings is not None and share is not None
        held["takings"] += takings.low <= truth <= takings.high
        held["share"] += share.low <= 0.10 <= share.high
    for name in ("takings", "share"):
        # 2.6 standard deviations of 500 throws about 95 %, and a little for the skew.
        assert 0.92 <= held[name] / times <= 0.98, (name, held)


def test_the_draw_is_fair_independent_and_cannot_be_thrown_again(app_sqlite: Flask) -> None:
    people = range(1, 20_001)
    with app_sqlite.app_context():
        for percent in (10, 50):
            first = [drawing.is_held(1, one, percent) for one in people]
            second = [drawing.is_held(2, one, percent) for one in people]
            assert first == [drawing.is_held(1, one, percent) for one in people]
            for drawn in (first, second):
                expected = len(people) * percent / 100
                # Four standard deviations of fair throws.
                assert abs(sum(drawn) - expected) < 4 * (expected * (1 - percent / 100)) ** 0.5
            both = sum(a and b for a, b in zip(first, second, strict=True))
            expected = len(people) * (percent / 100) ** 2
            assert abs(both - expected) < 4 * expected**0.5, "one draw says nothing of another"
        assert not any(drawing.is_held(1, one, 0) for one in people[:1000])
        app_sqlite.config["SECRET_KEY"] = "another shop's"
        other = [drawing.is_held(1, one, 10) for one in people]
    assert other != first
