"""The catalogue's pages: finding a code, and the desk where staff mind the items."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from store import catalogue
from store.catalogue.models import Item, Price
from store.db import db
from tests.catalogue.test_pictures import made
from tests.world import Visitor, World

FORM = {
    "name_en": "Green tea", "name_zh": "绿茶", "price": "3.50", "gtin": "6901234567892",
    "sku": "TEA-1", "brand": "Hills", "size_text": "500 ml", "category_en": "Drinks",
    "tax_rate": "9",
}  # fmt: skip


@pytest.fixture
def staff(world: World) -> Visitor:
    return world.client_for(world.staff())


def found(app: Flask) -> list[Item]:
    with app.app_context():
        return list(db.session.scalars(select(Item).order_by(Item.id)))


@pytest.mark.parametrize(
    "typed",
    ["4006381333931", "https://other.example/01/04006381333931?l=THEIRS", "(01)04006381333931"],
)
def test_a_typed_or_scanned_code_leads_to_the_item(app: Flask, world: World, typed: str) -> None:
    world.item(gtin="4006381333931")
    answer = app.test_client().get("/find", query_string={"code": typed})
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/01/04006381333931", "a foreign label does not go along"


def test_our_own_label_goes_along(app: Flask, world: World) -> None:
    thing = world.item(gtin=None)
    code = f"http://localhost/i/{thing.code}?l=0123456789-ABCDE"
    answer = app.test_client().get("/find", query_string={"code": code})
    assert answer.headers["Location"] == f"/i/{thing.code}?l=0123456789-ABCDE"


@pytest.mark.parametrize(
    ("code", "status"),
    [("NOPE22", 404), ("https://a.example/01/04006381333932", 400), ("", 422), ("<script>", 404),
     ("https://evil.example/", 404)],
)  # fmt: skip
def test_a_code_that_leads_nowhere_says_so_and_shows_a_way_out(
    app: Flask, world: World, code: str, status: int
) -> None:
    answer = app.test_client().get("/find", query_string={"code": code})
    assert answer.status_code == status
    assert ("<script>" not in answer.text and 'href="/scan"' in answer.text) or status == 422


def test_the_scanner_may_run_what_reads_codes_and_no_more(app: Flask, world: World) -> None:
    answer = app.test_client().get("/scan")
    policy = answer.headers["Content-Security-Policy"]
    assert answer.status_code == 200
    assert "script-src 'self' 'wasm-unsafe-eval';" in policy and "unsafe-inline" not in policy


def test_staff_put_an_item_up_for_sale(app: Flask, world: World, staff: Visitor) -> None:
    assert staff.get("/desk/items/new").status_code == 200
    answer = staff.post("/desk/items", FORM)
    assert answer.status_code == 303
    [tea] = found(app)
    assert tea.names == {"en": "Green tea", "zh": "绿茶"} and tea.gtin == "06901234567892"
    assert (tea.content, tea.content_unit, tea.tax_rate_bp) == (500, "ml", 900)
    page = staff.get(answer.headers["Location"])
    assert "Green tea" in page.text and 'value="3.50"' in page.text
    assert "Green tea" in staff.get("/desk/items?q=绿茶").text
    assert "Green tea" not in staff.get("/desk/items?q=coffee").text
    with app.app_context():
        assert catalogue.quote([tea.id], None, "CNY") == {tea.id: 350}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"price": "free"}, "like 12.50"),
        ({"price": ""}, "like 12.50"),
        ({"gtin": "6901234567890"}, "This is no GTIN"),
        ({"name_en": "", "name_zh": ""}, "A name has 1 to 300"),
        ({"brand": "a\x01"}, "cannot be kept"),
        ({"tax_rate": "120"}, "in percent, like 13"),
        ({"sku": "TAKEN"}, "has this already"),
    ],
)
def test_what_is_wrong_with_a_form_is_said_beside_it_and_nothing_is_kept(
    app: Flask, world: World, staff: Visitor, change: dict[str, str], said: str
) -> None:
    world.item(sku="TAKEN")
    answer = staff.post("/desk/items", {**FORM, **change})
    assert answer.status_code in (400, 409, 422), answer.status_code
    assert said in answer.text
    assert 'value="TEA-1"' in answer.text or "sku" in change, "what was typed stays"
    assert len(found(app)) == 1


def test_a_new_price_is_history_and_an_unchanged_one_is_not(
    app: Flask, world: World, staff: Visitor
) -> None:
    staff.post("/desk/items", FORM)
    [tea] = found(app)
    staff.post(f"/desk/items/{tea.id}", {**FORM, "brand": "Valley"})
    answer = staff.post(f"/desk/items/{tea.id}", {**FORM, "price": "4.00"})
    assert answer.status_code == 303
    with app.app_context():
        prices = list(db.session.scalars(select(Price).order_by(Price.id)))
        assert [price.amount_minor for price in prices] == [350, 400]
        assert all(price.made_by for price in prices)


def test_an_uploaded_picture_is_shown(app: Flask, world: World, staff: Visitor) -> None:
    upload: dict[str, Any] = {"picture": (BytesIO(made("JPEG")), "../../evil.svg")}
    assert staff.post("/desk/items", {**FORM, **upload}).status_code == 303
    [tea] = found(app)
    assert tea.picture and f"/pictures/{tea.picture}-160.webp" in staff.get("/desk/items").text
    assert staff.get(f"/pictures/{tea.picture}-480.webp").status_code == 200
    bad: dict[str, Any] = {"picture": (BytesIO(b"<svg/>"), "x.svg")}
    answer = staff.post(f"/desk/items/{tea.id}", {**FORM, **bad})
    assert answer.status_code == 422 and "This picture cannot be used" in answer.text


def test_an_item_is_taken_off_sale_and_back(app: Flask, world: World, staff: Visitor) -> None:
    milk = world.item()
    assert staff.post(f"/desk/items/{milk.id}/archive").status_code == 303
    assert staff.get(milk.path).status_code == 404
    assert milk.names["en"] not in staff.get("/desk/items").text
    assert milk.names["en"] in staff.get("/desk/items?archived=1").text
    assert staff.post(f"/desk/items/{milk.id}/bring-back").status_code == 303
    assert staff.get(milk.path).status_code == 200


@pytest.mark.parametrize("path", ["/desk/items", "/desk/items/new", "/desk/items/1"])
def test_the_desk_is_for_who_may_edit_items(app: Flask, world: World, path: str) -> None:
    world.item()
    guest = world.visitor()
    assert guest.get(path).headers["Location"].startswith("/sign-in?next=")
    shopper = world.client_for(world.member())
    assert shopper.get(path).status_code == 403
    if path == "/desk/items":
        assert shopper.post(path, FORM).status_code == 403
        assert guest.post(path, FORM).status_code in (303, 401, 403)
        with app.app_context():
            assert db.session.scalar(select(func.count()).select_from(Item)) == 1


@pytest.mark.parametrize("number", ["999999", "9223372036854775808", "0"])
def test_an_item_that_is_not_there_is_not_found(staff: Visitor, number: str) -> None:
    assert staff.get(f"/desk/items/{number}").status_code == 404
    assert staff.post(f"/desk/items/{number}", FORM).status_code == 404


def test_a_list_of_many_items_goes_on_to_the_next_page(
    app: Flask, world: World, staff: Visitor
) -> None:
    for number in range(41):
        world.item(gtin=None, code="", names={"en": f"Thing {number:02}"}, on_hand=0)
    first = staff.get("/desk/items").text
    assert "Thing 40" in first and "Thing 00" not in first and "cursor=" in first
    cursor = first.split("cursor=")[1].split('"')[0]
    assert "Thing 00" in staff.get(f"/desk/items?cursor={cursor}").text
    assert staff.get("/desk/items?cursor=x").status_code == 422
