"""Access: every route asks for a token and for its scope, and a wrong token learns nothing."""

from __future__ import annotations

import itertools

from flask import Flask

from store.db import transaction
from store.identity import SCOPES, members, tokens
from tests.api.conftest import Shop, refused
from tests.conftest import Clock

# A new route without a line here fails; the path is an example of it.
ROUTES = {
    ("GET", "/items"): ("/items", {"items:read"}),
    ("GET", "/items/<path:code>"): ("/items/BREAD-1", {"items:read"}),
    ("GET", "/deposits"): ("/deposits", {"items:read"}),
    ("POST", "/deposits"): ("/deposits", {"items:write"}),
    ("GET", "/item-groups"): ("/item-groups", {"items:read"}),
    ("POST", "/item-groups"): ("/item-groups", {"items:write"}),
    ("POST", "/item-groups/<group>/variants"): ("/item-groups/x/variants", {"items:write"}),
    ("GET", "/costs"): ("/costs", {"costs:read"}),
    ("GET", "/costs/<path:code>"): ("/costs/BREAD-1", {"costs:read"}),
    ("POST", "/costs/<path:code>"): ("/costs/BREAD-1", {"costs:write"}),
    ("GET", "/locations"): ("/locations", {"items:read"}),
    ("GET", "/stock/<path:code>"): ("/stock/BREAD-1", {"stock:read"}),
    ("POST", "/stock/<path:code>/receipts"): ("/stock/BREAD-1/receipts", {"stock:write"}),
    ("GET", "/me"): ("/me", {"account:read"}),
    ("GET", "/me/transfers"): ("/me/transfers", {"account:read"}),
    ("GET", "/me/points"): ("/me/points", {"account:read"}),
    ("POST", "/sales"): ("/sales", {"sales:write", "till"}),
    ("GET", "/sales"): ("/sales", {"sales:read"}),
    ("GET", "/sales/<sale_id>"): ("/sales/x", {"sales:read"}),
    ("POST", "/offline-sales"): ("/offline-sales", {"till"}),
    ("POST", "/sales/<sale_id>/refunds"): ("/sales/x/refunds", {"sales:write"}),
    ("POST", "/sales/<sale_id>/returns"): ("/sales/x/returns", {"sales:write"}),
    ("POST", "/sales/<sale_id>/hand-ins"): ("/sales/x/hand-ins", {"sales:write"}),
    ("GET", "/returns/<return_id>"): ("/returns/x", {"sales:read"}),
    ("POST", "/returns/<return_id>/cancellations"): ("/returns/x/cancellations", {"sales:write"}),
    ("POST", "/orders"): ("/orders", {"sales:write"}),
    ("POST", "/order-payments"): ("/order-payments", {"sales:write"}),
    ("GET", "/order-payments/<payment_id>"): ("/order-payments/x", {"sales:read"}),
    ("POST", "/order-payments/<payment_id>/checks"): (
        "/order-payments/x/checks",
        {"sales:write"},
    ),
    ("POST", "/order-payments/<payment_id>/cancellations"): (
        "/order-payments/x/cancellations",
        {"sales:write"},
    ),
    ("GET", "/orders/<sale_id>"): ("/orders/x", {"sales:read"}),
    ("POST", "/orders/<sale_id>/cancellations"): ("/orders/x/cancellations", {"sales:write"}),
    ("GET", "/shipments"): ("/shipments?location=MAIN", {"orders:write"}),
    ("GET", "/shipments/<shipment_id>"): ("/shipments/x", {"orders:write"}),
    ("POST", "/shipments/<shipment_id>/steps"): ("/shipments/x/steps", {"orders:write"}),
    ("POST", "/hand-overs"): ("/hand-overs", {"orders:write"}),
    ("GET", "/webhooks"): ("/webhooks", {"webhooks:write"}),
    ("POST", "/webhooks"): ("/webhooks", {"webhooks:write"}),
    ("POST", "/webhooks/<number>/ends"): ("/webhooks/1/ends", {"webhooks:write"}),
    ("GET", "/changes"): ("/changes", {"changes:read"}),
    ("POST", "/feeds/stock"): ("/feeds/stock", {"stock:write"}),
    ("POST", "/feeds/items"): ("/feeds/items", {"items:write"}),
    ("POST", "/feeds/prices"): ("/feeds/prices", {"items:write"}),
    ("GET", "/feeds/entries"): ("/feeds/entries", {"stock:write", "items:write"}),
    ("POST", "/feeds/entries/<number>/decisions"): ("/feeds/entries/1/decisions", {"stock:write"}),
    ("GET", "/sellers"): ("/sellers", {"reports:read"}),
    ("GET", "/settlements"): ("/settlements", {"reports:read"}),
    ("GET", "/settlements/<settlement_id>"): ("/settlements/x", {"reports:read"}),
    ("GET", "/reports/takings"): ("/reports/takings", {"reports:read"}),
}
OPEN = {("GET", "/openapi.json")}
OWNERS = {"reports:read", "costs:read", "costs:write", "changes:read", "webhooks:write"}
SHOPPERS = {"items:read", "stock:read", "sales:read", "sales:write", "account:read"}


def routes(app: Flask) -> set[tuple[str, str]]:
    return {
        (method, rule.rule.removeprefix("/api/v1"))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_every_route_is_in_the_matrix(app: Flask) -> None:
    assert routes(app) == ROUTES.keys() | OPEN


def test_nothing_is_said_without_a_token(shop: Shop) -> None:
    for (method, _), (path, _) in ROUTES.items():
        response = shop.call(method, path, None, json={})
        refused(response, 401, "token_invalid")
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="OneShelf"'
        response = shop.call(method, path, "oneshelf_" + "A" * 43, json={})
        refused(response, 401, "token_invalid")
        assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


def test_every_route_opens_to_its_scopes_only(shop: Shop) -> None:
    owned = {scope: shop.token("olga", scope) for scope in SCOPES}
    for ((method, _), (path, needed)), scope in itertools.product(ROUTES.items(), SCOPES):
        response = shop.call(method, path, owned[scope], json={})
        if scope in needed:
            # Beyond the door the empty body is refused, the example answered or not found.
            assert response.status_code in (200, 404, 422), (method, path, scope, response.text)
        else:
            refused(response, 403, "scope_missing")
            assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]


def test_shoppers_and_staff_reach_no_further_than_their_role(shop: Shop) -> None:
    for (method, _), (path, needed) in ROUTES.items():
        for who, reaches in (("lin", needed & SHOPPERS), ("sam", needed - OWNERS)):
            status = shop.call(method, path, who, json={}).status_code
            if "/refunds" in path:
                assert status == (404 if who == "sam" else 403)
            else:
                assert (status == 403) == (not reaches), (who, method, path)


def test_a_token_falls_with_its_members_role(shop: Shop) -> None:
    asked = {"location": "MAIN", "quantity": 1}
    assert shop.post("/stock/BREAD-1/receipts", asked, "sam").status_code == 201
    with shop.app.app_context():
        members.set_role(shop.people["sam"], "shopper")
    refused(shop.post("/stock/BREAD-1/receipts", asked, "sam"), 403, "scope_missing")
    with shop.app.app_context(), transaction():
        tokens.end_token(shop.tokens["sam"])
    refused(shop.get("/items", "sam"), 401, "token_invalid")


def test_odd_headers_are_no_tokens(shop: Shop) -> None:
    token = shop.tokens["lin"]
    for header in (
        "", "Bearer", "Bearer ", token, f"Basic {token}", f"Token {token}", f"Bearer{token}",
        f"Bearer {token}x", f"Bearer {token[:-1]}", f"Bearer {token} {token}", "Bearer ü",
        f"Bearer {token.upper()}", "Bearer " + "x" * 20_000,
    ):  # fmt: skip
        refused(shop.get("/me", headers={"Authorization": header}), 401, "token_invalid")
    assert shop.get("/me", headers={"Authorization": f"bearer  {token}"}).status_code == 200


def test_a_cookie_is_no_token(shop: Shop) -> None:
    """A page that a signed-in shopper visits cannot buy in their name through the API."""
    with shop.app.app_context():
        page = shop.client.get("/sign-in")
    assert page.status_code == 200
    refused(shop.call("POST", "/sales", None, json=shop.sale()), 401, "token_invalid")


def test_guessing_is_slowed_and_the_till_beside_it_is_not(shop: Shop, clock: Clock) -> None:
    def guess() -> int:
        return shop.get("/me", "oneshelf_" + "B" * 43).status_code

    assert [guess() for _ in range(62)] == [401] * 60 + [429] * 2
    response = shop.get("/me", "oneshelf_" + "C" * 43)
    assert 0 < int(response.headers["Retry-After"]) <= 60
    refused(response, 429, "too_many")
    assert shop.get("/me").status_code == 200
    clock.tick(seconds=61)
    assert guess() == 401
