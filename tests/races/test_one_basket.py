"""A basket is paid for once: two tabs, two taps, and a scan that comes in between."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from store import ids
from store.errors import NotFound
from store.sales import Line
from store.sales.basket import basket, basket_rows
from store.sales.basket.basket import Holder
from tests.live import Start
from tests.races.crowd import at_once, buy_at_once, inside, wanted, words
from tests.races.tabs import Tab, signed_in
from tests.world import Thing, World

TABS, ROUNDS = 6, 8


def filled(tab: Tab, thing: Thing) -> None:
    form = tab.form(thing.path, "/sales")
    answer = tab.post("/basket/lines", form)
    assert answer.status_code == 303, answer.text


def test_without_one_key_each_tab_pays(world: World, app: Flask) -> None:
    """What the basket's key is for: with a key of its own each tab is a buy of its own."""
    lin, milk = world.member(funds="1000"), world.item(on_hand=100)
    asked = wanted(world, lin, (milk, 1))
    outcomes = buy_at_once(app, [replace(asked, key=ids.new()) for _ in range(TABS)])
    assert words(outcomes) == {"sold": TABS}


def test_many_tabs_pay_for_a_basket_once(world: World, live_server: Start) -> None:
    lin, milk, bread = (
        world.member(funds="1000"),
        world.item(on_hand=100),
        world.item("bread", on_hand=100),
    )
    server = live_server(WORKERS=2)
    first = signed_in(server, lin)
    tabs = [first, *(Tab(server, dict(first.session.cookies)) for _ in range(TABS - 1))]
    for number in range(1, ROUNDS + 1):
        filled(first, milk)
        filled(first, bread)
        form = first.form("/basket", "/basket/checkout") | {"again": "1", "confirmed": "1"}
        outcomes: list[Any] = at_once(
            [lambda tab=tab: tab.post("/basket/checkout", form) for tab in tabs]  # type: ignore[misc]  # noqa: B023
        )
        seen = {
            (one.status_code, urlsplit(one.headers.get("Location", "")).path) for one in outcomes
        }
        assert len(seen) == 1, [(one.status_code, one.text[-300:]) for one in outcomes]
        assert next(iter(seen))[0] == 303
        assert world.left(milk) == world.left(bread) == 100 - number
        assert "/basket/checkout" not in first.get("/basket")
    assert world.balance(lin) == 100_000 - ROUNDS * (milk.price_minor + bread.price_minor)
    assert world.faults() == []


def test_a_basket_that_changes_while_it_is_paid_is_paid_as_it_was_shown(
    world: World, app: Flask
) -> None:
    """A second scan comes while the first is paid: it is never in the sale under the old key."""
    lin, milk, bread = (
        world.member(funds="1000"),
        world.item(on_hand=100),
        world.item("bread", on_hand=100),
    )
    holder = Holder(lin.id, None)

    def scan(thing: Thing) -> None:
        basket.add(holder, Line(thing.id, 1), world.location, "CNY")

    for _ in range(20):
        inside(app, lambda: scan(milk))()
        key = inside(app, lambda: basket.contents(holder, "CNY"))().key  # type: ignore[union-attr]

        def looked() -> tuple[str, int]:
            found = basket.contents(holder, "CNY")
            assert found is not None
            return found.key, len(found.lines)

        jobs: list[Any] = [inside(app, looked)] * 4 + [inside(app, lambda: scan(bread))]
        outcomes = at_once(jobs)
        assert not [one for one in outcomes if isinstance(one, BaseException)], outcomes
        for seen in outcomes[:4]:
            assert seen[1] == (1 if seen[0] == key else 2), outcomes  # type: ignore[index]
        with app.app_context():
            found = basket.contents(holder, "CNY")
            assert found is not None
            for line in found.lines:
                basket.set_quantity(holder, line.id, 0)


@pytest.mark.usefixtures("context")
def test_what_was_paid_for_is_not_paid_for_again_with_the_next_scan(world: World) -> None:
    """The process died after the sale and before the basket was emptied."""
    lin, milk, bread = (
        world.member(funds="1000"),
        world.item(on_hand=10),
        world.item("bread", on_hand=10),
    )
    holder = Holder(lin.id, None)
    basket.add(holder, Line(milk.id, 1), world.location, "CNY")
    shown = basket.contents(holder, "CNY")
    assert shown is not None
    world.buy(lin, milk, key=shown.key)
    basket.add(holder, Line(bread.id, 1), world.location, "CNY")
    left = basket.contents(holder, "CNY")
    assert left is not None
    assert [line.item_id for line in left.lines] == [bread.id]


def tapped(world: World, app: Flask, rounds: int = 6) -> list[object]:
    """What came of many taps at once into baskets that are new, a guest's on their way in, or
    there already; nothing where each counted once."""
    bread, faults = world.item("bread", on_hand=100), list[object]()
    goods = [world.item(on_hand=100), world.item("pear", on_hand=100)]
    for number in range(rounds):
        holder = Holder(world.member(f"Lin {number}", funds="10").id, ids.secret())
        expected: dict[int, int] = {}
        if number % 2:
            guest, expected = Holder(None, holder.secret), {bread.id: 1}
            inside(app, lambda: basket.add(guest, Line(bread.id, 1), world.location, "CNY"))()  # noqa: B023
        for thing in goods:
            line = Line(thing.id, 1)
            jobs: list[Any] = [
                inside(app, lambda: basket.add(holder, line, world.location, "CNY"))  # noqa: B023
            ] * TABS
            faults += [one for one in at_once(jobs) if one is not None]
            expected |= {thing.id: TABS}
            with app.app_context():
                found = basket.contents(holder, "CNY")
                have = {each.item_id: each.quantity for each in found.lines} if found else {}
            if have != expected:
                faults.append(have)
    return faults


def test_every_tap_at_once_is_one_more_of_it(world: World, app: Flask) -> None:
    assert tapped(world, app) == []


def test_without_the_basket_s_lock_taps_get_in_each_others_way(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    if app.config["DATABASE_URL"].startswith("sqlite"):
        return  # There one writer is alone, whatever it locks.
    monkeypatch.setattr(basket_rows, "locked", lambda query: query)
    monkeypatch.setattr(basket, "REPEATS", 0)
    assert tapped(world, app) != []


def test_a_line_that_is_changed_while_it_goes_is_gone_or_there(world: World, app: Flask) -> None:
    lin, milk = world.member(funds="10"), world.item(on_hand=100)
    holder = Holder(lin.id, None)
    for _ in range(6):
        inside(app, lambda: basket.add(holder, Line(milk.id, 1), world.location, "CNY"))()
        with app.app_context():
            found = basket.contents(holder, "CNY")
            assert found is not None
            line, key = found.lines[0].id, found.key
        jobs: list[Any] = [
            inside(app, lambda many=many: basket.set_quantity(holder, line, many))  # type: ignore[misc]  # noqa: B023
            for many in (3, 0, 4, 0, 5)
        ]
        jobs.append(inside(app, lambda: basket.clear(holder, key)))  # noqa: B023
        for one in at_once(jobs):
            assert one is None or isinstance(one, NotFound), repr(one)
        with app.app_context():
            left = basket.contents(holder, "CNY")
            for each in left.lines if left else []:
                basket.set_quantity(holder, each.id, 0)
