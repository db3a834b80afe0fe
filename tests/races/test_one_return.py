"""A unit comes back once: declared once by its shopper, received once by all of the staff together,
whatever way each of them goes."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import update

from store import ids, payment, sales
from store.db import in_transaction
from store.sales import opening
from store.sales.models import SaleLine
from store.sales.refunds import refunds
from store.sales.refunds.refunds import Part
from store.sales.returns import hand_ins, returns
from store.sales.returns.hand_ins import Decision, HandIn
from tests.races.crowd import at_once, inside, without_checks, words
from tests.sales.test_bundles import bundle
from tests.world import World

HANDS, ROUNDS = 6, 6


def declare_at_once(world: World, app: Flask, rounds: int) -> int:
    """Six tabs declare the same two units; answers how many declarations were too many."""
    lin, milk = world.member(funds="1000"), world.item(price="1", on_hand=900)
    for _ in range(rounds):
        sale = world.buy(lin, (milk, 2))

        def declare(sale_id: str = sale.id) -> str:
            wish = returns.Wish(sale_id, [Part(1, 2)], "shop", "", ids.new())
            return returns.declare(lin.id, wish)

        outcomes = at_once([inside(app, declare)] * HANDS)
        made = [one for one in outcomes if isinstance(one, str)]
        if len(made) > 1:
            return len(made) - 1
        refused = [one for one in outcomes if not isinstance(one, str)]
        assert words(refused) == {"not_so_many_left": HANDS - 1}
    return 0


def test_a_unit_is_declared_once(world: World, app: Flask) -> None:
    assert declare_at_once(world, app, ROUNDS) == 0
    assert world.faults() == []


def test_without_the_guards_it_is_declared_again(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(sale_id: str, position: int, many: int) -> None:
        line = (SaleLine.sale_id == sale_id, SaleLine.position == position)
        in_transaction().execute(update(SaleLine).where(*line).values(quantity_returning=many))

    monkeypatch.setattr(returns, "count_returning", careless)
    assert declare_at_once(world, app, 1) > 0
    assert world.faults() != []


def hand_in_at_once(world: World, app: Flask, rounds: int) -> int:
    """The same unit is handed in by its return, without it, and refunded, all at once; answers how
    many went back too often."""
    lin, sam, milk = world.member(funds="1000"), world.staff(), world.item(price="1", on_hand=900)
    for _ in range(rounds):
        sale = world.buy(lin, milk)
        with app.app_context():
            wish = returns.Wish(sale.id, [Part(1, 1)], "shop", "", ids.new())
            made = returns.declare(lin.id, wish)
        before = world.balance(lin)

        def by(return_id: str | None, sale_id: str = sale.id) -> str:
            units = [Decision(1, 1, "resell")]
            asked = HandIn(sale_id, world.location, sam.id, units, ids.new(), return_id=return_id)
            return hand_ins.hand_in(asked).refund_id

        jobs = [inside(app, lambda one=made: by(one))] * 3  # type: ignore[misc]
        jobs += [inside(app, lambda: by(None))] * 2
        jobs += [inside(app, lambda: sales.refund(sale.id, made_by=sam.id))]  # noqa: B023
        outcomes = at_once(jobs)
        given = sum(isinstance(one, str) for one in outcomes)
        if given > 1 or world.balance(lin) - before > 100:
            return given
        assert given == 1
        refused = words([one for one in outcomes if not isinstance(one, str)])
        assert set(refused) <= {"return_over", "not_so_many_left", "not_refundable"}
    return 0


def test_a_unit_is_received_once(world: World, app: Flask) -> None:
    assert hand_in_at_once(world, app, ROUNDS) == 0
    assert world.faults() == []


def test_without_the_guards_it_is_received_again(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody counts: not the return, not the line of the sale, not the ledger."""
    without_checks(app, "sale_lines", "ck_sale_lines_quantity_refunded")
    without_checks(app, "sale_lines", "ck_sale_lines_quantity_returning")
    monkeypatch.setattr(hand_ins, "_receive", lambda found, parts: None)
    monkeypatch.setattr(hand_ins, "pay_back", _careless)
    assert hand_in_at_once(world, app, 20) > 1
    assert world.faults() != []


def _careless(sale_id: str, **given: object) -> object:
    sale = sales.receipt(sale_id)
    assert sale is not None and sale.member_id is not None
    line = refunds.Given(1, sale.lines[0].item_id, 1, 100, 0)
    payment.deposit(sale.member_id, 100, sale.currency, "takings")
    refund_id = ids.new()
    refunds._write(refund_id, sale_id, [line], given["made_by"], "", given["at"])  # type: ignore[arg-type]
    return refunds.PaidBack(refund_id, sale.member_id, sale.location_id, [line], [line])


def declare_a_part_at_once(world: World, app: Flask, rounds: int) -> int:
    """Six tabs declare the same bread out of a bundle; answers how many were too many."""
    lin, bread = world.member(funds="1000"), world.item("bread", price="1", on_hand=900)
    kit = bundle(world, (bread, 1), (world.item(price="1", on_hand=900), 2))
    for _ in range(rounds):
        sale = world.buy(lin, kit)

        def declare(sale_id: str = sale.id) -> str:
            wish = returns.Wish(sale_id, [Part(1, 1, bread.id)], "shop", "", ids.new())
            return returns.declare(lin.id, wish)

        outcomes = at_once([inside(app, declare)] * HANDS)
        made = [one for one in outcomes if isinstance(one, str)]
        if len(made) > 1:
            return len(made) - 1
        refused = [one for one in outcomes if not isinstance(one, str)]
        assert words(refused) == {"not_so_many_left": HANDS - 1}
    return 0


def test_a_part_of_a_bundle_is_declared_once(world: World, app: Flask) -> None:
    assert declare_a_part_at_once(world, app, 2) == 0
    assert world.faults() == []


def test_without_the_guards_a_part_is_declared_again(
    world: World, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(sale_id: str, position: int, many: int) -> None:
        line = (SaleLine.sale_id == sale_id, SaleLine.position == position)
        in_transaction().execute(update(SaleLine).where(*line).values(quantity_returning=many))

    monkeypatch.setattr(returns, "count_returning", careless)
    monkeypatch.setattr(opening, "_left", lambda line: 9)
    assert declare_a_part_at_once(world, app, 1) > 0
    assert world.faults() != []
