"""Kinds of deposit and groups of variants over the API: made once, and items are put into them."""

from __future__ import annotations

from typing import Any

from store import clock
from tests.api.conftest import MILK_GTIN, Shop, refused

SHIRT = {"names": {"en": "Shirt"}, "options": [{"en": "Size", "zh": "尺码"}]}


def test_a_kind_of_deposit_is_made_once_and_carried_by_an_item(shop: Shop) -> None:
    body = {"names": {"en": "Bottle"}, "amount": "0.25", "tax_rate": "13"}
    made = shop.post("/deposits", body, "sam", key="d1").get_json()
    assert (made["amount"]["minor"], made["tax_rate"]) == (25, "13.00")
    assert shop.post("/deposits", body, "sam", key="d1").get_json() == made
    assert shop.get("/deposits").get_json()["deposits"] == [made]
    wrong: list[dict[str, Any]] = [
        {"amount": "0"}, {"amount": "-1"}, {"amount": 1}, {"names": {}}, {"tax_rate": "x"},
        {"amount": "9" * 15}, {"more": 1},
    ]  # fmt: skip
    for more in wrong:
        refused(shop.post("/deposits", body | more, "sam"), 422, "invalid")
    entry = {"id": "1", "item": MILK_GTIN, "at": clock.now().isoformat(), "deposit": made["code"]}
    for number, deposit, state in (("1", made["code"], "applied"), ("2", "B0TTLE", "conflict")):
        sent = {"source": "erp", "entries": [entry | {"id": number, "deposit": deposit}]}
        told = shop.post("/feeds/items", sent, "sam").get_json()
        assert told["entries"][0]["state"] == state
    assert shop.get(f"/items/{MILK_GTIN}").get_json()["deposit"]["minor"] == 25
    none = {"source": "erp", "entries": [entry | {"id": "3", "deposit": "none"}]}
    assert shop.post("/feeds/items", none, "sam").get_json()["applied"] == 1
    assert shop.get(f"/items/{MILK_GTIN}").get_json()["deposit"] is None


def test_a_group_is_made_once_and_items_are_its_variants(shop: Shop) -> None:
    made = shop.post("/item-groups", SHIRT, "sam", key="g1").get_json()
    assert shop.post("/item-groups", SHIRT, "sam", key="g1").get_json() == made
    refused(shop.post("/item-groups", SHIRT, "sam"), 422, "invalid")
    variants = f"/item-groups/{made['group']}/variants"
    small = {"item": MILK_GTIN, "values": [{"en": "S"}]}
    put = shop.post(variants, small, "sam", key="v1")
    assert put.get_json() == {"item": shop.codes["milk"], "values": [{"en": "S"}]}
    assert shop.post(variants, small, "sam", key="v1").headers["Idempotency-Replayed"] == "true"
    refused(shop.post(variants, small | {"item": "BREAD-1"}, "sam"), 422, "invalid")
    refused(shop.post(variants, small | {"values": [{"en": "S"}] * 2}, "sam"), 422, "invalid")
    refused(shop.post(variants, small | {"values": [{}]}, "sam"), 422, "invalid")
    refused(shop.post(variants, small | {"item": "nothing"}, "sam"), 404, "item_not_for_sale")
    refused(shop.post("/item-groups/none/variants", small, "sam"), 404, "not_found")
    refused(shop.post("/item-groups", SHIRT | {"options": []}, "sam"), 422, "invalid")
    [group] = shop.get("/item-groups?limit=1").get_json()["groups"]
    assert group == made | {"variants": [put.get_json()]}
