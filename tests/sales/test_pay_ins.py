"""Money into a member's account at the till, and out of it: booked once, in the day of the till."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask

from store import clock as shop_clock
from store import errors, ids, payment, ticks
from store.identity import member_codes
from store.payment import InsufficientFunds
from store.sales import forms
from store.sales.till import pay_ins, till_days, till_sums
from store.sales.till.pay_ins import Paid
from tests.conftest import Clock
from tests.payment.costs.counter import held
from tests.races.crowd import at_once, inside
from tests.world import Somebody, World


def asked(world: World, lin: Somebody, sam: Somebody, minor: int, means: str = "cash") -> Paid:
    return Paid(lin.id, world.location, "CNY", minor, means, ids.new(), sam.id, 500_000)


@pytest.mark.usefixtures("context")
def test_what_comes_and_goes_stands_in_the_tills_day(world: World) -> None:
    lin, sam = world.member("Lin"), world.staff()
    day = till_days.open_day(world.location, sam.id, "CNY", 0, "", made_by=sam.id)
    first = asked(world, lin, sam, 5_000)
    assert pay_ins.pay(first) == pay_ins.pay(first)
    pay_ins.pay(asked(world, lin, sam, 1_000, "card"))
    pay_ins.pay(asked(world, lin, sam, -1_500))
    assert payment.balance_of(lin.id, "CNY") == 4_500
    assert (held("cash"), held("card")) == (3_500, 1_000)
    till = till_days.till_of(world.location, sam.id, "CNY")
    assert till is not None
    sums = till_sums.sums(till_sums.entries(till, till_days.open_day_of(till)))
    assert [(one.means, one.took_minor, one.gave_minor) for one in sums.values()] == [
        ("cash", 5_000, -1_500), ("card", 1_000, 0),
    ]  # fmt: skip
    mine = till_days.count(day, {"cash": 3_500, "card": 1_000}, made_by=sam.id)
    till_days.close_day(till_days.Closing(day, mine, 3_500), made_by=sam.id)
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_what_cannot_be_is_refused_and_changes_nothing(world: World, app: Flask) -> None:
    lin, sam = world.member("Lin", funds="10"), world.staff()
    good = asked(world, lin, sam, 5_000)
    for wrong in (
        replace(good, amount_minor=0), replace(good, amount_minor=500_001),
        replace(good, amount_minor=10**18), replace(good, means="account"),
        replace(good, amount_minor=-100, means="card"), replace(good, key=""),
    ):  # fmt: skip
        with pytest.raises(errors.Invalid):
            pay_ins.pay(wrong)
    with pytest.raises(InsufficientFunds):
        pay_ins.pay(replace(good, amount_minor=-1_001))
    app.config["CASH_ROUNDING"] = 5
    with pytest.raises(errors.Invalid):
        pay_ins.pay(replace(good, amount_minor=1_003))
    pay_ins.pay(replace(good, amount_minor=1_003, means="card"))
    with pytest.raises(payment.KeyReused):
        pay_ins.pay(replace(good, amount_minor=2_000, means="card"))
    assert payment.balance_of(lin.id, "CNY") == 2_003
    app.config["CASH_ROUNDING"] = 1
    assert world.faults() == []


def test_one_page_sent_many_times_at_once_pays_in_once(world: World, app: Flask) -> None:
    lin, sam = world.member("Lin"), world.staff()
    one = asked(world, lin, sam, 5_000)
    outcomes = at_once([inside(app, lambda: pay_ins.pay(one))] * 6)
    assert len(set(map(str, outcomes))) == 1, outcomes
    outs = [asked(world, lin, sam, -3_000) for _ in range(4)]
    taken = at_once([inside(app, lambda out=out: pay_ins.pay(out)) for out in outs])  # type: ignore[misc]
    assert sum(isinstance(one, InsufficientFunds) for one in taken) == 3, taken
    assert world.balance(lin) == 2_000
    assert world.faults() == []


def test_the_page_of_the_till(world: World, app: Flask, clock: Clock) -> None:
    lin, sam = world.member("Lin"), world.client_for(world.staff())
    page = sam.get("/desk/till/pay-ins", query_string={"who": lin.email}, follow_redirects=True)
    assert "Lin" in page.text and "nobody takes what is not theirs" in page.text
    form = {"member": lin.id, "key": ids.new(), "amount": "50", "means": "cash"}
    slip = sam.post("/desk/till/pay-ins", form)
    assert slip.status_code == 303
    assert sam.post("/desk/till/pay-ins", form).location == slip.location
    assert "¥50.00 paid in" in sam.get(slip.location).text
    assert world.balance(lin) == 5_000
    for wrong in ("", "-5", "0", "x", "1e3", "99999999"):
        answer = sam.post("/desk/till/pay-ins", form | {"key": ids.new(), "amount": wrong})
        assert answer.status_code == 422, wrong
    # Out of the account only with the code of the member's own phone.
    out = form | {"key": ids.new(), "amount": "20", "out": "1"}
    assert sam.post("/desk/till/pay-ins", out).status_code == 403
    with app.app_context():
        code = member_codes.text_for(lin.id, ticks.step_at(shop_clock.now()), forms.key())
    page = sam.get("/desk/till/pay-ins", query_string={"who": code}, follow_redirects=True)
    shown = re.search(r'name="shown" value="([^"]+)"', page.text)
    assert shown and "¥50.00" in page.text
    assert "¥20.00 paid out" in sam.get(
        sam.post("/desk/till/pay-ins", out | {"shown": shown[1]}).location
    ).text  # fmt: skip
    much = out | {"shown": shown[1], "key": ids.new(), "amount": "40"}
    assert "shown=" in sam.post("/desk/till/pay-ins", much).location
    assert world.balance(lin) == 3_000
    assert "Paid out at the till" in world.client_for(lin).get("/me/account").text
    assert world.faults() == []
