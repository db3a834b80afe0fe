"""Money that goes to the shopper's account instead of where it came from."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from store import ids, sales
from store.errors import Invalid
from store.payment import attempts, gateways, paybacks
from store.payment.gateways.simulated import Simulated
from store.sales.paying import paying
from store.sales.returns import hand_ins
from tests.conftest import Clock
from tests.payment.test_money_machine import Bank
from tests.sales.test_split_payment import begun, told
from tests.world import World


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"SIMULATED_GATEWAY": True}


@pytest.mark.usefixtures("context")
def test_a_part_goes_to_the_account_and_the_rest_to_its_source(
    world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    lin, sam, bank = world.member(funds="12"), world.staff(), Bank()
    milk = world.item(price="10", on_hand=9)
    attempt_id = begun(world, lin, milk, bank, many=3)
    sale_id = told(bank, attempt_id).sale_id or ""
    sales.refund(sale_id, made_by=sam.id, parts=[sales.Part(1, 1)], to_account=True)
    assert (world.balance(lin), attempts.find(attempt_id).refunded_minor) == (1000, 0)
    sales.refund(sale_id, made_by=sam.id, parts=[sales.Part(1, 1)])
    assert (world.balance(lin), attempts.find(attempt_id).refunded_minor) == (1000, 1000)
    assert world.faults() == []
    # The provider takes nothing back any more: what it brought is the account's, too.
    monkeypatch.setitem(gateways.REFUND_DAYS, "simulated", 180)
    clock.tick(days=181)
    sales.refund(sale_id, made_by=sam.id)
    assert (world.balance(lin), attempts.find(attempt_id).refunded_minor) == (2000, 1000)
    found = sales.receipt(sale_id)
    assert found and [each.account_minor for each in found.refunds] == [1000, 0, 1000]
    with pytest.raises(sales.NotRefundable):
        sales.refund(sale_id, made_by=sam.id, to_account=True)
    paybacks.work({"simulated": bank})
    assert bank.holds == 3000 - 1200 - 1000
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_cash_goes_to_the_account_of_whoever_has_one(world: World) -> None:
    lin, sam, milk = world.member(), world.staff(), world.item(price="10", on_hand=9)

    def sold(member_id: int | None) -> str:
        lines = (sales.Line(milk.id, 1),)
        return sales.buy(sales.Buy(member_id, world.location, "CNY", lines, ids.new(), "till",
                                   sam.id, means="cash")).sale_id  # fmt: skip

    nobodys = sold(None)
    with pytest.raises(Invalid, match="nobody"):
        sales.refund(nobodys, made_by=sam.id, to_account=True)
    sales.refund(sold(lin.id), made_by=sam.id, to_account=True)
    assert world.balance(lin) == 1000
    # What is in the account now pays for something else in the same step.
    sale_id = sold(lin.id)
    asked = hand_ins.HandIn(
        sale_id, world.location, sam.id, [hand_ins.Decision(1, 1, "resell")], ids.new(),
        to_account=True,
    )  # fmt: skip
    tea = world.item("tea", price="15", on_hand=3)
    hand_ins.exchange(asked, (sales.Line(tea.id, 1),))
    assert (world.balance(lin), world.left(milk)) == (500, 8)
    assert world.faults() == []


def test_staff_and_shoppers_choose_on_their_pages_and_the_api_says_where(
    world: World, app: Flask
) -> None:
    lin, sam = world.member(), world.staff()
    milk, desk, phone = world.item(price="10", on_hand=9), world.client_for(sam), None

    def bought(order: bool = False) -> str:
        lines = (sales.Line(milk.id, 1),)
        asked: sales.Buy | sales.Order = sales.Buy(
            lin.id, world.location, "CNY", lines, ids.new(), means="simulated"
        )
        if order:
            asked = sales.Order(lin.id, world.location, "CNY", lines, ids.new(), "collect", 500,
                                place_id=world.location, means="simulated")  # fmt: skip
        with app.app_context():
            gateway = Simulated(b"known-to-the-tests-only", hang_s=0)
            made = attempts.find(paying.pay(paying.Paying(asked, gateway)))
            return made.sale_id or ""

    sale_id = bought()
    page = desk.get(f"/desk/sales/{sale_id}").text
    assert re.findall(r'<option value="(source|account)">', page) == ["source", "account"]
    form = {"quantity-1": 1, "reason": "Damaged"}
    wrong = desk.post(f"/desk/sales/{sale_id}/refunds", form | {"to": "elsewhere"})
    assert (wrong.status_code, world.balance(lin)) == (422, 0)
    assert desk.post(f"/desk/sales/{sale_id}/refunds", form | {"to": "account"}).status_code == 303
    assert world.balance(lin) == 1000
    phone = world.client_for(lin)
    assert "¥10.00 of it to the shop account" in phone.get(f"/sales/{sale_id}").text
    handed = bought()
    page = desk.get(f"/desk/returns/{handed}").text
    assert 'value="account"' in page
    taken = desk.post(f"/desk/returns/{handed}", {
        "at": "MAIN", "key": ids.new(), "resell-1": 1, "to": "account"})  # fmt: skip
    assert (taken.status_code, world.balance(lin)) == (303, 2000)
    # The shopper has said so when declaring it: nobody at the desk need ask.
    wished = bought()
    assert 'value="account"' in phone.get(f"/sales/{wished}/returns").text
    wish = {"quantity-1": 1, "reason": "Damaged", "way": "shop", "key": ids.new()}
    assert phone.post(f"/sales/{wished}/returns", wish | {"to": "bank"}).status_code == 422
    declared = phone.post(f"/sales/{wished}/returns", wish | {"to": "account"}).location
    assert "The money goes to the shop account" in phone.get(declared).text
    page = f"/desk/returns/{wished}?of={declared.rpartition('/')[2]}"
    shown = desk.get(page).text
    assert "wants the money in the shop account" in shown and 'name="to"' not in shown
    taken = desk.post(page.partition("?")[0], {
        "at": "MAIN", "key": ids.new(), "resell-1": 1, "of": page.rpartition("=")[2]})  # fmt: skip
    assert (taken.status_code, world.balance(lin)) == (303, 3000)
    assert "went to the account" in desk.get(page).text
    ordered = bought(order=True)
    assert 'value="account"' in phone.get(f"/sales/{ordered}").text
    assert phone.post(f"/sales/{ordered}/cancel", to="account").status_code == 303
    assert (world.balance(lin), world.faults()) == (4000, [])
