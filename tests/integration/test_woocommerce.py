"""A WooCommerce shop on the same shelf: its orders take from the one stock, and it hears of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskCliRunner

from store import catalogue, clock, integration
from store.db import transaction
from store.integration import woocommerce
from tests.integration.webshop import KEY, SECRET, WebShop, open_webshop
from tests.world import Thing, World

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def webshop() -> Iterator[WebShop]:
    with open_webshop() as opened:
        yield opened


@pytest.fixture
def settings(settings: dict[str, Any], webshop: WebShop) -> dict[str, Any]:
    return settings | {"WOO_URL": webshop.url, "WOO_KEY": KEY, "WOO_SECRET": SECRET}


@pytest.fixture
def milk(world: World) -> Thing:
    return world.item(sku="MILK", on_hand=10)


def ahead(minutes: float = 1) -> str:
    return (clock.now() + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S")


def test_products_and_stock_go_out_and_only_what_changed(
    world: World, milk: Thing, webshop: WebShop
) -> None:
    world.item("bread", sku="BREAD", on_hand=0)
    assert woocommerce.sync() == (0, 0, 2, 0)
    assert (webshop.stock("MILK"), webshop.stock("BREAD")) == (10, 0)
    assert woocommerce.sync() == (0, 0, 0, 0)
    assert len(webshop.batches) == 1
    world.buy(world.member(funds="500"), (milk, 3))
    assert woocommerce.sync().products == 1
    (told,) = webshop.batches[-1]["update"]
    assert (told["stock_quantity"], webshop.stock("MILK")) == (7, 7)
    with transaction():
        catalogue.archive_item(milk.id)
    woocommerce.sync()
    assert webshop.products[told["id"]]["status"] == "draft"


def test_orders_take_from_the_one_stock_once(world: World, milk: Thing, webshop: WebShop) -> None:
    order = webshop.order(1, ahead(), "processing", ("MILK", 4))
    webshop.order(2, ahead(), "pending", ("MILK", 1))
    webshop.order(3, ahead(), "processing", ("MILK", 99), ("NOPE", 1))
    assert woocommerce.sync()[:2] == (3, 2)
    assert (world.left(milk), webshop.stock("MILK")) == (6, 6)
    assert {one.code for one in integration.entries()} == {"short", "item_unknown"}
    woocommerce.sync()
    assert world.left(milk) == 6
    order |= {"status": "completed", "date_modified_gmt": ahead(1.2)}
    woocommerce.sync()
    assert world.left(milk) == 6
    order |= {"status": "cancelled", "date_modified_gmt": ahead(1.5)}
    for _ in range(2):
        woocommerce.sync()
        assert (world.left(milk), webshop.stock("MILK")) == (10, 10)
    assert world.faults() == []


def test_many_pages_and_batches(world: World, milk: Thing, webshop: WebShop) -> None:
    world.stock(milk, 1000)
    with transaction():
        for number in range(150):
            catalogue.add_item(
                names={"en": f"Thing {number}"}, sku=f"T-{number}", tax_rate_bp=1300,
                price_minor=100, currency="CNY",
            )  # fmt: skip
    for number in range(230):
        webshop.order(number, ahead(), "processing", ("MILK", 1))
    assert woocommerce.sync() == (230, 0, 151, 0)
    assert world.left(milk) == 1010 - 230
    assert len(webshop.batches) == 2


def test_a_product_that_was_there_becomes_ours(milk: Thing, webshop: WebShop) -> None:
    webshop.products[7] = {"id": 7, "sku": "MILK", "stock_quantity": 99}
    assert woocommerce.sync() == (0, 0, 0, 1)
    assert woocommerce.sync() == (0, 0, 1, 0)
    assert webshop.products[7]["stock_quantity"] == 10


def test_what_fails_is_said_without_the_keys(
    world: World, milk: Thing, webshop: WebShop, runner: FlaskCliRunner,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    webshop.fail_with = [500]
    failed = runner.invoke(args=["integration", "woocommerce"])
    assert failed.exit_code == 1 and "A fault of the web shop" in failed.output
    done = runner.invoke(args=["integration", "woocommerce"])
    assert done.stdout.strip() == "0" and webshop.stock("MILK") == 10
    runner.app.config["WOO_SECRET"] = "cs_wrong"
    wrong = runner.invoke(args=["integration", "woocommerce"])
    assert wrong.exit_code == 1 and "401" in wrong.output
    runner.app.config["WOO_URL"] = "http://93.184.215.14"
    clear = runner.invoke(args=["integration", "woocommerce"])
    assert clear.exit_code == 1 and "only https" in clear.output
    said = failed.output + wrong.output + clear.output + caplog.text + " ".join(webshop.asked)
    assert KEY not in said and SECRET not in said and "cs_wrong" not in said
