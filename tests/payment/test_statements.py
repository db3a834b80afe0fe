"""The statement of a month: it begins where the last one ended, and every movement is in one."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pypdfium2

from tests.conftest import Clock
from tests.world import World


def rows(text: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_months_follow_on_each_other_on_the_page_in_csv_and_on_paper(
    world: World, clock: Clock
) -> None:
    clock.set(datetime(2027, 2, 10, tzinfo=UTC))
    milk = world.item(price="12.50", on_hand=100)
    lin = world.member(funds="100")
    world.buy(lin, milk)
    # Already March in Shanghai.
    clock.set(datetime(2027, 2, 28, 16, 0, 0, tzinfo=UTC))
    sale = world.buy(lin, (milk, 2))
    clock.set(datetime(2027, 3, 15, tzinfo=UTC))
    world.refund(sale, world.staff())
    clock.set(datetime(2027, 4, 2, tzinfo=UTC))
    world.buy(lin, milk)
    browser = world.client_for(lin)
    seen = {}
    for month in ("2027-01", "2027-02", "2027-03", "2027-04", "2027-05"):
        found = rows(browser.get(f"/me/account/{month}.csv").text)
        assert (found[0]["kind"], found[-1]["kind"]) == ("opening", "closing")
        seen[month] = [(row["amount"], row["balance"]) for row in found]
        assert all(each["currency"] == "CNY" for each in found)
    assert seen["2027-01"] == [("", "0.00"), ("", "0.00")]
    assert seen["2027-02"] == [("", "0.00"), ("100.00", "100.00"), ("-12.50", "87.50"),
                               ("", "87.50")]  # fmt: skip
    assert seen["2027-03"] == [("", "87.50"), ("-25.00", "62.50"), ("25.00", "87.50"),
                               ("", "87.50")]  # fmt: skip
    assert seen["2027-04"] == [("", "87.50"), ("-12.50", "75.00"), ("", "75.00")]
    assert seen["2027-05"] == [("", "75.00"), ("", "75.00")]
    page = browser.get("/me/account/2027-03").text
    for said in ("¥87.50", "+¥25.00", "−¥25.00", "¥62.50", "/me/account/2027-02", "2027-04"):
        assert said in page, said
    paper = pypdfium2.PdfDocument(browser.get("/me/account/2027-03.pdf").data)
    text = paper[0].get_textpage().get_text_range()
    for said in ("March 2027", lin.name, "At the beginning", "¥62.50", "¥87.50", sale.id[-6:]):
        assert said in text, said
    assert "/me/account/2027-04" in browser.get("/me/account").text


def test_what_is_no_month_and_whose_account_is_empty(world: World) -> None:
    browser = world.client_for(world.member())
    for wrong in ("2027-13", "2027-00", "1999-01", "2027-1", "now", "2027-01.xlsx", "２０２７-01"):
        assert browser.get(f"/me/account/{wrong}").status_code == 404, wrong
    assert "Nothing moved" in browser.get("/me/account/2027-01").text
    assert browser.get("/me/account/2027-01.pdf").mimetype == "application/pdf"
    assert world.visitor().get("/me/account/2027-01").status_code == 303
