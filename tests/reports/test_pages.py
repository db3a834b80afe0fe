from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import insert, update

from store import ids, outbox
from store.catalogue.models import Item
from store.db import transaction
from store.identity.models import Member, SignIn
from tests.conftest import Clock
from tests.reports.shop import Shop

NOW = datetime(2026, 11, 3, 6, 20, tzinfo=UTC)
PAGES = (
    "/owner", "/owner/takings", "/owner/takings/items", "/owner/takings/shoppers?period=this_year",
    "/owner/sales", "/owner/takings.csv", "/owner/takings.csv?table=items", "/owner/sales.csv",
)  # fmt: skip


@pytest.fixture
def shop(app: Flask, clock: Clock) -> Shop:
    clock.set(NOW)
    opened = Shop()
    with app.app_context():
        opened.open()
    return opened


def _sign_in(app: Flask, role: str, member_id: int = 100) -> FlaskClient:
    """A visitor who is signed in as somebody of this role."""
    secret = ids.secret()
    with app.app_context(), transaction() as session:
        member = Member(id=member_id, name=f"The {role}", role=role, created_at=NOW)
        session.add(member)
        session.flush()
        session.execute(insert(SignIn), [{
            "digest": ids.digest(secret), "member_id": member.id, "created_at": NOW,
            "seen_at": NOW, "expires_at": NOW + timedelta(days=9), "ended_at": None,
        }])  # fmt: skip
    client = app.test_client()
    client.set_cookie("visit", secret, domain="localhost")
    return client


@pytest.fixture
def owner(app: Flask, shop: Shop) -> FlaskClient:
    return _sign_in(app, "owner")


@pytest.mark.parametrize("url", PAGES)
def test_only_who_may_see_sales_sees_them(app: Flask, shop: Shop, url: str) -> None:
    assert app.test_client().get(url).status_code in (302, 303, 401)
    assert _sign_in(app, "shopper", 98).get(url).status_code == 403
    assert _sign_in(app, "staff", 99).get(url).status_code == 403
    assert _sign_in(app, "owner").get(url).status_code == 200


def test_a_shop_without_sales_says_so(owner: FlaskClient) -> None:
    page = owner.get("/owner/takings").text
    assert "No sales yet" in page
    assert "<table" not in page


def test_one_sale_is_on_the_page_at_once(app: Flask, shop: Shop, owner: FlaskClient) -> None:
    with app.app_context():
        sale = shop.sell(NOW, (1, 2, 1250), member_id=3)
    page = owner.get("/owner/takings?period=today").text
    assert "12.50" in re.sub(r"<[^>]+>", "", page)
    listed = owner.get("/owner/sales?period=today").text
    for expected in ("Shopper 3", "2 × Thing 1", "Shop 1", "14:20", f"/desk/sales/{sale.id}"):
        assert expected in unescape(listed).replace("2:20", "14:20"), expected


def test_every_link_of_the_page_leads_to_a_page(app: Flask, shop: Shop, owner: FlaskClient) -> None:
    with app.app_context():
        first = shop.sell(NOW, (1, 2, 1250), (4, 1, 300), member_id=3, channel="web")
        shop.sell(NOW - timedelta(days=1), (2, 2, 700), location_id=2)
        shop.give_back(first, NOW)
        outbox.work()
        shop.sell(NOW, (5, 1, 80))
    for start in (
        "",
        "/takings",
        "/takings?by=hour",
        "/takings?period=this_year&by=month",
    ):
        page = owner.get(f"/owner{start}").text
        links = {unescape(url) for url in re.findall(r'href="(/owner[^"]*)"', page)}
        assert len(links) > 20
        for url in links - {"/owner/people"}:
            assert owner.get(url).status_code == 200, url


def test_a_figure_is_the_sum_of_the_list_it_links_to(
    app: Flask, shop: Shop, owner: FlaskClient
) -> None:
    """Each amount of the tables by item and shopper, against the CSV of the list behind it."""
    with app.app_context():
        first = shop.sell(NOW, (1, 2, 1250), (4, 1, 300), member_id=3, channel="web")
        shop.sell(NOW - timedelta(hours=9), (1, 2, 700), (4, 1, 310), member_id=2)
        shop.give_back(first, NOW)
    page = owner.get("/owner/takings?period=today").text
    linked = re.findall(r'<a href="(/owner/sales\?[^"]*)">([^<]*\d\.\d\d)</a>', page)
    assert len(linked) > 8
    for url, amount in linked:
        text = owner.get(unescape(url).replace("/owner/sales?", "/owner/sales.csv?")).text
        rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
        total = sum(round(float(row["total"]) * 100) for row in rows)
        shown = int(re.sub(r"\D", "", unescape(amount)))
        sign = -1 if "-" in unescape(amount) else 1
        assert abs(total) == shown, (url, amount)
        assert sign * total >= 0 or "kind=refunds" in url


def test_the_list_goes_on_where_the_page_ends(app: Flask, shop: Shop, owner: FlaskClient) -> None:
    with app.app_context():
        for _ in range(103):
            shop.sell(NOW, (1, 1, 100))  # All at the same moment: the id decides.
    seen: list[str] = []
    url = "/owner/sales?period=today"
    while url:
        page = owner.get(url).text
        seen += re.findall(r"/desk/sales/([0-9A-Z]{20})", page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        url = unescape(older[1]) if older else ""
    assert sorted(seen) == sorted(sale.id for sale in shop.sold)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\t=1", "Milk, 1 l", 'a "b"', "奶"])
def test_a_name_in_csv_is_never_a_formula(
    app: Flask, shop: Shop, owner: FlaskClient, name: str
) -> None:
    with app.app_context():
        shop.give_back(shop.sell(NOW - timedelta(days=8), (1, 1, 1999)), NOW)
        with transaction() as session:
            session.execute(update(Item).where(Item.id == 1).values(names={"en": name}))
    answer = owner.get("/owner/takings.csv?table=items&period=today")
    assert answer.mimetype == "text/csv"
    (row,) = csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")))
    assert row["name"].lstrip("'") == name
    assert row["name"][0] not in "=+-@\t"
    assert (row["takings"], row["items"], row["currency"]) == ("-19.99", "-1", "CNY")
    book = load_workbook(io.BytesIO(owner.get("/owner/takings.xlsx?table=items&period=today").data))
    head, cells = book.worksheets[0].iter_rows()
    in_book = dict(zip([cell.value for cell in head], cells, strict=True))
    assert (in_book["name"].value, in_book["name"].data_type) == (name, "s")
    assert (in_book["takings"].value, in_book["takings"].data_type) == (-19.99, "n")


def test_the_table_over_time_has_every_day_even_the_empty_ones(
    app: Flask, shop: Shop, owner: FlaskClient
) -> None:
    with app.app_context():
        shop.sell(NOW, (1, 1, 1200))
    text = owner.get("/owner/takings.csv?from=2026-10-05&to=2026-11-03&by=day").text
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    assert (len(rows), rows[0]["from"], rows[-1]["takings"]) == (30, "2026-10-05", "12.00")
    assert {row["takings"] for row in rows[:-1]} == {"0.00"}


@pytest.mark.parametrize(
    "url",
    [
        "/owner?from=x", "/owner?location=nowhere", "/owner?currency=%00", "/owner/takings?from=x",
        "/owner/takings?period=%F0%9F", "/owner/takings?item=%ED%A0%80", "/owner/takings?page=0",
        "/owner/takings/items?page=0", "/owner/takings/items?page=99999999",
        "/owner/takings?hour=99", "/owner/takings?shopper=9223372036854775808",
        "/owner/sales?before=x", "/owner/sales?before=9999999999999999-Z", "/owner/takings/x",
        "/owner/takings.csv?table=x", "/owner/sales?before=-", "/owner/takings.xlsx?table=x",
        "/owner/takings?brand=%00", "/owner/takings/staff?staff=x", "/owner/takings/staff",
        "/owner/takings?staff=1&period=this_year&brand=%27",
    ],
)  # fmt: skip
def test_a_strange_address_is_no_failure(owner: FlaskClient, url: str) -> None:
    assert owner.get(url, follow_redirects=True).status_code in (200, 404, 422)


def test_the_refusal_names_the_field(owner: FlaskClient) -> None:
    answer = owner.get("/owner/takings?from=tomorrow")
    assert answer.status_code == 422
    assert "from" in answer.text
