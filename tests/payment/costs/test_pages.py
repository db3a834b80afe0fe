"""The owner's pages: one look tells what each means cost and what is still to come, and every
figure opens the list behind it."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from store.errors import Invalid
from store.payment.costs import figures, holidays, terms
from store.payment.costs.terms import Agreed, Terms
from tests.conftest import Clock
from tests.payment.costs.counter import ZONE, came
from tests.world import World

HEAD = "order,type,amount,fee,reference,settlement date\n"


def test_terms_say_the_fee_and_the_day() -> None:
    one = Terms(date(2026, 1, 1), 6_000, fixed_minor=30, least_minor=50, most_minor=900, days=2,
                working_days=True, fee_back=True)  # fmt: skip
    assert [one.fee_of(amount) for amount in (1, 10_000, 250_000, -10_000, 0)] == [
        50, 90, 900, -60, 50,
    ]  # fmt: skip
    friday = date(2026, 11, 27)
    assert one.due_on(friday) == date(2026, 12, 1)
    assert Terms(friday, 0, days=2).due_on(friday) == date(2026, 11, 29)
    free = holidays.read("2026-11-30/2026-12-02,\n+2026-12-05")
    golden = Terms(friday, 0, days=2, working_days=True, holidays=free)
    assert golden.due_on(friday) == date(2026, 12, 4)
    assert golden.due_on(date(2026, 12, 3)) == date(2026, 12, 5)  # A Saturday that is worked.
    assert golden == replace(golden, holidays=holidays.NONE)
    for wrong in ("tomorrow", "2026-02-30", "2026-12-02/2026-12-01", "2026-01-01/2027-01-01",
                  "2026-10-01, +2026-10-01", "2026-10-01–07"):  # fmt: skip
        with pytest.raises(Invalid):
            holidays.read(wrong)
    later = Terms(date(2026, 6, 1), 5_000)
    agreed = Agreed([one, later])
    assert agreed.on(date(2025, 12, 31)) is None
    assert (agreed.on(date(2026, 5, 31)), agreed.on(date(2026, 6, 1))) == (one, later)


def test_one_look(world: World, app: Flask, clock: Clock) -> None:
    lin, owner = world.member(), world.owner()
    clock.set(datetime(2026, 11, 10, 4, tzinfo=UTC))
    page = world.client_for(owner)
    said = page.post("/owner/costs/terms", means="simulated", valid_from="2026-01-01", fee="0.6",
                     days="1", fixed="", least="", most="")  # fmt: skip
    assert said.status_code == 303
    with app.app_context():
        one, two = came(lin, "simulated", 10_000), came(lin, "simulated", 20_000)
        came(lin, "alipay", 3_000)
    clock.tick(days=2)
    with app.app_context():
        came(lin, "simulated", 50_000)
    found = page.get("/owner/costs?month=2026-11").text
    # 0.6 % of 800 is expected; 298.20 is late, 497.00 comes tomorrow, 30 has no day.
    for figure in ("¥4.80", "¥298.20", "¥497.00", "¥30.00", ">830<"):
        assert figure in found, figure
    late = page.get("/owner/costs/means/simulated?shown=late").text
    assert late.count("It will not come") == 2
    file = f"{HEAD}{one},payment,100.00,0.60,a,2026-11-13\n{two},payment,200.00,2.20,b,2026-11-13\n"
    upload = {"file": (io.BytesIO(f"{file}X,payment,=1+1,,,\n".encode()), "=november.csv")}
    taken = page.post("/owner/costs/files", form=upload, means="simulated")
    about = page.get(taken.location).text
    assert "Another fee than agreed" in about
    assert "Rows that could not be read" in about
    rejects = page.get(f"{taken.location}/rejects").text
    assert "'=1+1" in rejects or "X, payment, =1+1" in rejects
    found = page.get("/owner/costs?month=2026-11").text
    assert "¥1.00 more" in found
    assert "3 days" in found
    short = page.get("/owner/costs/means/simulated?shown=short").text
    assert short.count("Another fee than agreed") == 1
    csv = page.get("/owner/costs.csv?month=2026-11").text
    assert "2026-11,simulated,3,800.00,0.00,5.80,0.725,4.80,2.80,1,3,CNY" in csv
    assert "open" in page.get("/owner/costs/means/simulated/csv?shown=open").text
    with app.app_context():
        spent = figures.costs(figures.Month(date(2026, 10, 1)), "CNY", ZoneInfo(ZONE))
        assert spent == []
    assert world.faults() == []


def test_the_same_file_from_the_page_is_one_file(world: World, app: Flask) -> None:
    lin, owner = world.member(), world.owner()
    with app.app_context():
        one = came(lin, "simulated", 1_000)
    page = world.client_for(owner)
    places = {
        page.post(
            "/owner/costs/files", means="simulated",
            form={"file": (io.BytesIO(f"{HEAD}{one},payment,10,0,a,\n".encode()), "a.csv")},
        ).location
        for _ in range(2)
    }  # fmt: skip
    assert len(places) == 1
    assert world.faults() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"means": "cash"}, {"fee": "101"}, {"fee": "-1"}, {"fee": "abc"}, {"days": "401"},
        {"valid_from": "2026-13-01"}, {"valid_from": "1800-01-01"}, {"fixed": "1.234"},
        {"least": "5", "most": "4"},
    ],
)  # fmt: skip
def test_terms_that_cannot_be_are_refused(world: World, wrong: dict[str, str]) -> None:
    page = world.client_for(world.owner())
    right = {"means": "card", "valid_from": "2026-01-01", "fee": "0.38", "days": "1"}
    assert page.post("/owner/costs/terms", right | wrong).status_code == 422
    with world.app.app_context():
        assert terms.all_terms("CNY")["card"].found == []


def test_a_file_that_is_none_is_refused_in_words(world: World) -> None:
    page = world.client_for(world.owner())
    upload = {"file": (io.BytesIO(b"nothing"), "a.csv")}
    answer = page.post("/owner/costs/files", form=upload, means="card")
    assert "Nothing of this file was taken" in page.get(answer.location).text
    large = {"file": (io.BytesIO(b"amount,order\n" + b"1,2\n" * 3_000_000), "a.csv")}
    assert page.post("/owner/costs/files", form=large, means="card").status_code in (303, 413)
    assert page.post("/owner/costs/files", means="card").status_code == 422
