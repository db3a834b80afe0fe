"""Near its date it costs less: on the page, in the basket, in the buy; what is fresh does not."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from store import stock
from store.catalogue import markdowns
from store.catalogue.models import Category, MarkdownRule
from store.db import db, transaction
from store.errors import Invalid
from store.sales.till.marked import marked_at, near_list
from tests.conftest import Clock
from tests.sales.test_bundles import bundle
from tests.world import Thing, World


@pytest.fixture
def milk(world: World, clock: Clock) -> Thing:
    """At 10.00; three whose last day is in 2 days, five more in 30."""
    milk = world.item(price="10", on_hand=0, tracks_batches=True)
    with world.app.app_context(), transaction():
        for code, days, many in (("OLD", 2, 3), ("NEW", 30, 5)):
            batch = stock.open_batch(milk.id, code, stock.today() + timedelta(days=days))
            stock.receive(milk.id, world.location, many, batch_id=batch)
    return milk


def rule(world: World, days: int, percent: int, **of: int) -> None:
    with world.app.app_context(), transaction():
        markdowns.set_markdown(days, percent, **of)


def paid(world: World, *goods: Thing | tuple[Thing, int]) -> list[int]:
    return [line.unit_minor for line in world.sale(*goods).lines]


def test_as_many_as_are_near_cost_less(world: World, milk: Thing) -> None:
    assert paid(world, milk) == [1000]
    rule(world, 3, 30)
    assert paid(world, (milk, 3)) == [1000]  # Two are near their date, the third is not.
    with world.app.app_context(), transaction():
        stock.receive(milk.id, world.location, 2, batch_id=stock.open_batch(milk.id, "OLD"))
    assert paid(world, milk, milk) == [700, 700]  # Two lines of one item are counted together.
    assert paid(world, milk) == [1000]
    assert world.faults() == []


def test_the_nearest_rule_counts_and_nothing_goes_below_zero(world: World, milk: Thing) -> None:
    with world.app.app_context():
        drinks = db.session.scalar(select(Category.id))
    assert drinks is not None
    rule(world, 3, 10)
    rule(world, 3, 50, category_id=drinks)
    assert paid(world, milk) == [500]
    rule(world, 1, 90, item_id=milk.id)  # Not so near yet: no other rule takes its place.
    assert paid(world, milk) == [1000]
    rule(world, 2, 100, item_id=milk.id)
    assert paid(world, milk) == [0]
    rule(world, 0, 0, item_id=milk.id)
    with world.app.app_context():
        assert markdowns.markdowns_of([milk.id]) == {}
        for wrong in ((-1, 5), (5, 101), (5, -1), (10_000, 5)):
            with pytest.raises(Invalid), transaction():
                markdowns.set_markdown(*wrong)
        with pytest.raises(Invalid), transaction():
            markdowns.set_markdown(1, 1, item_id=milk.id, category_id=drinks)
    assert world.faults() == []


def test_what_is_expired_or_in_a_bundle_is_not_marked(
    world: World, milk: Thing, clock: Clock
) -> None:
    rule(world, 3, 30)
    kit = bundle(world, (milk, 2))
    assert paid(world, kit, milk) == [500, 700]  # All three are near; the bundle has its own price.
    with world.app.app_context(), transaction():
        stock.receive(milk.id, world.location, 2, batch_id=stock.open_batch(milk.id, "OLD"))
    clock.tick(days=3)
    with world.app.app_context():
        assert marked_at([(milk.id, world.location)]) == {}
        assert near_list(world.location) == []
    assert paid(world, milk) == [1000]


def test_page_and_basket_say_what_is_charged(world: World, milk: Thing) -> None:
    rule(world, 3, 30)
    phone = world.client_for(world.member(funds="100"))
    page = phone.get(milk.path).text
    assert "Best before" in page and "¥7.00 instead of ¥10.00" in page
    assert "Pay <b>¥7.00</b>" in page and 'name="seen_minor" value="700"' in page
    assert "Pay <b>¥40.00</b>" in phone.get(f"{milk.path}?quantity=4").text
    form = {"code": milk.code, "quantity": "2", "seen_minor": "700", "at": "MAIN"}
    phone.post("/basket/lines", form)
    basket = phone.get("/basket").text
    assert "Pay <b>¥14.00</b>" in basket
    key = re.search(r'name="key" value="(\w+)"', basket)
    assert key
    done = phone.post("/basket/checkout", {"key": key[1], f"seen-{milk.id}": "700"})
    assert "14" in phone.get(done.location).text and done.location.startswith("/sales/")
    assert world.faults() == []


def test_staff_see_what_to_mark_down(world: World, milk: Thing) -> None:
    desk = world.client_for(world.staff())
    assert "There is no rule yet" in desk.get("/desk/markdowns").text
    owner, rule = world.client_for(world.owner()), {"days": "3", "percent": "25"}
    assert desk.post("/desk/markdowns", rule).status_code == 403
    assert "Set the rule" not in desk.get("/desk/markdowns").text
    assert "Set the rule" in owner.get("/desk/markdowns").text
    assert owner.post("/desk/markdowns", rule).status_code == 303
    page = desk.get("/desk/markdowns").text
    assert "OLD" in page and "NEW" not in page and "¥7.50" in page
    for wrong in ({"days": "3"}, {"days": "3", "percent": "101"}, {"days": "-1", "percent": "1"}):
        assert owner.post("/desk/markdowns", wrong).status_code == 422
    named = {"days": "3", "percent": "5", "code": "N0SUCH"}
    assert owner.post("/desk/markdowns", named).status_code == 404
    with world.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(MarkdownRule)) == 1
