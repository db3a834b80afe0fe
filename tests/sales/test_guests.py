"""Guests: they buy without an account, keep the receipt, and put it into an account later."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from store import ids, outbox, reports
from store.db import db, transaction
from store.membership.models import CouponCode
from store.payment.models import Attempt, Payback
from store.sales.guests import guests
from store.sales.guests.guest_models import Claim
from store.sales.models import Sale
from tests.membership.making import coupon
from tests.sales.test_receipts_to_keep import deliver, prove
from tests.world import PASSWORD, Somebody, Thing, Visitor, World


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"PRACTICE_POST": True, "BASE_URL": "https://shop.example"}


@dataclass
class Guest:
    """A phone that nobody has signed in on."""

    world: World
    browser: Visitor

    def form(self, item: Thing, quantity: int = 1, wish: str = "approve") -> dict[str, Any]:
        page = self.browser.get(f"/pay?code={item.code}&quantity={quantity}")
        key = re.search(r'name="key" value="(\w+)"', page.text)
        assert page.status_code == 200 and key, page.text
        return {"key": key[1], "code": item.code, "quantity": quantity, "means": "simulated",
                "seen_minor": item.price_minor, "wish": wish}  # fmt: skip

    def buys(self, item: Thing, quantity: int = 1) -> str:
        """The id of the sale."""
        return self.sends(self.form(item, quantity))

    def sends(self, form: dict[str, Any]) -> str:
        waits = self.browser.post("/pay", form)
        assert waits.status_code == 303, waits.text
        if waits.location.startswith("/sales/"):
            return str(waits.location).rpartition("/")[2]
        receipt = self.browser.get(waits.location)
        assert receipt.status_code == 303 and receipt.location.startswith("/sales/"), receipt.text
        return str(receipt.location).rpartition("/")[2]

    def signs_in(self, member: Somebody) -> None:
        answer = self.browser.post("/sign-in", identifier=member.email, password=PASSWORD)
        assert answer.status_code == 303, answer.text


@pytest.fixture
def guest(world: World) -> Guest:
    return Guest(world, world.visitor())


def link(world: World, sale_id: str) -> str:
    key = str(world.app.config["SECRET_KEY"]).encode()
    return f"/sales/{sale_id}?k={guests.link_key(key, sale_id)}"


def of_member(world: World, sale_id: str) -> int | None:
    with world.app.app_context():
        return db.session.get_one(Sale, sale_id).member_id


def sums(world: World) -> None:
    """The books add up, and so do the owner's figures, before and after any worker."""
    assert world.faults() == []
    with world.app.app_context():
        assert not any(reports.differences().values())


def test_a_guest_buys_in_three_screens_and_only_their_phone_has_the_receipt(
    world: World, guest: Guest
) -> None:
    milk = world.item(price="12.50", on_hand=5)
    shelf = guest.browser.get(milk.path).text
    to_pay = re.search(r'href="(/pay\?[^"]+)"', shelf)
    assert to_pay and "Pay without account" in shelf
    assert guest.browser.get(to_pay[1].replace("&amp;", "&")).status_code == 200
    form = guest.form(milk, 2)
    sale = guest.sends(form)
    assert (world.left(milk), of_member(world, sale)) == (3, None)
    assert guest.sends(form) == sale, "the same page sent twice is one payment"
    page = guest.browser.get(f"/sales/{sale}").text
    assert "Keep it" in page and "Show this at the door" in page
    for path in (f"/sales/{sale}/receipt.pdf", f"/sales/{sale}/pass.svg"):
        assert guest.browser.get(path).status_code == 200
    # Somebody else sees it by its link, and by nothing else.
    lin = world.client_for(world.member())
    other, by_link = world.visitor(), link(world, sale)
    assert other.get(f"/sales/{sale}").location.startswith("/sign-in")
    assert lin.get(f"/sales/{sale}").status_code == 404
    wrong = by_link[:-1] + ("0" if by_link[-1] != "0" else "1")
    assert other.get(wrong).location.startswith("/sign-in")
    shown = other.get(by_link).text
    [pdf] = re.findall(r'href="(/sales/\w+/receipt\.pdf\?k=\w+)"', shown)
    [picture] = re.findall(r'data-pass="(/sales/\w+/pass\.svg\?k=\w+)"', shown)
    assert other.get(pdf).status_code == other.get(picture).status_code == 200
    # It is no member's: nothing may be declared, and no page of another's payment is told.
    assert other.get(f"/sales/{sale}/returns?k=x").location.startswith("/sign-in")
    with world.app.app_context():
        attempt = db.session.scalars(db.select(Attempt)).one()
    assert other.get(f"/pay/{attempt.id}").location.startswith("/sign-in")
    assert lin.get(f"/pay/{attempt.id}").status_code == 404
    assert world.faults() == []


def test_what_a_guest_brings_back_goes_back_to_its_source_only(world: World, guest: Guest) -> None:
    milk = world.item(price="12.50", on_hand=5)
    sale, desk = guest.buys(milk, 2), world.client_for(world.staff())
    page = desk.get(f"/desk/returns/{sale}")
    assert page.status_code == 200
    back = {"at": "MAIN", "key": ids.new(), "resell-1": 1}
    refused = desk.post(f"/desk/returns/{sale}", back, to="account")
    assert refused.status_code == 422 and world.left(milk) == 3
    assert desk.post(f"/desk/returns/{sale}", back).status_code == 303
    with world.app.app_context():
        assert db.session.scalars(db.select(Payback.amount_minor)).all() == [1250]
    assert world.left(milk) == 4
    assert "Given back" in guest.browser.get(f"/sales/{sale}").text
    assert world.faults() == []


def test_a_basket_a_coupon_and_offers_for_members(world: World, guest: Guest, app: Flask) -> None:
    milk = world.item(price="12.50", on_hand=5)
    with app.app_context():
        coupon(world, "amount", 500, "ALL")
        coupon(world, "amount", 500, "ONEEACH", most_each=1)
    guest.browser.post("/basket/lines", code=milk.code, quantity=2, seen_minor=milk.price_minor)
    guest.browser.post("/basket/coupon", coupon="ONEEACH")
    assert "for members" in guest.browser.get("/basket").text
    guest.browser.post("/basket/coupon", coupon="ALL")
    page = guest.browser.get("/pay").text
    fields = dict(re.findall(r'name="([\w-]+)" value="(\w+)"', page))
    form = {name: value for name, value in fields.items() if name != "csrf"}
    sale = guest.sends(form | {"means": "simulated"})
    with app.app_context():
        assert db.session.get_one(Sale, sale).total_minor == 2000
        used = db.session.scalars(db.select(CouponCode.used).order_by(CouponCode.id))
        assert used.all() == [1, 0]
    assert "Your basket is empty" in guest.browser.get("/basket").text
    assert world.faults() == []


def test_a_shop_may_want_identity_and_nobody_may_hold_the_stock(
    world: World, guest: Guest, app: Flask
) -> None:
    milk = world.item(on_hand=100)
    for _ in range(12):
        form = guest.form(milk, wish="never")
        assert guest.browser.post("/pay", form).location.startswith("/pay/")
    assert guest.browser.post("/pay", guest.form(milk)).location.startswith("/sign-in")
    assert "Many payments were begun here" in guest.browser.get("/sign-in").text
    # Who throws the cookie away is known by the address.
    app.config["GUEST_PAYMENTS"] = 13
    other = Guest(world, world.visitor())
    other.buys(milk)
    assert other.browser.post("/pay", other.form(milk)).location.startswith("/sign-in")
    bare = world.visitor()
    assert bare.post("/pay", guest.form(milk)).location.startswith("/sign-in")
    app.config["GUESTS"] = False
    assert "Pay without account" not in world.visitor().get(f"{milk.path}?quantity=2").text
    assert world.visitor().get(f"/pay?code={milk.code}").location.startswith("/sign-in")
    assert world.faults() == []


def test_what_was_bought_on_a_phone_comes_into_the_name_of_who_proves_theirs(
    world: World, guest: Guest, app: Flask
) -> None:
    milk = world.item(price="12.50", on_hand=9)
    first = guest.buys(milk)
    with app.app_context():
        outbox.work()
    desk = world.client_for(world.staff())
    assert desk.post(f"/desk/sales/{first}/refunds", {"quantity-1": 1}).status_code == 303
    second = guest.buys(milk, 2)
    lin, mei = world.member(), world.member("Mei")
    guest.signs_in(lin)
    assert guest.browser.get(f"/sales/{second}").status_code == 200, "still on this phone"
    # An address that anybody may have typed reveals nothing and takes nothing.
    page = guest.browser.get("/me/claims").text
    assert first not in page and "First show" in page
    assert guest.browser.post("/me/claims", sale=first).status_code == 409
    prove(world, lin)
    prove(world, mei)
    assert "2 purchases without an account" in guest.browser.get("/me").text
    page = guest.browser.get("/me/claims").text
    assert page.count("from this phone") == 2
    # Nobody else is shown them, and saying their ids takes nothing.
    stranger = world.client_for(mei)
    assert first not in stranger.get("/me/claims").text
    stranger.post("/me/claims", sale=first)
    assert of_member(world, first) is None
    # Only what was ticked; the rest later. The figures follow at once, worker or not.
    assert guest.browser.post("/me/claims", {"sale": second}).location == "/me/sales"
    assert (of_member(world, first), of_member(world, second)) == (None, lin.id)
    guest.browser.post("/me/claims", {"sale": [first, second]})
    assert of_member(world, first) == lin.id
    sums(world)
    with app.app_context():
        assert outbox.work() > 0
        assert [(one.sale_id, one.member_id, one.how) for one in db.session.scalars(
            db.select(Claim).order_by(Claim.sale_id))] == [
            (first, lin.id, "device"), (second, lin.id, "device")]  # fmt: skip
    # It is a purchase like any other now: history, return, and its money may go to the account.
    assert second in guest.browser.get("/me/sales").text
    assert "Return something" in guest.browser.get(f"/sales/{second}").text
    back = desk.post(f"/desk/sales/{second}/refunds", {"quantity-1": 1}, to="account")
    assert back.status_code == 303 and world.balance(lin) == 1250
    # The link and the phone open it to nobody else any more.
    assert world.visitor().get(link(world, second)).location.startswith("/sign-in")
    assert stranger.get(link(world, second)).status_code == 404
    guest.browser.post("/sign-out")
    assert guest.browser.get(f"/sales/{second}").location.startswith("/sign-in")
    sums(world)


def test_a_receipt_is_claimed_by_its_link_or_by_the_address_it_went_to(
    world: World, guest: Guest, app: Flask
) -> None:
    milk = world.item(price="12.50", on_hand=9)
    sale, sent = guest.buys(milk), guest.buys(milk)
    lin, mei = world.member(), world.member("Mei")
    for _ in range(2):
        answer = guest.browser.post(f"/sales/{sent}/letters", address=f" {mei.email.upper()} ")
        assert answer.status_code == 303
    assert guest.browser.post(f"/sales/{sent}/letters", address="+8613800138000").status_code == 422
    [letter] = deliver(world)
    assert letter.to == mei.email and link(world, sent).partition("?")[2] in letter.text
    mail = world.client_for(mei)
    assert mail.get(f"/sales/{sent}").status_code == 404
    prove(world, mei)
    assert "sent to your address" in mail.get("/me/claims").text
    # The account's own purchase has the very key of the guest's: both stand.
    with app.app_context(), transaction() as session:
        key = session.get_one(Sale, sent).key
    world.fund(mei, "100")
    mine = mail.post("/sales", code=milk.code, quantity=1, seen_minor=1250, key=key)
    assert mine.location.startswith("/sales/")
    mail.post("/me/claims", sale=sent)
    assert of_member(world, sent) == mei.id
    prove(world, lin)
    browser, k = world.client_for(lin), link(world, sale).partition("=")[2]
    assert "by its link" in browser.get(f"/me/claims?sale={sale}&k={k}").text
    browser.post("/me/claims", sale=sale, linked=sent, k=k)
    assert of_member(world, sale) is None
    browser.post("/me/claims", sale=sale, linked=sale, k=k)
    assert of_member(world, sale) == lin.id
    mail.post("/me/claims", sale=sale, linked=sale, k=k)
    assert of_member(world, sale) == lin.id
    assert world.faults() == []
