"""Tax and rounding: several rates, with the tax in the price or on top of it, in currencies with
no, two and three decimals; on every page, and to the last unit."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from store import catalogue, identity, money, sales, stock
from store.db import db, transaction
from store.labels.forms import imprint as label_imprint
from store.labels.stickers import ITEM_COLUMNS, sample
from store.sales.receipts.receipts import is_on_top, tax_lines
from tests.world import Somebody, Thing, Visitor, World

rates = st.integers(0, 10_000)
amounts = st.integers(0, 10**9)


@pytest.fixture(params=["CNY in", "JPY in", "KWD in", "USD on top"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def settings(settings: dict[str, Any], kind: str) -> dict[str, Any]:
    currency, _, how = kind.partition(" ")
    return settings | {
        "CURRENCY": currency, "PRICES_INCLUDE_TAX": how == "in", "CONFIRM_OVER": "100000",
    }  # fmt: skip


only = pytest.mark.parametrize


@pytest.fixture
def world(app: Flask) -> World:
    made = World(app)
    made.currency = app.config["CURRENCY"]
    return made


@given(amounts, rates, st.booleans())
def test_a_line_is_net_and_tax_and_nothing_else(priced: int, rate: int, on_top: bool) -> None:
    total, tax = money.taxed(priced, rate, on_top)
    net = total - tax
    assert 0 <= tax <= total and (net if on_top else total) == priced
    # Never further from the exact tax than half a unit.
    assert abs(tax * 10_000 - net * rate) * 2 <= (10_000 if on_top else 10_000 + rate)
    assert is_on_top(priced, total, tax) == (on_top and tax != 0)


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 10**6), rates, st.booleans())))
def test_the_lines_of_tax_add_up_to_the_sale(lines: list[tuple[int, int, int, bool]]) -> None:
    sold = [(rate, *money.taxed(many * unit, rate, on_top)) for many, unit, rate, on_top in lines]
    found = tax_lines(sold)
    assert sum(each.tax_minor for each in found) == sum(tax for _, _, tax in sold)
    assert sum(each.total_minor for each in found) == sum(total for _, total, _ in sold)
    assert all(each.net_minor + each.tax_minor == each.total_minor for each in found)
    assert [each.rate_bp for each in found] == sorted({line[0] for line in sold}, reverse=True)


def test_half_a_unit_goes_up() -> None:
    assert money.taxed(50, 100, True) == (51, 1)
    assert money.taxed(49, 100, True) == (49, 0)
    assert money.taxed(-50, 100, True) == (-51, -1)
    assert money.taxed(2997, 825, True) == (3244, 247)  # Of three lines of 9.99 it were 246.
    assert money.taxed(11_300, 1300) == (11_300, 1300)


PRICES = {"CNY": ("12.50", "3.99"), "JPY": ("1250", "399"), "KWD": ("1.250", "0.399"),
          "USD": ("9.99", "3.99")}  # fmt: skip


def two_things(world: World) -> tuple[Thing, Thing]:
    """Goods of two rates: in an American shop 8.25 % and nothing, else 13 % and 9 %."""
    first, second = PRICES[world.currency]
    high, low = (825, 0) if world.currency == "USD" else (1300, 900)
    return (
        world.item("oat-milk", price=first, on_hand=50, tax_rate_bp=high),
        world.item("baguette", price=second, on_hand=50, tax_rate_bp=low),
    )


def form_of(page: str) -> dict[str, str]:
    """The hidden fields of a page, as its forms send them."""
    return dict(re.findall(r'type="hidden" name="([a-z_0-9-]+)" value="([^"]*)"', page))


def shown(world: World, minor: int) -> str:
    return html.escape(money.show(minor, world.currency))


def sale_of(world: World, answer: Any) -> sales.Receipt:
    assert answer.status_code == 303, answer.text
    with world.app.app_context():
        found = sales.receipt(answer.location.rsplit("/", 1)[1])
    assert found is not None
    return found


def lin_with(world: World) -> tuple[Somebody, Visitor]:
    lin = world.member(funds="100000" if world.currency == "JPY" else "1000")
    return lin, world.client_for(lin)


def test_from_the_shelf_to_the_refund_every_page_says_the_same(world: World) -> None:
    """One tap, its receipt, money back for one of three; in each kind of shop."""
    milk, _ = two_things(world)
    on_top = world.currency == "USD"
    lin, browser = lin_with(world)
    page = browser.get(f"{milk.path}?quantity=3").text
    total, tax = money.taxed(3 * milk.price_minor, 825 if on_top else 1300, on_top)
    assert shown(world, total) in page and ("tax</span>" in page) == on_top
    before = world.balance(lin)
    fields = {name: value for name, value in form_of(page).items() if name != "csrf"}
    sale = sale_of(world, browser.post("/sales", fields))
    assert (sale.total_minor, sale.tax_minor) == (total, tax)
    assert before - world.balance(lin) == total
    bill = browser.get(f"/sales/{sale.id}").text
    assert shown(world, tax) in bill and shown(world, total - tax) in bill
    assert "8.25 %" in bill if on_top else "Tax included, 13 %" in bill
    with world.app.app_context():
        sales.refund(sale.id, made_by=lin.id, parts=[sales.Part(1, 1)])
        after = sales.receipt(sale.id)
    assert after is not None
    [unit] = after.refunds[0].units
    assert unit == (1, 1, total // 3, tax // 3)
    assert world.balance(lin) == before - total + total // 3
    assert world.faults() == []


def test_a_basket_of_two_rates_adds_up_on_the_page_and_at_the_till(world: World) -> None:
    milk, bread = two_things(world)
    _, browser = lin_with(world)
    for path, many in ((milk.path, 3), (bread.path, 2)):
        browser.post("/basket/lines", form_of(browser.get(f"{path}?quantity={many}").text))
    page = browser.get("/basket").text
    sale = sale_of(world, browser.post("/basket/checkout", form_of(page)))
    assert shown(world, sale.total_minor) in page and shown(world, sale.tax_minor) in page
    assert [each.rate_bp for each in sale.taxes] == (
        [825, 0] if world.currency == "USD" else [1300, 900]
    )
    assert sum(each.total_minor for each in sale.taxes) == sale.total_minor
    assert sum(each.tax_minor for each in sale.taxes) == sale.tax_minor

    till = world.client_for(world.staff())
    for code in (f"3*{milk.code}", f"2*{bread.code}"):
        till.post("/desk/till/lines", code=code)
    page = till.get("/desk/till").text
    assert shown(world, sale.total_minor) in page
    answer = till.post("/desk/till/sales", form_of(page) | {"means": "cash"})
    paper = till.get(answer.location).text
    for tax in sale.taxes:
        assert shown(world, tax.net_minor) in paper or not tax.tax_minor
    assert shown(world, sale.total_minor) in paper
    assert world.faults() == []


@only("kind", ["JPY in", "KWD in", "USD on top"])
def test_import_label_and_api_speak_the_currency(
    world: World, runner: FlaskCliRunner, tmp_path: Any
) -> None:
    price, _ = PRICES[world.currency]
    file = tmp_path / "goods.csv"
    file.write_text(f"name,sku,price,tax_rate\nRice,RICE-1,{price},10\nOats,OATS,1.23456,10\n")
    done = runner.invoke(args=["catalogue", "import", str(file), "--stock", "5",
                               "--location", "MAIN"])  # fmt: skip
    assert "1.23456" in done.stderr  # More decimals than any of them has.
    exported = tmp_path / "out.csv"
    runner.invoke(args=["catalogue", "export", str(exported)])
    assert f",{price}," in exported.read_text("utf-8")
    owner = world.owner()
    with world.app.app_context(), transaction():
        token = identity.issue_token(identity.by_id(owner.id), ("items:read",))
    head = {"Authorization": f"Bearer {token}"}
    answer = world.app.test_client().get("/api/v1/items", headers=head)
    [rice] = answer.get_json()["items"]
    assert rice["price"]["amount"] == price
    assert rice["tax_included"] == (world.currency != "USD")
    assert rice["price_to_pay"]["amount"] == ("10.99" if world.currency == "USD" else price)
    minor = money.parse(price, world.currency)
    with world.app.test_request_context():
        imprint = label_imprint(stock.location("MAIN"))
        item = db.session.execute(select(*ITEM_COLUMNS)).one()
        sticker = sample(item, minor, world.currency, "", imprint)
    assert sticker.price_text == money.show(minor, world.currency)
    assert ("plus tax" in sticker.unit_price_text) == (world.currency == "USD")


@only("kind", ["JPY in", "KWD in"])
def test_money_comes_in_in_the_currency(world: World) -> None:
    lin, browser = lin_with(world)
    before = world.balance(lin)
    amount = "1500" if world.currency == "JPY" else "1.505"
    usual = "2000" if world.currency == "JPY" else "20"
    assert f'href="/me/top-up/ways?amount={usual}"' in browser.get("/me/top-up").text
    page = browser.get(f"/me/top-up/ways?amount={amount}").text
    key = form_of(page)["key"]
    refused = browser.post("/me/top-up", key=key, amount="1.5051", means="simulated")
    assert refused.status_code == 422
    answer = browser.post("/me/top-up", key=key, amount=amount, means="simulated")
    assert answer.status_code == 303
    assert world.balance(lin) - before == money.parse(amount, world.currency)
    assert shown(world, money.parse(amount, world.currency)) in browser.get("/me/account").text
    assert world.faults() == []


@only("kind", ["USD on top"])
def test_a_rise_of_the_tax_is_asked_about_like_one_of_the_price(world: World) -> None:
    milk, _ = two_things(world)
    _, browser = lin_with(world)
    fields = form_of(browser.get(milk.path).text)
    owner = world.client_for(world.owner())
    form = owner.get(f"/desk/items/{milk.id}")
    assert "without tax" in form.text
    with world.app.app_context(), transaction():
        catalogue.edit_item(milk.id, tax_rate_bp=1000)
    answer = browser.post("/sales", {k: v for k, v in fields.items() if k != "csrf"})
    assert answer.status_code == 409 and "price" in answer.text.lower()
    assert world.faults() == []


@only("kind", ["USD on top"])
def test_what_was_sold_stays_as_it_was_when_the_shop_changes_its_prices(world: World) -> None:
    milk, _ = two_things(world)
    lin, _ = lin_with(world)
    sale = world.buy(lin, (milk, 3))
    assert sale.on_top_minor == 247 and sale.lines[0].priced_minor == 2997
    world.app.config["PRICES_INCLUDE_TAX"] = True
    later = world.buy(lin, (milk, 3))
    with world.app.app_context():
        again = sales.receipt(sale.id)
    assert again is not None and again.on_top_minor == 247
    assert later.total_minor == 2997 and later.on_top_minor == 0
    assert world.faults() == []
