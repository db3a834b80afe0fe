"""A small shop with a door: two places, a shopper and somebody else, staff, and things to buy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from store import catalogue, clock, door, identity, ids, payment, sales, stock, ticks
from store.db import transaction
from store.door import passes
from store.identity.models import SignIn

MILK_GTIN = "06901234567892"
PASSWORD = "korrekt pferd batterie"


@dataclass(frozen=True)
class DoorShop:
    """Ids of the cast, and the verbs that the tests of the door need."""

    app: Flask
    shopper: int
    other: int
    staff: int
    colleague: int
    owner: int
    main: int
    mill: int
    milk: int
    bread: int

    @property
    def key(self) -> bytes:
        return str(self.app.config["SECRET_KEY"]).encode()

    def buy(self, quantity: int = 2, *, at: int = 0, member: int = 0) -> str:
        """A sale of so many milks and one bread; answers its id. Inside an app context."""
        lines = (sales.Line(self.milk, quantity), sales.Line(self.bread, 1))
        member, place = member or self.shopper, at or self.main
        return sales.buy(sales.Buy(member, place, "CNY", lines, ids.new())).sale_id

    def bought(self, quantity: int = 2, *, at: int = 0, member: int = 0) -> str:
        """The same, for tests that speak to the shop by its pages."""
        with self.app.app_context():
            return self.buy(quantity, at=at, member=member)

    def pass_of(self, sale_id: str, *, step: int = 0, place: int = 0) -> str:
        """The pass that the sale shows now, or so many steps later."""
        now = ticks.step_at(clock.now())
        return passes.text_for(sale_id, place or self.main, now + step, self.key)

    def check(self, text: str, *, staff: int = 0, place: int = 0, **more: object) -> sales.Receipt:
        asked = self.asked(staff=staff, place=place, **more)
        return door.check(text, asked, self.key)

    def asked(self, *, staff: int = 0, place: int = 0, **more: object) -> door.Check:
        values: dict[str, object] = {
            "staff_id": staff or self.staff, "location_id": place or self.main,
            "at": clock.now(), "key": ids.new(),
        }  # fmt: skip
        return door.Check(**(values | more))  # type: ignore[arg-type]

    def browser(self, member: int | None) -> DoorBrowser:
        return DoorBrowser(self, member)


class DoorBrowser:
    """A browser in which this member is signed in already; None is a guest."""

    def __init__(self, shop: DoorShop, member: int | None) -> None:
        self.shop = shop
        self.client: FlaskClient = shop.app.test_client()
        self.secret = ids.secret()
        self.client.set_cookie("visit", self.secret)
        if member is not None:
            with shop.app.app_context():
                sign_in(member, self.secret)

    def get(self, path: str) -> TestResponse:
        return self.client.get(path)

    def post(self, path: str, **form: object) -> TestResponse:
        token = ids.mac(self.shop.key, "csrf", self.secret, length=26)
        return self.client.post(path, data={"csrf": token, **form})


def sign_in(member: int, secret: str) -> None:
    """Let the browser with this cookie be signed in as the member."""
    now: datetime = clock.now()
    with transaction() as session:
        session.add(
            SignIn(digest=ids.digest(secret), member_id=member, created_at=now, seen_at=now,
                   expires_at=now + timedelta(days=1))
        )  # fmt: skip


def make_shop(app: Flask) -> DoorShop:
    with app.app_context(), transaction():
        main = stock.add_location("MAIN", "Harbour Road").id
        mill = stock.add_location("MILL", "Mill Street").id
        shopper = identity.add_member("lin@shop.example", PASSWORD, name="Lin Yue").id
        other = identity.add_member("mallory@shop.example", PASSWORD).id
        staff = identity.add_member("mei@shop.example", PASSWORD, role="staff", name="Mei").id
        colleague = identity.add_member("jun@shop.example", PASSWORD, role="staff", name="Jun").id
        owner = identity.add_member("olga@shop.example", PASSWORD, role="owner", name="Olga").id
        milk = catalogue.add_item(
            names={"en": "Oat milk", "zh": "燕麦奶"}, gtin=MILK_GTIN, tax_rate_bp=1300,
            price_minor=1250, currency="CNY",
        )  # fmt: skip
        bread = catalogue.add_item(
            names={"en": "Rye bread", "zh": "黑麦面包"}, tax_rate_bp=900, price_minor=800,
            currency="CNY",
        )  # fmt: skip
        for place in (main, mill):
            stock.receive_many([(milk.id, 500), (bread.id, 500)], place)
        for member in (shopper, other):
            payment.deposit(member, 500_000, "CNY", "cash")
        return DoorShop(app, shopper, other, staff, colleague, owner, main, mill, milk.id, bread.id)
