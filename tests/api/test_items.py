"""The catalogue over the API: found by any code, listed by pages, priced and counted by place."""

from __future__ import annotations

from urllib.parse import quote

from store import catalogue
from store.db import transaction
from tests.api.conftest import MILK_GTIN, Shop, refused
from tests.conftest import Clock


def test_an_item_tells_what_a_shelf_label_needs(shop: Shop) -> None:
    item = shop.get(f"/items/{MILK_GTIN}?location=main").get_json()
    assert item == {
        "code": shop.codes["milk"], "gtin": MILK_GTIN, "sku": None,
        "names": {"en": "Oat milk", "zh": "燕麦奶"}, "descriptions": {}, "brand": "Harbour",
        "category": {"code": "drinks", "names": {"en": "Drinks", "zh": "饮料"}},
        "size": "1 l", "tax_rate": "13.00", "least_age": 0,
        "price": {"amount": "12.50", "minor": 1250, "currency": "CNY"},
        "price_to_pay": {"amount": "12.50", "minor": 1250, "currency": "CNY"},
        "tax_included": True, "deposit": None, "parts": [],
        "unit_price": {"price": {"amount": "12.50", "minor": 1250, "currency": "CNY"}, "per": "l"},
        "for_sale": True, "location": "MAIN", "on_hand": 10, "seller": None,
        "url": f"http://localhost/01/{MILK_GTIN}", "picture": None,
        "updated_at": item["updated_at"],
    }  # fmt: skip


def test_any_scanned_text_finds_it(shop: Shop) -> None:
    for said in (
        "4006381333931", "https://any.example/01/04006381333931?l=1-2", "http://localhost/01/" +
        MILK_GTIN, "(01)04006381333931(17)270101", "]d20104006381333931", " 4006381333931 ",
    ):  # fmt: skip
        assert shop.get(f"/items/{quote(said, safe='')}").get_json()["gtin"] == MILK_GTIN, said


def test_an_sku_with_a_slash_finds_an_item_that_is_not_for_sale(shop: Shop) -> None:
    item = shop.get("/items/LAMP%2F7").get_json()
    assert (item["for_sale"], item["price"], item["unit_price"]) == (False, None, None)


def test_without_a_location_nothing_is_counted(shop: Shop) -> None:
    item = shop.get("/items/BREAD-1").get_json()
    assert (item["location"], item["on_hand"]) == (None, None)
    assert shop.get("/items/BREAD-1?location=EAST").get_json()["on_hand"] == 0
    refused(shop.get("/items/BREAD-1?location=WEST"), 404, "not_found")


def test_a_price_of_one_place_holds_there(shop: Shop) -> None:
    with shop.app.app_context(), transaction():
        catalogue.set_price(shop.ids["bread"], 700, "CNY", location_id=shop.ids["EAST"])
    prices = {
        code: shop.get(f"/items/BREAD-1?location={code}").get_json()["price"]["minor"]
        for code in ("MAIN", "EAST")
    }
    assert prices == {"MAIN": 800, "EAST": 700}


def test_an_unknown_code_is_said_to_be_unknown(shop: Shop) -> None:
    for said in ("nothing", "4006381333932", "%20", "x" * 3000, "%F0%28%8C%28"):
        refused(shop.get(f"/items/{said}"), 404, "item_not_for_sale")


def test_a_broken_code_is_told_from_an_unknown_one(shop: Shop) -> None:
    said = quote("https://any.example/01/04006381333932", safe="")
    assert "check digit" in refused(shop.get(f"/items/{said}"), 400, "bad_code")["detail"]


def test_what_did_not_change_is_not_sent_again(shop: Shop) -> None:
    first = shop.get(f"/items/{MILK_GTIN}?location=MAIN")
    headers = {"If-None-Match": first.headers["ETag"]}
    same = shop.get(f"/items/{MILK_GTIN}?location=MAIN", headers=headers)
    assert (same.status_code, same.data) == (304, b"")
    shop.sell()
    after = shop.get(f"/items/{MILK_GTIN}?location=MAIN", headers=headers)
    assert (after.status_code, after.get_json()["on_hand"]) == (200, 9)


def test_the_catalogue_by_pages(shop: Shop) -> None:
    with shop.app.app_context(), transaction():
        for at in range(7):
            catalogue.add_item(names={"en": f"Cup {at}"}, tax_rate_bp=0)
    seen: list[str] = []
    path: str | None = "/items?limit=3&location=MAIN"
    while path:
        page = shop.get(path).get_json()
        seen += [item["names"]["en"] for item in page["items"]]
        path = page["next"] and page["next"].removeprefix("http://localhost/api/v1")
        assert path is None or ("limit=3" in path and "location=MAIN" in path)
    assert seen == ["Oat milk", "Bread", "Lamp", *(f"Cup {at}" for at in range(7))]


def test_items_are_searched(shop: Shop) -> None:
    for query, found in (
        ("q=oat", 1), ("q=燕麦", 1), ("q=bread+oat", 0), ("q=4006381", 1), ("category=drinks", 1),
        ("category=nothing", 0), ("q=", 3), ("q=%25", 0),
    ):  # fmt: skip
        assert len(shop.get(f"/items?{query}").get_json()["items"]) == found, query


def test_a_copy_is_kept_up_to_date(shop: Shop, clock: Clock) -> None:
    """What changed, what got another price, and what went; nothing else, and nothing too early."""
    clock.tick(days=400)
    since = clock.now.isoformat().replace("+", "%2B")

    def changed() -> dict[str, bool]:
        answer = shop.get(f"/items?updated_since={since}").get_json()
        return {item["names"]["en"]: item["for_sale"] for item in answer["items"]}

    clock.tick(minutes=1)
    assert changed() == {}
    with shop.app.app_context(), transaction():
        catalogue.archive_item(shop.ids["milk"])
        later = clock.now.replace(hour=23)
        catalogue.set_price(shop.ids["bread"], 900, "CNY", starts_at=later)
    assert changed() == {"Oat milk": False}
    clock.set(later)
    assert changed() == {"Oat milk": False, "Bread": True}
    with shop.app.app_context(), transaction():
        catalogue.edit_item(shop.ids["lamp"], brand="Lux")
    assert changed() == {"Oat milk": False, "Bread": True, "Lamp": False}


def test_a_question_that_is_not_understood_is_not_answered(shop: Shop) -> None:
    for query in (
        "limit=0", "limit=101", "limit=-1", "limit=1e1", "limit=+5", "limit=５", "limit=",
        "limit=9223372036854775808", "cursor=x", "cursor=-1", "cursor=99999999999999999999",
        "cursor=", "limit=1&limit=2", "unknown=1", "updated_since=yesterday", "q=" + "x" * 201,
        "updated_since=2027-01-01T00:00:00 08:00", "location=", "q=%0A", "updated_since=",
     "updated_since=99999-01-01", "q[]=x",
    ):  # fmt: skip
        refused(shop.get(f"/items?{query}"), 422, "invalid")
