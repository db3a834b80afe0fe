"""A small shop seen through its API: people with tokens, two locations, three items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from store import catalogue, identity, ids, payment, stock
from store.db import transaction
from store.reports import oracle

PASSWORD = "a-long-password-1"
MILK_GTIN = "04006381333931"


@dataclass
class Shop:
    """The shop, and calls of its API. `people` are member ids, `tokens` their tokens that carry
    everything their role allows."""

    app: Flask
    client: FlaskClient
    people: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    sales: list[str] = field(default_factory=list)

    def call(
        self, method: str, path: str, who: str | None = "lin", key: str | None = None, **more: Any
    ) -> TestResponse:
        """A request by one of the people (or None), or with the token of that text. A POST gets a
        fresh key unless it is given one; "" sends none."""
        headers = dict(more.pop("headers", {}))
        if who is not None:
            headers.setdefault("Authorization", f"Bearer {self.tokens.get(who, who)}")
        if method == "POST" and key != "":
            headers.setdefault("Idempotency-Key", key or ids.new())
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **more)

    def get(self, path: str, who: str | None = "lin", **more: Any) -> TestResponse:
        return self.call("GET", path, who, **more)

    def post(self, path: str, body: Any, who: str | None = "lin", **more: Any) -> TestResponse:
        return self.call("POST", path, who, json=body, **more)

    def sell(self, quantity: Any = 1, who: str = "lin", **more: Any) -> TestResponse:
        key = more.pop("key", None)
        return self.post("/sales", self.sale(quantity, **more), who, key=key)

    def sale(self, quantity: Any = 1, item: Any = MILK_GTIN, **more: Any) -> dict[str, Any]:
        return {
            "location": "MAIN",
            "lines": [{"item": item, "quantity": quantity}],
            "payment": {"method": "account"},
        } | more

    def token(self, who: str, *scopes: str) -> str:
        with self.app.app_context(), transaction():
            return identity.issue_token(identity.by_id(self.people[who]), scopes)

    def state(self, who: str = "lin") -> tuple[int, int, int]:
        """Balance, milk at MAIN, and the number of the member's transfers."""
        with self.app.app_context():
            member = self.people[who]
            return (
                payment.balance_of(member, "CNY"),
                stock.on_hand(self.ids["milk"], self.ids["MAIN"]),
                len(payment.statement(member, "CNY", limit=1000)),
            )


def refused(response: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The problem document of a refusal, which must be this one."""
    body = response.get_json(force=True)
    assert (response.status_code, body.get("code")) == (status, code), body
    assert response.mimetype == "application/problem+json"
    assert body["status"] == status
    assert {"type", "title", "detail"} <= body.keys()
    return dict(body)


@pytest.fixture
def shop(app: Flask) -> Iterator[Shop]:
    shop = Shop(app, app.test_client())
    with app.app_context(), transaction():
        people = [("lin", "shopper"), ("mei", "shopper"), ("sam", "staff"), ("olga", "owner")]
        for name, role in people:
            member = identity.add_member(
                f"{name}@example.com", PASSWORD, role=role, name=name.title()
            )
            shop.people[name] = member.id
            shop.tokens[name] = identity.issue_token(member, ())
        for code, kind in (("MAIN", "shop"), ("EAST", "warehouse")):
            shop.ids[code] = stock.add_location(code, code.title(), kind).id
        fill(shop)
        payment.deposit(shop.people["lin"], 10_000, "CNY", "cash")
    yield shop
    with app.app_context():
        assert [finding for finding in oracle.audit() if finding.count] == []


def fill(shop: Shop) -> None:
    """Joiner: milk with a GTIN, bread with an SKU, and a lamp that has no price."""
    milk = catalogue.add_item(
        names={"en": "Oat milk", "zh": "燕麦奶"}, tax_rate_bp=1300, gtin=MILK_GTIN,
        size_text="1 l", brand="Harbour", category={"en": "Drinks", "zh": "饮料"},
        price_minor=1250, currency="CNY",
    )  # fmt: skip
    bread = catalogue.add_item(
        names={"en": "Bread"}, tax_rate_bp=900, sku="BREAD-1", price_minor=800, currency="CNY"
    )
    lamp = catalogue.add_item(names={"en": "Lamp"}, tax_rate_bp=1300, sku="LAMP/7")
    for name, item in (("milk", milk), ("bread", bread), ("lamp", lamp)):
        shop.codes[name], shop.ids[name] = item.code, item.id
    stock.receive(milk.id, shop.ids["MAIN"], 10)
    stock.receive(milk.id, shop.ids["EAST"], 3)
    stock.receive(bread.id, shop.ids["MAIN"], 2)
