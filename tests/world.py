"""The world of the tests: makers that take only what matters to a test, over the demo shop's cast.

    lin = world.member(funds="100")
    milk = world.item("oat-milk", on_hand=3)
    receipt = world.buy(lin, milk)
    page = world.client_for(lin).get(f"/sales/{receipt.id}")

Everything goes through the rooms' doors. A maker works inside an open app context, else in one of
its own, so that it fits tests of rooms and tests of pages.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, Concatenate, ParamSpec, TypeVar

from flask import Flask, has_app_context
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from store import catalogue, identity, ids, money, payment, sales, stock
from store.db import db, transaction
from store.delivery import Point, Where, addresses, places, rates
from store.demo.goods import CATEGORIES, GOODS, OWNER, SHOPPER, STAFF
from store.reports import oracle

__all__ = ["Somebody", "Thing", "Visitor", "World"]

PASSWORD = "a-long-password-1"
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Somebody:
    """A member. `email` and PASSWORD are what they sign in with."""

    id: int
    name: str
    email: str
    role: str


@dataclass(frozen=True)
class Thing:
    """An item. `path` is its page, `gtin` is None where it has none."""

    id: int
    code: str
    gtin: str | None
    names: dict[str, str]
    price_minor: int
    path: str


class Visitor:
    """A browser without a screen: keeps cookies, and sends the token that its last page held."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self._csrf = ""

    def get(self, path: str, **options: Any) -> TestResponse:
        return self._seen(self.client.get(path, **options))

    def post(self, path: str, form: dict[str, Any] | None = None, **fields: Any) -> TestResponse:
        """Send a form; follows nothing. `form` is for names that are no Python names."""
        if not self._csrf:
            self.get("/sign-in")
        data = {"csrf": self._csrf, **(form or {}), **fields}
        return self._seen(self.client.post(path, data=data))

    def _seen(self, response: TestResponse) -> TestResponse:
        if response.mimetype == "text/html":
            found = _CSRF.search(response.text)
            self._csrf = found[1] if found else self._csrf
        return response


def _in_context(
    maker: Callable[Concatenate[World, P], R],
) -> Callable[Concatenate[World, P], R]:
    @functools.wraps(maker)
    def inside(self: World, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if has_app_context():
            made = maker(self, *args, **kwargs)
            db.session.rollback()  # A test that reads next must see what others have written.
            return made
        with self.app.app_context():
            return maker(self, *args, **kwargs)

    return inside


class World:
    """A shop with the location MAIN and nothing else, until a test asks for it."""

    currency = "CNY"

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._numbers = count(1)
        self.location = self.place("MAIN", "Harbour Road Shop")

    @_in_context
    def place(self, code: str, name: str = "", kind: str = "shop") -> int:
        """A location; answers its id."""
        with transaction():
            return stock.add_location(code, name or code.title(), kind).id

    @_in_context
    def member(
        self,
        name: str = "",
        *,
        role: str = "shopper",
        funds: str = "0",
        email: str = "",
    ) -> Somebody:
        """A member with so much in the account; the first shopper is Lin Wei."""
        known = {"shopper": SHOPPER, "staff": STAFF, "owner": OWNER}[role]
        number = next(self._numbers)
        email = email or (f"{role}{number}@example.com" if number > 1 else known.email)
        with transaction():
            added = identity.add_member(email, PASSWORD, role=role, name=name or known.name)
            somebody = Somebody(added.id, name or known.name, email, role)
            self._deposit(somebody, funds)
        return somebody

    def staff(self) -> Somebody:
        return self.member(role="staff")

    def owner(self) -> Somebody:
        return self.member(role="owner")

    @_in_context
    def fund(self, member: Somebody, amount: str) -> int:
        """Money paid in at the till; answers the balance."""
        with transaction():
            self._deposit(member, amount)
        return payment.balance_of(member.id, self.currency)

    def _deposit(self, member: Somebody, amount: str) -> None:
        minor = money.parse(amount, self.currency)
        if minor:
            payment.deposit(member.id, minor, self.currency, "cash")

    @_in_context
    def item(
        self,
        /,
        name: str = "oat-milk",
        *,
        price: str | None = None,
        on_hand: int = 10,
        at: int | None = None,
        **fields: Any,
    ) -> Thing:
        """A good of the cast, by its name there, without its picture; `fields` are those of
        catalogue.add_item and win."""
        good = GOODS[name]
        wanted: dict[str, Any] = {
            "code": good.code, "gtin": good.gtin or None, "names": good.names,
            "brand": good.brand, "category": CATEGORIES[good.category],
            "size_text": good.size_text, "tax_rate_bp": good.tax_rate_bp,
        } | fields  # fmt: skip
        minor = good.price_minor if price is None else money.parse(price, self.currency)
        with transaction():
            added = catalogue.add_item(**wanted, price_minor=minor, currency=self.currency)
            if on_hand:
                stock.receive(added.id, at or self.location, on_hand)
            path = catalogue.item_path(added)
            return Thing(added.id, added.code, added.gtin, dict(added.names), minor, path)

    @_in_context
    def price(self, item: Thing, price: str, at: int | None = None) -> None:
        """A new price from now on; everywhere, or at one location."""
        minor = money.parse(price, self.currency)
        with transaction():
            catalogue.set_price(item.id, minor, self.currency, location_id=at)

    @_in_context
    def stock(self, item: Thing, quantity: int, at: int | None = None) -> int:
        """Goods come in; answers what is on hand."""
        with transaction():
            return stock.receive(item.id, at or self.location, quantity)

    @_in_context
    def left(self, item: Thing, at: int | None = None) -> int:
        return stock.on_hand(item.id, at or self.location)

    @_in_context
    def balance(self, member: Somebody) -> int:
        return payment.balance_of(member.id, self.currency)

    @_in_context
    def buy(
        self,
        member: Somebody,
        *goods: Thing | tuple[Thing, int],
        key: str = "",
        at: int | None = None,
        channel: str = "shelf",
    ) -> sales.Receipt:
        """Buy these goods, each alone or with a quantity. Refusals come through."""
        wanted = [one if isinstance(one, tuple) else (one, 1) for one in goods]
        lines = tuple(sales.Line(thing.id, many) for thing, many in wanted)
        bought = sales.buy(
            sales.Buy(
                member.id, at or self.location, self.currency, lines, key or ids.new(), channel
            )
        )
        receipt = sales.receipt(bought.sale_id)
        assert receipt is not None
        return receipt

    @_in_context
    def zone(
        self,
        *steps: tuple[int, str],
        country: str = "CN",
        prefix: str = "",
        point: tuple[float, float] | None = None,
    ) -> None:
        """The shop delivers there: (grams, price) each, in 1 to 2 days."""
        with transaction():
            added = rates.add_zone("Zone", country, prefix, Point(*point) if point else None)
            for up_to_g, price in steps:
                minor = money.parse(price, self.currency)
                rates.add_rate(added, up_to_g, minor, self.currency, 1, 2)

    @_in_context
    def describe(self, /, place: int, at: tuple[float, float] | None = None, **other: Any) -> None:
        """What a place does for orders; `other` are those of places.set_place and win."""
        with transaction():
            said = {"point": Point(*at) if at else None, "hours": "", "buffer": 0, "ships": True,
                    "hands_over": True, "parcel_minor": 0, "days": 0}  # fmt: skip
            places.set_place(place, **said | other)

    @_in_context
    def address(self, member: Somebody, postcode: str = "200001") -> int:
        """An address in the member's book; answers its id."""
        where = Where(member.name, "", "8 River Road", "Shanghai", postcode, "CN")
        with transaction():
            return addresses.add_address(member.id, where)

    @_in_context
    def order(
        self,
        member: Somebody,
        *goods: Thing | tuple[Thing, int],
        place: int | None = None,
        address: int | None = None,
        key: str = "",
        means: str = "account",
    ) -> sales.Receipt:
        """Order these goods: collected at a place, else delivered to an address (the first one is
        made). Refusals come through."""
        wanted = [one if isinstance(one, tuple) else (one, 1) for one in goods]
        if place is None and address is None:
            address = self.address(member)
        ordered = sales.order(
            sales.Order(
                member.id, self.location, self.currency,
                tuple(sales.Line(thing.id, many) for thing, many in wanted), key or ids.new(),
                "collect" if place else "deliver", 500, place_id=place, address_id=address,
                means=means,
            )
        )  # fmt: skip
        receipt = sales.receipt(ordered.sale_id)
        assert receipt is not None
        return receipt

    def sale(self, *goods: Thing | tuple[Thing, int]) -> sales.Receipt:
        """Somebody has bought something; who and what do not matter."""
        return self.buy(self.member(funds="1000"), *(goods or [self.item()]))

    @_in_context
    def refund(self, receipt: sales.Receipt, by: Somebody, reason: str = "") -> str:
        return sales.refund(receipt.id, made_by=by.id, reason=reason)

    @_in_context
    def faults(self) -> list[str]:
        """What the audit finds wrong, over the whole database: nothing."""
        return [str(finding) for finding in oracle.audit() if finding.count]

    def visitor(self) -> Visitor:
        """A guest's browser."""
        return Visitor(self.app.test_client())

    def client_for(self, member: Somebody) -> Visitor:
        """A browser in which this member is signed in. Not inside an open app context."""
        visitor = self.visitor()
        answer = visitor.post("/sign-in", identifier=member.email, password=PASSWORD)
        assert answer.status_code == 303, answer.text
        visitor.get("/me")
        return visitor
