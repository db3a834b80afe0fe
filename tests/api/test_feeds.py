"""Feeds over the API: scopes, keys, and an answer for each entry."""

from __future__ import annotations

from typing import Any

from store import clock
from tests.api.conftest import MILK_GTIN, Shop, refused


def delivery(*entries: Any, source: Any = "erp") -> dict[str, Any]:
    return {"source": source, "entries": list(entries)}


def count(id_: str, quantity: Any = 12, **more: Any) -> dict[str, Any]:
    at = clock.now().isoformat()
    return {"id": id_, "item": MILK_GTIN, "location": "MAIN", "count": quantity, "at": at} | more


def test_every_entry_is_answered(shop: Shop) -> None:
    sent = delivery(count("1"), count("2", 1.5), count("3", item="NOPE"))
    answer = shop.post("/feeds/stock", sent, "sam", key="d-1")
    body = answer.get_json()
    assert answer.status_code == 201
    assert (body["applied"], body["repeated"], body["listed"]) == (1, 0, 2)
    assert [one["state"] for one in body["entries"]] == ["applied", "refused", "conflict"]
    assert shop.state()[1] == 12
    again = shop.post("/feeds/stock", sent, "sam", key="d-1")
    assert again.get_json() == body and again.headers["Idempotency-Replayed"] == "true"
    assert shop.post("/feeds/stock", sent, "sam").get_json()["repeated"] == 1
    refused(shop.post("/feeds/stock", delivery(count("9")), "sam", key="d-1"), 409, "key_reused")
    assert shop.state()[1] == 12


def test_what_waits_is_listed_and_decided(shop: Shop) -> None:
    shop.post("/feeds/stock", delivery(count("1", -1), count("2", change=1)), "sam")
    change = {"id": "3", "item": MILK_GTIN, "location": "MAIN", "change": -99,
              "at": clock.now().isoformat()}  # fmt: skip
    shop.post("/feeds/stock", delivery(change, source="wms"), "sam")
    listed = shop.get("/feeds/entries?source=wms", "sam").get_json()["entries"]
    assert [(one["id"], one["code"], one["state"]) for one in listed] == [
        ("3", "short", "conflict")
    ]
    first = shop.get("/feeds/entries?limit=1", "sam").get_json()
    assert "cursor=" in first["next"]
    here = f"/feeds/entries/{listed[0]['number']}/decisions"
    refused(shop.post(here, {"decision": "apply"}, "sam"), 409, "conflict_stands")
    assert shop.post(here, {"decision": "dismiss"}, "sam", key="k").status_code == 201
    assert shop.post(here, {"decision": "dismiss"}, "sam", key="k").status_code == 201
    refused(
        shop.post("/feeds/entries/999/decisions", {"decision": "apply"}, "sam"), 404, "not_found"
    )
    refused(shop.post(here, {"decision": "maybe"}, "sam"), 422, "invalid")
    assert shop.get("/feeds/entries?state=dismissed", "sam").get_json()["entries"][0]["id"] == "3"


def test_who_may(shop: Shop) -> None:
    for feed in ("stock", "items", "prices"):
        refused(shop.post(f"/feeds/{feed}", delivery(count("1")), "lin"), 403, "scope_missing")
        refused(shop.post(f"/feeds/{feed}", delivery(count("1")), None), 401, "token_invalid")
    refused(shop.get("/feeds/entries", "lin"), 403, "scope_missing")
    only = shop.token("sam", "stock:write")
    refused(shop.post("/feeds/items", delivery(count("1")), only), 403, "scope_missing")
    assert shop.state()[1] == 10


def test_a_delivery_that_is_none_is_refused_as_a_whole(shop: Shop) -> None:
    wrong: list[Any] = [
        {}, [], {"source": "erp"}, {"source": "erp", "entries": []},
        {"source": "", "entries": [{}]},
        {"source": "x" * 41, "entries": [{}]}, {"source": " ", "entries": [{}]},
        {"source": 5, "entries": [{}]}, {"source": "erp", "entries": {}},
        {"source": "erp", "entries": [5]}, {"source": "a\nb", "entries": [{}]},
        delivery(*[count(str(number)) for number in range(501)]),
    ]  # fmt: skip
    for body in wrong:
        refused(shop.post("/feeds/stock", body, "sam"), 422, "invalid")
    text = b'{"source": "erp", "entries": [{"id": "1", "count": 1'
    cut = shop.call("POST", "/feeds/stock", "sam", data=text, content_type="application/json")
    refused(cut, 400, "bad_json")
    assert shop.state()[1] == 10


def test_a_number_beyond_2_53_holds_up_no_other_entry(shop: Shop) -> None:
    at = clock.now().isoformat()
    milk = shop.codes["milk"]
    said = [
        f'{{"id": "{name}", "item": "{milk}", "location": "MAIN", "at": "{at}", {what}}}'
        for name, what in (
            ("1", '"count": 9007199254740993'), ("2", '"change": 1'), ("3", '"count": 1e400'),
            ("4", f'"change": {10**300}'),
        )
    ]  # fmt: skip
    text = f'{{"source": "erp", "entries": [{", ".join(said)}]}}'.encode()
    made = shop.call("POST", "/feeds/stock", "sam", data=text, content_type="application/json")
    assert [each["state"] for each in made.get_json()["entries"]] == [
        "refused", "applied", "refused", "refused",
    ]  # fmt: skip
    listed = shop.get("/feeds/entries", "sam").get_json()["entries"]
    assert listed[-1]["contents"]["count"] == "9007199254740993"
    assert shop.state()[1] == 11
    body = b'{"location": "MAIN", "quantity": 9007199254740993}'
    asked = ("POST", f"/stock/{milk}/receipts", "sam")
    refused(shop.call(*asked, data=body, content_type="application/json"), 400, "bad_json")
