"""The statement of a month: it begins where the last one ended, and every movement is in one."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pypdfium2
import pytest
from sqlalchemy import func, insert, select, update

from store.db import db, transaction
from store.payment import ledger, marks, statements
from store.payment.models import AccountMark, Transfer
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


@pytest.mark.usefixtures("context")
def test_marks_along_a_busy_account_change_no_figure(
    world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a year, 20 movements a day: the same months with and without marks, while it goes on."""
    monkeypatch.setattr(marks, "EVERY", 40)
    monkeypatch.setattr(marks, "BITE", 900)
    clock.set(datetime(2027, 1, 10, tzinfo=UTC))
    lin = world.member(funds="100")
    moves(clock, lin.id, days=120)
    firsts = [datetime(2027, each, 1, tzinfo=UTC) for each in range(1, 8)]

    def months() -> list[Any]:
        found = [statements.month(lin.id, "CNY", *each) for each in zip(firsts, firsts[1:])]
        return [(month[:4], list(month.postings)) for month in found]

    monkeypatch.setattr(marks, "lay_along", lambda account_id: None)
    plain = months()
    monkeypatch.undo()
    monkeypatch.setattr(marks, "EVERY", 40)
    monkeypatch.setattr(marks, "BITE", 900)
    assert months() == plain and sum(len(rows) for _, rows in plain) == 2401
    count = select(func.count()).select_from(AccountMark)
    assert db.session.scalar(count) == 2400 // 40
    moves(clock, lin.id, days=2)
    world.fund(lin, "1")
    before, after = plain[4], months()[4]
    assert after[1][: len(before[1])] == before[1] and len(after[1]) == len(before[1]) + 41
    assert after[0][1] == world.balance(lin) and db.session.scalar(count) == 60
    assert world.faults() == []
    # What lies between two marks is added up, and no more: a wrong mark is seen, and audited.
    last = select(func.max(AccountMark.transfer_id)).scalar_subquery()
    with transaction() as session:
        wrong = update(AccountMark).where(AccountMark.transfer_id == last)
        session.execute(wrong.values(came_minor=AccountMark.came_minor + 7))
    assert months()[4][0][1] == after[0][1] + 7
    assert ["account_marks_off" in fault for fault in world.faults()] == [True]


def moves(clock: Clock, member_id: int, days: int) -> None:
    """Twenty movements a day, half of them in, written straight into the ledger."""
    with transaction() as session:
        mine = ledger.shopper_account(member_id, "CNY")
        cash, takings = (ledger.shop_account(name, "CNY") for name in ("cash", "takings"))
        begin = clock.now
        rows = [
            ledger.row_of(cash, mine, 3, "CNY", "top_up", at)
            if number % 2 == 0
            else ledger.row_of(mine, takings, 2, "CNY", "given", at)
            for day in range(1, days + 1)
            for number in range(20)
            for at in (begin + timedelta(days=day, minutes=number * 20),)
        ]
        session.connection().execute(insert(Transfer), rows)
        ledger.give(mine, days * 10)
    clock.set(rows[-1]["at"] + timedelta(days=1))
