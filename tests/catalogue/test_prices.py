"""Prices: the newest that has begun is in force; a location's own wins."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from store import catalogue
from store.catalogue.models import Item, Price
from store.db import connection, db, transaction
from store.errors import Invalid
from tests.conftest import Clock
from tests.world import World


def price(item: Any, minor: int, **more: Any) -> bool:
    with transaction():
        return catalogue.set_price(item.id, minor, more.pop("currency", "CNY"), **more)


@pytest.mark.usefixtures("context")
def test_a_price_of_the_location_wins_over_a_newer_one_for_all(world: World, clock: Clock) -> None:
    mill = world.place("MILL")
    milk = world.item(price="12.50")
    price(milk, 1000, location_id=world.location)
    clock.tick(hours=1)
    price(milk, 1300)
    assert catalogue.quote([milk.id], world.location, "CNY") == {milk.id: 1000}
    assert catalogue.quote([milk.id], mill, "CNY") == {milk.id: 1300}
    assert catalogue.quote([milk.id], None, "CNY") == {milk.id: 1300}


@pytest.mark.usefixtures("context")
def test_a_price_begins_when_it_was_said_to_even_for_a_statement_built_before(
    world: World, clock: Clock
) -> None:
    milk = world.item(price="12.50")
    price(milk, 999, starts_at=clock.now + timedelta(hours=2))
    built_once = select(catalogue.price_in_force(Item.id, None)).where(Item.id == milk.id)
    assert connection().scalar(built_once) == 1250
    clock.tick(hours=2)
    assert connection().scalar(built_once) == 999


@pytest.mark.usefixtures("context")
def test_the_price_that_is_in_force_is_not_added_again(world: World) -> None:
    milk = world.item(price="12.50")
    assert not price(milk, 1250)
    assert price(milk, 1300) and price(milk, 1250)
    amounts = select(Price.amount_minor).where(Price.item_id == milk.id).order_by(Price.id)
    assert list(db.session.scalars(amounts)) == [1250, 1300, 1250]


@pytest.mark.usefixtures("context")
def test_a_price_in_other_money_is_no_price_here(world: World) -> None:
    milk = world.item(price="12.50")
    assert catalogue.quote([milk.id], world.location, "EUR") == {}
    price(milk, 200, currency="EUR")
    assert catalogue.quote([milk.id], world.location, "EUR") == {milk.id: 200}
    assert catalogue.quote([milk.id], world.location, "CNY") == {milk.id: 1250}


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize(("minor", "currency"), [(-1, "CNY"), (10**15 + 1, "CNY"), (1, "YYY")])
def test_what_is_no_price_is_refused(world: World, minor: int, currency: str) -> None:
    milk = world.item(price="12.50")
    with pytest.raises(Invalid):
        price(milk, minor, currency=currency)
    assert catalogue.quote([milk.id], None, "CNY") == {milk.id: 1250}


@pytest.mark.usefixtures("context")
def test_quotes_of_nothing_and_of_what_is_not_there_are_empty(world: World) -> None:
    assert catalogue.quote([], None, "CNY") == {}
    assert catalogue.quote([10**12], None, "CNY") == {}
