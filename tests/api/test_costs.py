"""Costs over the API: said once, from then on, and by nobody who may not see them."""

from __future__ import annotations

from store.identity import rights
from tests.api.conftest import MILK_GTIN, Shop, refused


def test_a_cost_is_said_once_and_counts_from_then_on(shop: Shop) -> None:
    path = f"/costs/{MILK_GTIN}"
    none = shop.get(path, "olga").get_json()
    assert none == {"item": shop.codes["milk"], "cost": None, "history": []}
    made = shop.post(path, {"cost": "7.2"}, "olga", key="c1")
    seven = {"amount": "7.20", "hundredths": 72000, "currency": "CNY"}
    assert made.get_json() == {"item": shop.codes["milk"], "cost": seven}
    assert shop.post(path, {"cost": "0.0345"}, "olga").status_code == 201
    # The first key again answers what it answered, and changes nothing back.
    again = shop.post(path, {"cost": "7.2"}, "olga", key="c1")
    assert again.headers["Idempotency-Replayed"] == "true" and again.data == made.data
    refused(shop.post(path, {"cost": "7.3"}, "olga", key="c1"), 409, "key_reused")
    told = shop.get(path, "olga").get_json()
    assert told["cost"] == {"amount": "0.0345", "hundredths": 345, "currency": "CNY"}
    assert [(one["cost"]["hundredths"], one["why"]) for one in told["history"]] == [
        (345, "said"), (72000, "said"),
    ]  # fmt: skip
    shop.post("/costs/BREAD-1", {"cost": "2"}, "olga")
    first = shop.get("/costs?limit=1", "olga").get_json()
    following = first["next"].partition("/api/v1")[2]
    second = shop.get(following, "olga").get_json()
    assert second["next"] is None
    assert {one["item"]: one["cost"]["hundredths"] for one in first["costs"] + second["costs"]} == {
        shop.codes["milk"]: 345, shop.codes["bread"]: 20000,
    }  # fmt: skip


def test_what_is_no_cost_is_refused_and_changes_nothing(shop: Shop) -> None:
    for wrong in ("0", "-1", "", "1,5", "1.23456", "9" * 15, 7.2, None, "7.2 "):
        refused(shop.post("/costs/BREAD-1", {"cost": wrong}, "olga"), 422, "invalid")
    for body in ({}, {"cost": "1", "currency": "EUR"}):
        refused(shop.post("/costs/BREAD-1", body, "olga"), 422, "invalid")
    refused(shop.post("/costs/nothing", {"cost": "1"}, "olga"), 404, "item_not_for_sale")
    refused(shop.get("/costs/nothing", "olga"), 404, "item_not_for_sale")
    assert shop.get("/costs", "olga").get_json() == {"costs": [], "next": None}


def test_who_may_not_see_costs_neither_reads_nor_says_them(shop: Shop) -> None:
    refused(shop.get("/costs/BREAD-1", "sam"), 403, "scope_missing")
    refused(shop.post("/costs/BREAD-1", {"cost": "1"}, "sam"), 403, "scope_missing")
    with shop.app.app_context():
        rights.give(shop.people["sam"], {"see_costs"})
    key = shop.token("sam", "costs:read")
    assert shop.get("/costs/BREAD-1", key).status_code == 200
    refused(shop.post("/costs/BREAD-1", {"cost": "1"}, key), 403, "scope_missing")
    with shop.app.app_context():
        rights.give(shop.people["sam"], set())
    refused(shop.get("/costs/BREAD-1", key), 403, "scope_missing")
