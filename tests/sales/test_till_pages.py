"""The till's page: scanned, undone, paid by cash, card or account, once, whoever buys."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select

from store import clock, ticks
from store.db import db
from store.identity import member_codes
from store.sales.basket import basket
from store.sales.models import Sale
from tests.world import Somebody, Thing, Visitor, World


@pytest.fixture
def milk(world: World) -> Thing:
    return world.item(price="12.50", on_hand=5)


@pytest.fixture
def till(world: World) -> Visitor:
    return world.client_for(world.staff())


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


def scan(till: Visitor, code: str, **more: Any) -> str:
    answer = till.post("/desk/till/lines", {"code": code} | more)
    assert answer.status_code == 303
    return till.get(answer.location).text


def code_of(world: World, member: Somebody, steps: int = 0) -> str:
    """What the code on the member's phone says, `steps` from now."""
    key = str(world.app.config["SECRET_KEY"]).encode()
    return member_codes.text_for(member.id, ticks.step_at(clock.now()) + steps, key)


def scanned(till: Visitor, code: str) -> tuple[str, dict[str, str]]:
    """The page after a scan, and what its address says of the buyer."""
    answer = till.post("/desk/till/lines", code=code)
    assert answer.status_code == 303
    said = {name: value[0] for name, value in parse_qs(urlsplit(answer.location).query).items()}
    return html.unescape(till.get(answer.location).text), said


def pay(till: Visitor, page: str, means: str, **more: str) -> str:
    """The page after the tender: the receipt, or the till with what is wrong."""
    seen: dict[str, Any] = dict(re.findall(r'name="(seen-\d+)" value="(\d+)"', page))
    form: dict[str, Any] = {"key": field(page, "key"), "means": means} | seen | more
    answer = till.post("/desk/till/sales", form)
    assert answer.status_code == 303
    return till.get(answer.location).text


def number(receipt: str) -> str:
    found = re.search(r"<title>Receipt ([0-9A-Z-]+)", receipt)
    assert found, receipt[:300]
    return found[1]


def sold(world: World) -> list[tuple[int | None, str, int]]:
    with world.app.app_context():
        query = select(Sale.member_id, Sale.means, Sale.total_minor).order_by(Sale.id)
        return [(row[0], row[1], row[2]) for row in db.session.execute(query)]


def test_three_of_one_and_one_of_another_for_cash(world: World, till: Visitor, milk: Thing) -> None:
    bread = world.item("bread", price="8")
    scan(till, f"3*{milk.code}")
    page = scan(till, bread.gtin or bread.code)
    assert "4 pieces" in page and "45.50" in page
    receipt = pay(till, page, "cash", given="50")
    assert "4.50" in receipt and "Cash" in receipt and "Next customer" in receipt
    assert sold(world) == [(None, "cash", 4550)]
    assert world.left(milk) == 2
    assert "Ready for the next customer" in till.get("/desk/till").text
    assert world.faults() == []


def test_a_basket_outlives_a_reload_and_is_undone(till: Visitor, milk: Thing) -> None:
    scan(till, milk.code)
    page = scan(till, milk.code)
    assert "Undo" in page and "2 pieces" in page
    assert "2 pieces" in till.get("/desk/till").text
    till.post("/desk/till/quantity", line_id=field(page, "line_id"), quantity="1")
    page = till.get("/desk/till").text
    assert "1 piece" in page
    till.post("/desk/till/clear", key=field(page, "key"))
    assert "Ready for the next customer" in till.get("/desk/till").text


def test_a_member_pays_from_the_account_or_otherwise(
    world: World, till: Visitor, milk: Thing
) -> None:
    lin = world.member(funds="20")
    for who in (lin.email, str(lin.id)):
        answer = till.get("/desk/till", query_string={"who": who})
        assert answer.location.endswith(f"member={lin.id}")
    _, with_code = scanned(till, code_of(world, lin))
    page = scan(till, milk.code, **with_code)
    assert "Account" in page and "20.00" in page
    assert "Shop account" in pay(till, page, "account", **with_code)
    page = scan(till, milk.code, **with_code)
    said = pay(till, page, "account", **with_code)
    assert "The account holds only" in said and "7.50" in said
    pay(till, said, "card", **with_code)
    assert sold(world) == [(lin.id, "account", 1250), (lin.id, "card", 1250)]
    assert "Nobody is known" in till.get("/desk/till?who=nobody@example.com").text
    assert world.faults() == []


def test_a_tender_that_is_sent_again_is_one_sale(world: World, till: Visitor, milk: Thing) -> None:
    """The answer was lost; the button is tapped again, even another one, or the page reloaded."""
    lin = world.member(funds="50")
    page = scan(till, milk.code)
    first = pay(till, page, "cash")
    mine = {"member": str(lin.id)}
    others: list[tuple[str, dict[str, str]]] = [("cash", {}), ("card", {}), ("account", mine)]
    for means, more in others:
        again = pay(till, page, means, **more)
        assert number(again) == number(first)
    assert sold(world) == [(None, "cash", 1250)]
    assert (world.left(milk), world.balance(lin)) == (4, 5000)
    assert world.faults() == []


def test_what_was_paid_does_not_come_back_with_the_next_scan(
    world: World, till: Visitor, milk: Thing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies between the sale and emptying the basket."""
    page = scan(till, milk.code)
    monkeypatch.setattr(basket, "clear", lambda holder, key: None)
    pay(till, page, "cash")
    monkeypatch.undo()
    assert "The last basket is paid" in till.get("/desk/till").text
    assert "1 piece" in scan(till, milk.code)
    assert world.left(milk) == 4


def test_no_sale_where_something_is_wrong(world: World, till: Visitor, milk: Thing) -> None:
    assert "is not for sale here" in scan(till, "no-such-code")
    page = scan(till, f"5*{milk.code}")
    assert "less than the total" in pay(till, page, "cash", given="1")
    world.price(milk, "13")
    assert "A price has gone up" in pay(till, page, "cash")
    page = till.get("/desk/till").text
    world.buy(world.member(funds="100"), milk)
    assert "The book has only 4" in pay(till, page, "cash")
    assert till.post("/desk/till/sales", key=field(page, "key"), means="shells").status_code == 422
    assert till.post("/desk/till/sales", key=field(page, "key"), means="account").status_code == 422
    scan(till, milk.code)
    assert "The basket has changed" in pay(till, page, "cash")
    with world.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Sale)) == 1
    assert world.faults() == []


def test_two_tills_have_baskets_of_their_own(world: World, till: Visitor, milk: Thing) -> None:
    other = world.client_for(world.staff())
    scan(till, milk.code)
    assert "Ready for the next customer" in other.get("/desk/till").text
    page = scan(other, milk.code)
    line = field(till.get("/desk/till").text, "line_id")
    other.post("/desk/till/quantity", line_id=line, quantity="0")
    assert "1 piece" in till.get("/desk/till").text
    sale = pay(other, page, "cash")
    assert "Next customer" in sale
    assert "1 piece" in till.get("/desk/till").text
