"""Bad input: whatever is sent is answered with a problem document, and nothing moves."""

from __future__ import annotations

import json
from typing import Any

from store.db import db
from store.sales.models import Sale
from tests.api.conftest import MILK_GTIN, Shop, refused

POSTS = ("/sales", f"/stock/{MILK_GTIN}/receipts", "/sales/x/refunds")


def body(quantity: str) -> str:
    line = f'{{"item": "{MILK_GTIN}", "quantity": {quantity}}}'
    return f'{{"location": "MAIN", "lines": [{line}], "payment": {{"method": "account"}}}}'


BAD_JSON = {
    "nothing": "", "half": '{"location": "MAIN"', "2^63": body(str(2**63)),
    "2^53 + 1": body(str(2**53 + 1)), "10^400": body("1" + "0" * 400), "1e400": body("1e400"),
    "NaN": body("NaN"), "Infinity": body("-Infinity"),
    "a doubled key": body('1, "quantity": 2'), "NUL": body('1, "price": "\\u0000"'),
    "a lone surrogate": body('1, "price": "\\ud800"'), "a surrogate key": '{"\\udfff": 1}',
    "nested brackets": "[" * 100_000 + "]" * 100_000, "nested objects": '{"a":' * 100_000,
    "33 levels": "[" * 34 + "]" * 34, "single quotes": "{'a': 1}", "a comment": "{} // yes",
    "two documents": "{} {}", "a byte order mark": "\ufeff{}",
}  # fmt: skip


def test_json_that_can_be_understood_in_two_ways_is_refused(shop: Shop) -> None:
    for path in POSTS:
        for name, text in BAD_JSON.items():
            response = shop.call(
                "POST", path, "sam", data=text.encode(), content_type="application/json"
            )
            assert refused(response, 400, "bad_json"), (path, name)
        for raw in (b"\xff\xfe{}", "{}".encode("utf-16"), b'{"a": "\xff"}', b"\x00"):
            response = shop.call("POST", path, "sam", data=raw, content_type="application/json")
            refused(response, 400, "bad_json")
    assert shop.state() == (10_000, 10, 1)


def test_what_is_not_announced_as_json_is_not_read(shop: Shop) -> None:
    text = json.dumps(shop.sale())
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "",
        "json",
    ):
        response = shop.call("POST", "/sales", data=text, content_type=kind)
        refused(response, 415, "unsupported_media_type")
    assert shop.call(
        "POST", "/sales", data=text, content_type="application/json; charset=utf-8"
    ).status_code == 201  # fmt: skip


def test_a_body_of_ten_megabytes_is_not_read(shop: Shop) -> None:
    text = json.dumps(shop.sale() | {"location": "x" * 10_000_000})
    for path in POSTS:
        response = shop.call("POST", path, "sam", data=text, content_type="application/json")
        refused(response, 413, "too_large")


def test_every_field_has_its_kind(shop: Shop) -> None:
    wrong: list[Any] = [True, False, None, 1.5, "", [], {}, [1], {"a": 1}, -1, 0, 2**53, "x" * 5000]
    for value in wrong:
        for case in (
            shop.sale(value), shop.sale(lines=value), shop.sale(payment=value),
            shop.sale(lines=[value]), shop.sale(payment={"method": value}),
            shop.sale(location=value), shop.sale(member=value), shop.sale(1, item=value),
            shop.sale(lines=[{"item": MILK_GTIN, "quantity": 1, "price": value}]), value,
        ):  # fmt: skip
            if case is None or (case == "" and not isinstance(case, dict)):
                continue
            response = shop.post("/sales", case, "mei")
            body = response.get_json(force=True)
            assert (response.status_code, body["code"]) in (
                (422, "invalid"), (404, "not_found"), (404, "item_not_for_sale"),
                (422, "payment_method_unknown"), (403, "scope_missing"),
            ), (case, body)  # fmt: skip
    refused(shop.sell("2"), 422, "invalid")
    assert shop.state() == (10_000, 10, 1)


def test_a_fault_is_named_by_its_place(shop: Shop) -> None:
    asked = {"lines": [{"item": MILK_GTIN, "quantity": 1}, {"item": 7, "quantity": True}],
             "payment": {}, "total": 1}  # fmt: skip
    problem = refused(shop.post("/sales", asked), 422, "invalid")
    assert {fault["pointer"] for fault in problem["errors"]} == {
        "#/location", "#/lines/1/item", "#/lines/1/quantity", "#/payment/method", "#/total",
    }  # fmt: skip
    assert {fault["where"] for fault in problem["errors"]} == {"body"}
    assert refused(shop.post("/sales", [asked]), 422, "invalid")["errors"][0]["pointer"] == "#"


def test_nothing_that_a_buyer_says_changes_price_or_owner(shop: Shop) -> None:
    for more in ("total", "price", "member_id", "channel", "state", "sold_by", "id", "currency"):
        refused(shop.post("/sales", shop.sale() | {more: 1}), 422, "invalid")
    line = {"item": MILK_GTIN, "quantity": 1, "unit_minor": 1}
    refused(shop.post("/sales", shop.sale(lines=[line])), 422, "invalid")
    assert shop.state() == (10_000, 10, 1)


def test_limits_of_a_sale(shop: Shop) -> None:
    refused(shop.post("/sales", shop.sale(lines=[])), 422, "invalid")
    refused(shop.sell(10_000), 422, "invalid")
    many = [{"item": MILK_GTIN, "quantity": 1}] * 201
    refused(shop.post("/sales", shop.sale(lines=many)), 422, "invalid")
    refused(shop.post("/sales", shop.sale(lines=many[:200])), 409, "out_of_stock")


def test_addresses_that_lead_nowhere(shop: Shop) -> None:
    for path in ("", "/", "/nothing", "/items/", "/sales/x/y", "/me/", "//", "/%2e%2e/items"):
        for method in ("GET", "POST", "PUT"):
            refused(shop.call(method, path, json={}), 404, "not_found")
    for path in ("/items", "/me", "/sales/x", "/locations", "/reports/takings"):
        response = shop.call("DELETE", path)
        refused(response, 405, "method_not_allowed")
        assert "GET" in response.headers["Allow"]
    refused(shop.get("/items/%00"), 422, "invalid")
    refused(shop.get("/items?q=%00"), 422, "invalid")


def test_a_body_that_a_get_carries_is_not_minded(shop: Shop) -> None:
    response = shop.get("/me", data="{", content_type="application/json")
    assert response.status_code == 200
    with shop.app.app_context():
        assert db.session.query(Sale).count() == 0
