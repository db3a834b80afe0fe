"""Stock over the API: where an item is, and goods that come in once."""

from __future__ import annotations

from typing import Any

from store import catalogue
from store.db import transaction
from tests.api.conftest import MILK_GTIN, Shop, refused

PATH = f"/stock/{MILK_GTIN}"


def body(**more: Any) -> dict[str, Any]:
    return {"location": "EAST", "quantity": 5} | more


def test_levels_are_told_by_location(shop: Shop) -> None:
    assert shop.get(PATH).get_json() == {
        "item": shop.codes["milk"], "on_hand": 13,
        "levels": [{"location": "MAIN", "on_hand": 10, "batches": []},
                   {"location": "EAST", "on_hand": 3, "batches": []}],
    }  # fmt: skip
    assert shop.get("/stock/LAMP%2F7").get_json()["on_hand"] == 0
    refused(shop.get("/stock/nothing"), 404, "item_not_for_sale")


def test_locations_are_listed(shop: Shop) -> None:
    found = shop.get("/locations").get_json()["locations"]
    assert [(place["code"], place["kind"]) for place in found] == [
        ("MAIN", "shop"), ("EAST", "warehouse"),
    ]  # fmt: skip


def test_goods_that_came_in_are_for_sale_at_once(shop: Shop) -> None:
    made = shop.post(f"{PATH}/receipts", body(location="main", note="note 7"), "sam")
    assert made.status_code == 201
    assert made.get_json() | {"created_at": ""} == {
        "item": shop.codes["milk"], "location": "MAIN", "quantity": 5, "on_hand": 15,
        "note": "note 7", "batch": None, "created_at": "",
    }  # fmt: skip
    assert shop.state()[1] == 15


def test_one_delivery_comes_in_once(shop: Shop) -> None:
    first = shop.post(f"{PATH}/receipts", body(), "sam", key="D1")
    again = shop.post(f"{PATH}/receipts", body(), "sam", key="D1")
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert again.headers["Idempotency-Replayed"] == "true"
    refused(shop.post(f"{PATH}/receipts", body(quantity=6), "sam", key="D1"), 409, "key_reused")
    refused(shop.post("/stock/BREAD-1/receipts", body(), "sam", key="D1"), 409, "key_reused")
    assert shop.get(PATH).get_json()["on_hand"] == 18
    # Somebody else's key is another key.
    assert shop.post(f"{PATH}/receipts", body(), "olga", key="D1").status_code == 201


def test_a_refusal_keeps_no_key(shop: Shop) -> None:
    refused(shop.post(f"{PATH}/receipts", body(location="WEST"), "sam", key="D2"), 404, "not_found")
    refused(shop.post(f"{PATH}/receipts", body(quantity=10**9), "sam", key="D2"), 422, "invalid")
    assert shop.get(PATH).get_json()["on_hand"] == 13
    assert shop.post(f"{PATH}/receipts", body(), "sam", key="D2").status_code == 201


def test_a_quantity_is_a_whole_number_of_goods(shop: Shop) -> None:
    wrong: list[Any] = [0, -1, 1.5, 5.0, "5", True, None, [5], {"5": 5}, 10**9 + 1, 2**53]
    for quantity in wrong:
        asked = body(quantity=quantity)
        problem = refused(shop.post(f"{PATH}/receipts", asked, "sam"), 422, "invalid")
        assert problem["errors"][0]["pointer"] == "#/quantity"
    assert shop.state()[1] == 10


def test_what_is_tracked_by_batch_comes_in_with_one(shop: Shop) -> None:
    with shop.app.app_context(), transaction():
        catalogue.edit_item(shop.ids["milk"], tracks_batches=True)
    refused(shop.post(f"{PATH}/receipts", body(), "sam"), 422, "invalid")
    bad: list[Any] = [{"batch": "A B"}, {"batch": "x" * 21}, {"expires_on": "2030-01-01"},
                      {"batch": "A", "expires_on": "2030-02-30"}, {"batch": 7}]  # fmt: skip
    for more in bad:
        refused(shop.post(f"{PATH}/receipts", body(**more), "sam"), 422, "invalid")
    said = body(batch="A/7", expires_on="2030-01-31")
    made = shop.post(f"{PATH}/receipts", said, "sam", key="B1").get_json()
    assert (made["batch"], made["on_hand"]) == ("A/7", 8)
    assert shop.post(f"{PATH}/receipts", said, "sam", key="B1").get_json() == made
    other = body(batch="A/7", expires_on="2030-02-01")
    refused(shop.post(f"{PATH}/receipts", other, "sam"), 409, "batch_differs")
    east = shop.get(PATH).get_json()["levels"][1]
    assert east == {
        "location": "EAST", "on_hand": 8,
        "batches": [{"batch": "A/7", "expires_on": "2030-01-31", "on_hand": 5, "blocked": False}],
    }  # fmt: skip
