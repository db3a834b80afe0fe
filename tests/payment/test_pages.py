"""Pages of the account: the statement adds up, and every end of a top-up is told."""

from __future__ import annotations

import re

import pytest

from store.payment.calls import BREAKER
from tests.conftest import Clock
from tests.world import Visitor, World


def _top_up(visitor: Visitor, wish: str = "approve", amount: str = "30") -> str:
    """Where the shopper is sent."""
    page = visitor.get(f"/me/top-up/ways?amount={amount}&next=/basket").text
    form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', page))
    assert form["next"] == "/basket"
    answer = visitor.post("/me/top-up", form, wish=wish, means="simulated")
    assert answer.status_code == 303, answer.text
    return answer.location


def test_a_common_amount_is_one_tap_and_leads_on_to_pay(world: World) -> None:
    lin = world.member()
    visitor = world.client_for(lin)
    page = visitor.get(_top_up(visitor, amount="50")).text
    assert "¥50.00 is in your account" in page
    assert 'href="/basket"' in page
    assert world.balance(lin) == 5000
    assert world.faults() == []


def test_a_declined_top_up_changes_nothing_and_says_so(world: World) -> None:
    lin = world.member()
    visitor = world.client_for(lin)
    assert "declined" in visitor.get(_top_up(visitor, "decline", amount="30")).text
    assert world.balance(lin) == 0


def test_a_late_answer_is_waited_for_and_then_told(world: World, clock: Clock) -> None:
    lin = world.member()
    visitor = world.client_for(lin)
    where = _top_up(visitor, "late", amount="30")
    assert 'data-state="pending"' in visitor.get(where).text
    assert "on the way" in visitor.get("/me/account").text
    clock.tick(seconds=10)
    checks = where.partition("?")[0] + "/checks"
    assert visitor.post(checks, next="/").status_code == 303
    assert 'data-state="captured"' in visitor.get(where).text
    assert world.balance(lin) == 3000


@pytest.mark.parametrize("amount", ["abc", "0", "-5", "1e3", "5000.01", "12.345", ""])
def test_an_amount_that_cannot_be_is_refused_beside_the_field(world: World, amount: str) -> None:
    lin = world.member()
    visitor = world.client_for(lin)
    visitor.get("/me/top-up")
    for answer in (
        visitor.post("/me/top-up", key="a-key-of-the-page", amount=amount, means="simulated"),
        visitor.get(f"/me/top-up/ways?amount={amount}"),
    ):
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text
    assert world.balance(lin) == 0


def test_a_statement_tells_reasons_signs_and_the_balance_after_each(world: World) -> None:
    lin, staff = world.member(funds="100"), world.staff()
    receipt = world.buy(lin, world.item(price="12.50"))
    world.refund(receipt, by=staff)
    page = world.client_for(lin).get("/me/account").text
    told = [" ".join(row.split()) for row in re.findall(r'class="amount[^>]*>([^<]+)<', page)]
    assert told[-3:] == ["+¥12.50", "−¥12.50", "+¥100.00"]
    after = re.findall(r"Balance after it:</span>\s*([^<]+?)\s*<", page)
    assert after == ["¥100.00", "¥87.50", "¥100.00"]
    assert page.count(f"/sales/{receipt.id}") == 2


def test_older_pages_go_on_with_what_the_account_held(world: World) -> None:
    """Their address carries the sum, signed: another's or a changed one shows the newest page."""
    lin, milk = world.member(funds="100"), world.item(price="1", on_hand=100)
    for _ in range(55):
        world.buy(lin, milk)
    visitor = world.client_for(lin)
    [mark] = re.findall(r"before=([^\"&]+)", first := visitor.get("/me/account").text)
    held = r"Balance after it:</span>\s*([^<]+?)\s*<"
    older = re.findall(held, visitor.get(f"/me/account?before={mark}").text)
    assert older == [f"¥{minor}.00" for minor in range(95, 101)]
    before, balance, code = mark.split(".")
    for wrong in (f"{before}.{balance}0.{code}", before, f"{before}.x.{code}", "9" * 70, "1.2.3"):
        assert re.findall(held, visitor.get(f"/me/account?before={wrong}").text) == re.findall(
            held, first
        )
    other = world.client_for(world.member(funds="5")).get(f"/me/account?before={mark}")
    assert re.findall(held, other.text) == ["¥5.00"]


def test_somebody_elses_top_up_looks_like_none(world: World) -> None:
    where = _top_up(world.client_for(world.member()), amount="20")
    assert world.client_for(world.member()).get(where).status_code == 404


def test_where_no_gateway_is_open_money_is_paid_in_at_the_till(world: World) -> None:
    world.app.config["SIMULATED_GATEWAY"] = False
    visitor = world.client_for(world.member())
    assert "Pay in at the till" in visitor.get("/me/top-up").text
    assert "pay in at the till" in visitor.get("/me/top-up/ways?amount=20").text
    sent = {"key": "a-key-of-the-page", "amount": "20", "means": "simulated"}
    assert visitor.post("/me/top-up", sent).status_code == 404
    assert "pay in at the till" in visitor.get("/me/account").text


def test_the_owner_tests_a_way_of_paying_and_sees_what_was_not_believed(world: World) -> None:
    owner = world.client_for(world.owner())
    assert "Nothing. Every notice was genuine" in owner.get("/owner/payments").text
    forged = world.app.test_client().post("/payments/notices/simulated", data=b"{}")
    assert forged.status_code == 400
    page = owner.get("/owner/payments").text
    assert "not signed by the provider" in page
    assert "known-to-the-tests-only" not in page
    for told in ("The newest", "The signature does not fit", "No notice in the last 7 days"):
        assert told in page
    for _ in range(5):
        BREAKER.note("simulated", worked=False)
    assert "left alone for half a minute" in owner.get("/owner/payments").text
    BREAKER.close()
    assert owner.post("/owner/payments/checks", gateway="simulated").status_code == 303
    assert "its keys are right" in owner.get("/owner/payments").text
    assert owner.post("/owner/payments/checks", gateway="none").status_code == 404
