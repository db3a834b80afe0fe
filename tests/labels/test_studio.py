"""The desk's pages of labels: choosing, printing, jobs, stickers, and the demo's labels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select

from store import catalogue, create_app, stock
from store.db import db, transaction
from store.labels import Label
from tests.labels.conftest import Pages, read_by_zxing
from tests.world import Thing, Visitor, World

NOT_OURS = "This label was not made by this shop"
OUT_OF_DATE = "This label is out of date"


@pytest.fixture
def staff(world: World) -> Visitor:
    return world.client_for(world.staff())


@pytest.fixture
def milk(world: World) -> Thing:
    return world.item("oat-milk")


@pytest.fixture
def honey(world: World) -> Thing:
    return world.item("honey")


def ordered(*items: Thing, key: str = "key-of-this-page", **more: Any) -> dict[str, Any]:
    return {"item": [item.id for item in items], "sheet": "L7160", "copies": "1", "skip": "0",
            "key": key} | more  # fmt: skip


def print_these(staff: Visitor, *items: Thing, **more: Any) -> str:
    """The path of the job that the studio has made."""
    answer = staff.post("/desk/labels/jobs", ordered(*items, **more))
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def stickers(app: Flask) -> list[Label]:
    with app.app_context():
        return list(db.session.scalars(select(Label).order_by(Label.job_id, Label.position)))


def shown(staff: Visitor, which: str) -> list[int]:
    page = staff.get(f"/desk/labels?which={which}").text
    return [int(number) for number in re.findall(r'name="item" value="(\d+)"', page)]


def fetch(staff: Visitor, job: str, **more: Any) -> Any:
    return staff.post(f"{job}/files", {"format": "pdf", "first": "1"} | more)


def urls(pages: Pages, pdf: bytes) -> list[str]:
    return sorted(url for page in pages(pdf, 203) for url in read_by_zxing(page))


def path_in(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def test_a_job_is_handed_over_once_and_again_only_when_asked(
    staff: Visitor, milk: Thing, honey: Thing, app: Flask, pages: Pages
) -> None:
    job = print_these(staff, milk, honey, copies="3", skip="19")
    assert staff.get(job).status_code == 200
    assert staff.get(f"{job}/page.png").mimetype == "image/png"
    first = fetch(staff, job)
    refused = fetch(staff, job)
    assert refused.status_code == 409 and refused.mimetype == "text/html"
    second = fetch(staff, job, again="1")
    assert first.mimetype == "application/pdf"
    assert first.data == second.data
    assert len(stickers(app)) == 6
    found = urls(pages, first.data)
    assert len(found) == 6
    for url in found:
        page = staff.get(path_in(url))
        assert page.status_code == 200 and NOT_OURS not in page.text


def test_a_form_that_is_sent_twice_prints_once(staff: Visitor, milk: Thing, app: Flask) -> None:
    first = print_these(staff, milk)
    assert print_these(staff, milk) == first
    assert print_these(staff, milk, key="key-of-another-page") != first
    assert len(stickers(app)) == 2


def test_the_whole_list_is_printed_not_only_its_first_page(
    staff: Visitor, world: World, app: Flask
) -> None:
    for number in range(62):
        world.item("honey", gtin=None, code=f"H0{number:03}")
    assert len(shown(staff, "all")) == 60
    print_these(staff, all="1", which="all")
    assert len({label.item_id for label in stickers(app)}) == 62


def test_an_item_is_listed_while_its_label_says_another_price(
    staff: Visitor, milk: Thing, honey: Thing, world: World
) -> None:
    assert sorted(shown(staff, "new")) == sorted([milk.id, honey.id])
    print_these(staff, milk, honey)
    assert shown(staff, "new") == shown(staff, "changed") == []
    world.price(milk, "99.00")
    assert shown(staff, "changed") == [milk.id]
    print_these(staff, key="key-of-the-next-page", all="1", which="changed")
    assert shown(staff, "changed") == []
    mill = world.place("MILL")
    world.price(honey, "1.00", at=mill)
    assert shown(staff, "changed") == []
    assert shown(staff, "new&at=MILL") == [milk.id, honey.id]


def test_search_narrows_what_is_printed(
    staff: Visitor, milk: Thing, honey: Thing, app: Flask
) -> None:
    print_these(staff, all="1", q=honey.names["zh"])
    assert [label.item_id for label in stickers(app)] == [honey.id]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"item": []}, "nothing_to_print"),
        ({"skip": "21"}, "skip_too_large"),
        ({"sheet": "L1"}, "unknown_sheet"),
        ({"copies": "501"}, "invalid"),
        ({"item": ["x"]}, "invalid"),
        ({"item": ["999999"]}, "item_not_for_sale"),
        ({"which": "some"}, "invalid"),
        ({"category": "one"}, "invalid"),
        ({"at": "MOON"}, "not_found"),
        ({"key": "short"}, "invalid"),
    ],
)
def test_what_cannot_be_printed_is_refused_and_not_recorded(
    wrong: dict[str, Any], code: str, staff: Visitor, milk: Thing, app: Flask
) -> None:
    answer = staff.post("/desk/labels/jobs", ordered(milk) | wrong)
    assert answer.status_code in (404, 422)
    assert f'<span class="code">{code}</span>' in answer.text
    assert stickers(app) == []


def test_a_label_too_small_for_its_code_is_refused_with_the_size_it_needs(
    staff: Visitor, milk: Thing, app: Flask
) -> None:
    app.config["BASE_URL"] = "https://a-shop-with-a-very-long-name-indeed.example.com"
    answer = staff.post("/desk/labels/jobs", ordered(milk, sheet="L4732"))
    assert answer.status_code == 422
    assert "label_too_small" in answer.text
    assert re.search(r"\d+\.\d × \d+\.\d mm or larger", answer.text)
    assert stickers(app) == []


def test_an_item_that_lost_its_price_is_refused_by_name(
    staff: Visitor, world: World, app: Flask
) -> None:
    honey = world.item("honey")
    owner = world.client_for(world.owner())
    assert owner.post(f"/desk/items/{honey.id}/archive").status_code == 303
    answer = staff.post("/desk/labels/jobs", ordered(honey))
    assert answer.status_code == 422
    assert honey.names["en"] in answer.text and "price_missing" in answer.text
    assert stickers(app) == []


def test_pages_of_labels_are_for_the_staff(
    staff: Visitor, milk: Thing, world: World, app: Flask
) -> None:
    job = print_these(staff, milk)
    label = stickers(app)[0].id
    shopper, guest = world.client_for(world.member()), world.visitor()
    for path in ("/desk/labels", "/desk/labels/jobs", job, f"/desk/labels/{label}",
                 f"/labels/{label}.svg", f"/labels/{label}.png", "/desk/labels/sheet.svg",
                 f"/desk/labels/sample.svg?item={milk.id}"):  # fmt: skip
        assert staff.get(path).status_code == 200, path
        assert shopper.get(path).status_code == 403, path
        assert guest.get(path).headers["Location"].startswith("/sign-in"), path
    assert shopper.post("/desk/labels/jobs", ordered(milk, key="another-key")).status_code == 403
    assert shopper.post(f"/desk/labels/{label}/revoke").status_code == 403
    [kept] = stickers(app)
    assert kept.revoked_at is None


def test_a_label_on_the_screen_is_the_one_that_was_printed(
    staff: Visitor, milk: Thing, app: Flask, pages: Pages
) -> None:
    job = print_these(staff, milk)
    label = stickers(app)[0].id
    picture = staff.get(f"/labels/{label}.png")
    again = staff.get(f"/labels/{label}.png", headers={"If-None-Match": picture.headers["ETag"]})
    assert again.status_code == 304
    [on_screen] = read_by_zxing(Image.open(BytesIO(picture.data)))
    assert [on_screen] == urls(pages, fetch(staff, job).data)
    drawn = staff.get(f"/labels/{label}.svg")
    assert drawn.mimetype == "image/svg+xml" and milk.names["en"] in drawn.text
    assert staff.get("/labels/00000000.svg").status_code == 404


def test_a_sticker_taken_out_of_use_is_told_of_when_scanned(
    staff: Visitor, milk: Thing, app: Flask, pages: Pages
) -> None:
    job = print_these(staff, milk)
    [url] = urls(pages, fetch(staff, job).data)
    assert OUT_OF_DATE not in staff.get(path_in(url)).text
    found = staff.get("/desk/labels/find", query_string={"label": url})
    page = found.headers["Location"]
    assert "This label says the right price" in staff.get(page).text
    assert staff.post(f"{page}/revoke").status_code == 303
    assert OUT_OF_DATE in staff.get(path_in(url)).text
    assert "Out of use since" in staff.get(page).text
    assert shown(staff, "new") == [milk.id]
    forged = url[:-1] + ("0" if url[-1] != "0" else "1")
    assert staff.get("/desk/labels/find", query_string={"label": forged}).status_code == 404


@pytest.mark.parametrize("path", ["/desk/labels/jobs/99", "/desk/labels/jobs/99/page.png",
                                  "/desk/labels/NONESUCH"])  # fmt: skip
def test_what_was_never_printed_is_not_found(path: str, staff: Visitor) -> None:
    assert staff.get(path).status_code == 404


@pytest.mark.usefixtures("world")
def test_a_shop_that_is_no_demo_shows_its_labels_to_nobody(app: Flask) -> None:
    assert app.test_client().get("/demo/labels").status_code == 404


@pytest.fixture
def demo(settings: dict[str, Any]) -> Iterator[Flask]:
    shop = create_app(settings | {"DEMO": True, "LAN_URL": "http://192.0.2.7:8000"})
    yield shop
    with shop.app_context():
        db.session.remove()
        db.engine.dispose()


def test_a_newcomer_scans_the_labels_of_the_demo_from_the_screen(demo: Flask) -> None:
    world = World(demo)
    staff = world.client_for(world.staff())
    goods = [world.item("oat-milk"), world.item("banana")]
    print_these(staff, *goods)
    print_these(staff, goods[0], key="key-of-another-page")
    guest = world.visitor()
    page = guest.get("/demo/labels").text
    links = re.findall(r'class="label-picture" href="([^"]+)"', page)
    pictures = re.findall(r'src="(/labels/\w+)\.svg"', page)
    assert len(links) == len(pictures) == 2, "one label for each item, the newest"
    for link, picture in zip(links, pictures, strict=True):
        opened = guest.get(link)
        assert opened.status_code == 200 and NOT_OURS not in opened.text
        [url] = read_by_zxing(Image.open(BytesIO(guest.get(f"{picture}.png").data)))
        # A phone cannot open "localhost", so the code has the address in the network.
        assert url == f"http://192.0.2.7:8000{link}"
    with demo.app_context():
        assert db.session.scalar(select(func.count()).select_from(Label)) == 3


def test_printing_goes_on_where_the_paper_ran_out(
    staff: Visitor, milk: Thing, pages: Pages, app: Flask
) -> None:
    job = print_these(staff, milk, copies="30", skip="5")
    every = [url for page in pages(fetch(staff, job).data, 203) for url in read_by_zxing(page)]
    assert len(every) == 30
    assert staff.post(f"{job}/stops", {"labels": "30"}).status_code == 422
    assert staff.post(f"{job}/stops", {"labels": "18"}).status_code == 303
    assert "18 of 30 printed" in staff.get(job).text
    assert fetch(staff, job).status_code == 409  # They have those on paper.
    rest = fetch(staff, job, first="19")
    [page] = pages(rest.data, 203)  # 18 after 5 used cells: two of the second sheet are used.
    printed = read_by_zxing(page)
    assert len(printed) == 12
    assert len(stickers(app)) == 30
    assert fetch(staff, job, first="19").status_code == 409
    waiting = print_these(staff, milk, key="another-key")
    assert "not printed yet" in staff.get("/desk/labels/jobs").text
    assert staff.post(f"{waiting}/discard").status_code == 303
    assert staff.post(f"{waiting}/discard").status_code == 409
    assert fetch(staff, waiting).status_code == 409
    assert stickers(app)[-1].revoked_at is not None


def test_a_shelf_and_a_roll_are_chosen(
    staff: Visitor, milk: Thing, honey: Thing, world: World, app: Flask
) -> None:
    with app.app_context(), transaction():
        stock.receive(milk.id, world.location, 1)
        stock.put_on_shelf(milk.id, world.location, "A3")
    page = staff.get("/desk/labels?shelf=A3").text
    assert f'value="{milk.id}"' in page and f'name="item" value="{honey.id}"' not in page
    look = staff.get(f"/desk/labels/page.png?sheet=50x30&dpi=203&languages=zh&item={milk.id}")
    assert Image.open(BytesIO(look.data)).size == (400, 240)
    assert staff.get("/desk/labels/page.png?sheet=50x30&dpi=72").status_code == 422
    assert staff.get("/desk/labels/page.png?languages=xx").status_code == 422
    job = print_these(staff, all="1", shelf="A3", sheet="50x30", dpi="203")
    assert [label.item_id for label in stickers(app)] == [milk.id]
    assert staff.post(f"{job}/files", {"format": "docx", "first": "1"}).status_code == 422
    zpl = fetch(staff, job, format="zpl").data
    assert zpl.startswith(b"^XA^PW400^LL240") and zpl.count(b"^XZ") == 1
    sheet_job = print_these(staff, milk, key="on-a-sheet-then")
    assert fetch(staff, sheet_job, format="zpl").status_code == 422


def test_a_new_name_size_or_shelf_puts_the_label_on_the_list(
    staff: Visitor, milk: Thing, honey: Thing, world: World, app: Flask
) -> None:
    print_these(staff, milk, honey)
    assert shown(staff, "changed") == []
    with app.app_context(), transaction():
        stock.receive(milk.id, world.location, 1)
        catalogue.edit_item(honey.id, brand="Another brand")
    assert shown(staff, "changed") == []  # Nothing of that stands on a label.
    with app.app_context(), transaction():
        stock.put_on_shelf(milk.id, world.location, "B7")
    assert shown(staff, "changed") == [milk.id]
    with app.app_context(), transaction():
        catalogue.edit_item(honey.id, names={"en": "Forest honey"})
    assert sorted(shown(staff, "changed")) == sorted([milk.id, honey.id])
    assert "other name" in staff.get("/desk/labels?which=changed").text
    print_these(staff, key="printed-anew-then", all="1", which="changed")
    assert shown(staff, "changed") == []
