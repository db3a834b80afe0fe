"""Pricing: which offer is taken off which unit, as the rules say, to the coin."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import catalogue
from store.membership import Case, CouponRefused, Rule, Rules, priced
from store.membership.coupons import Coupon

NOON = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)  # A Thursday, noon in Shanghai.


def rule(number: int, kind: str, value: int, pays: int | None = None, **more: Any) -> Rule:
    fields: dict[str, Any] = {
        "item_id": None, "category_id": None, "location_id": None, "channel": None,
        "audience": "all", "starts_at": datetime(2026, 1, 1, tzinfo=UTC), "ends_at": None,
        "days": 127, "from_minute": None, "to_minute": None, "by_code": False, "least_minor": 0,
        "most_each": None,
    } | more  # fmt: skip
    return Rule(number, {"en": f"offer {number}"}, kind, value, pays, "CNY", **fields)


def item(number: int, price: int, category: int | None = None) -> catalogue.Quote:
    return catalogue.Quote(number, f"I{number}", {}, 900, price, category_id=category, rules=1)


def case(coupon: Coupon | None = None, **more: Any) -> Case:
    return Case(1, "shelf", "CNY", more.pop("at", NOON), "Asia/Shanghai", coupon=coupon, **more)


def off(lines: list[tuple[catalogue.Quote, int]], *offers: Rule, **more: Any) -> list[list[int]]:
    """What is taken off each line, offer by offer."""
    found = priced([one for one, _ in lines], [many for _, many in lines],
                   case(**more), Rules(1, offers))  # fmt: skip
    return [[each.amount_minor for each in one.off] for one in found]


def test_of_each_unit_the_best_offer_is_taken_off_and_one_only() -> None:
    tenth, one_off = rule(1, "percent", 10), rule(2, "amount", 100)
    special = rule(3, "price", 450, item_id=7)
    dear, cheap, seven = item(1, 2000), item(2, 500), item(7, 500)
    assert off([(dear, 2), (cheap, 2), (seven, 1)], tenth, one_off, special) == [
        [400],
        [200],
        [100],
    ]
    assert off([(seven, 1)], special) == [[50]]
    # Percent are rounded in the shopper's favour, and nothing costs less than zero.
    assert off([(item(1, 99), 1)], rule(1, "percent", 50)) == [[50]]
    assert off([(item(1, 99), 3)], rule(1, "amount", 500)) == [[297]]
    # A price that is no lower changes nothing.
    assert off([(item(7, 400), 1)], special) == [[]]


def test_three_for_two_puts_the_dearest_together_and_gives_the_cheapest() -> None:
    three = rule(1, "n_for_m", 3, 2)
    milk = item(1, 400)
    assert [off([(milk, many)], three) for many in (2, 3, 5, 6)] == [
        [[]],
        [[400]],
        [[400]],
        [[800]],
    ]
    # 10.00, 4.00 and 1.00 together: 1.00 is free, spread over the three by price.
    assert off([(item(1, 1000), 1), (item(2, 400), 1), (item(3, 100), 1)], three) == [
        [67],
        [27],
        [6],
    ]
    # Where percent are worth more than the group, the group is not made.
    assert off([(milk, 4)], three, rule(2, "percent", 50)) == [[800]]
    # The units that are in no group have the other offer.
    assert off([(milk, 4)], three, rule(2, "percent", 10)) == [[400, 40]]
    # However many there are, it is quick.
    assert off([(item(n, 100 + n), 9_999) for n in range(200)], three)[0] == [100 * 3333]


def test_a_coupon_comes_last_and_adds_up() -> None:
    ten = Coupon("TEN", 5, rule(9, "amount", 1000, by_code=True, least_minor=1500), False, 1, None)
    lines = [(item(1, 1000), 1), (item(2, 700), 1)]
    taken = off(lines, rule(1, "percent", 10), coupon=ten)
    assert [each[0] for each in taken] == [100, 70]
    assert sum(each[1] for each in taken) == 1000
    with pytest.raises(CouponRefused) as refused:
        off(lines[:1], coupon=ten)
    assert refused.value.data["why"] == "too_little"
    spent = Coupon("TEN", 5, ten.rule, False, 0, None)
    with pytest.raises(CouponRefused) as refused:
        off(lines, coupon=spent)
    assert refused.value.data["why"] == "used_up"


def test_an_offer_holds_by_the_clock_of_the_shop() -> None:
    milk = [(item(1, 400, 3), 1)]
    evening = rule(1, "percent", 50, from_minute=18 * 60, to_minute=2 * 60, days=1 << 3)

    def taken(hour: int, day: int = 26) -> bool:
        return off(milk, evening, at=datetime(2026, 11, day, hour, tzinfo=UTC)) == [[200]]

    # Thursday 18:00 to Friday 02:00 in Shanghai, which is UTC+8.
    assert [taken(9), taken(10), taken(17), taken(18)] == [False, True, True, False]
    assert not taken(10, 27) and not taken(17, 25)
    ended = rule(1, "percent", 50, ends_at=NOON)
    assert off(milk, ended) == [[]]
    assert off(milk, rule(1, "percent", 50, category_id=4)) == [[]]
    assert off(milk, rule(1, "percent", 50, audience="members")) == [[]]
    assert off(milk, rule(1, "percent", 50, audience="members"), is_known=True) == [[200]]
    assert off(milk, rule(1, "percent", 50, audience="first"), is_known=True) == [[]]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 12)), min_size=1, max_size=6),
    st.lists(
        st.one_of(
            st.tuples(st.just("percent"), st.integers(1, 100)),
            st.tuples(st.just("amount"), st.integers(1, 6000)),
            st.tuples(st.just("price"), st.integers(0, 6000)),
            st.tuples(st.just("n_for_m"), st.integers(2, 5)),
        ),
        max_size=4,
    ),
    st.one_of(st.none(), st.integers(1, 20_000)),
)  # fmt: skip
def test_no_line_is_below_zero_and_more_offers_are_never_worse(
    goods: list[tuple[int, int]], kinds: list[tuple[str, int]], coupon: int | None
) -> None:
    lines = [(item(at, price), many) for at, (price, many) in enumerate(goods)]
    offers = [
        rule(at, kind, value, value - 1 if kind == "n_for_m" else None, item_id=at % 3 or None)
        for at, (kind, value) in enumerate(kinds, start=1)
    ]
    shown = None
    if coupon and any(price for price, _ in goods):
        shown = Coupon("C", 1, rule(99, "amount", coupon, by_code=True), False, None, None)
    try:
        found = priced([one for one, _ in lines], [many for _, many in lines], case(shown),
                       Rules(1, tuple(offers)))  # fmt: skip
    except CouponRefused:
        return  # Offers have taken all of it off.
    for quote, (one, many) in zip(found, lines):
        assert 0 <= quote.off_minor <= one.amount_minor * many
        assert all(each.amount_minor > 0 for each in quote.off)
        assert len({(each.offer_id, each.coupon_id) for each in quote.off}) == len(quote.off)
    if len(offers) == 1 and not shown:
        assert sum(q.off_minor for q in found) >= 0
