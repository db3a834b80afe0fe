"""Guarantees by rules of the day of the sale: on the page of an item, the receipt and its paper,
and in the history of all purchases."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from flask import Flask

from store import catalogue
from store.catalogue.return_rules import Rule, set_return_rule
from store.db import transaction
from store.errors import Invalid
from store.sales.returns import warranties
from tests.conftest import Clock
from tests.races.crowd import token_of
from tests.sales.test_receipts_to_keep import deliver, pages, prove
from tests.sales.test_till_pages import pay, scan
from tests.world import Somebody, World


def test_a_guarantee_from_its_rule_to_the_history(clock: Clock, world: World, app: Flask) -> None:
    lin = world.member(funds="500")
    lamp, milk = world.item("umbrella", price="60", on_hand=9), world.item("oat-milk", on_hand=9)
    owner, phone = world.client_for(world.owner()), world.client_for(lin)
    before = world.buy(lin, lamp)
    clock.tick(minutes=1)
    rule = {"code": lamp.code, "days": "30", "opened": "1", "warranty": "24"}
    assert owner.post("/desk/return-rules", rule).status_code == 303
    assert owner.post("/desk/return-rules", rule | {"warranty": "601"}).status_code == 422
    assert owner.post("/desk/return-rules", rule | {"warranty": "x"}).status_code == 422
    assert "24 months of guarantee" in owner.get("/desk/return-rules").text
    assert "Guarantee: 24 months." in phone.get(lamp.path).text
    assert "Guarantee" not in phone.get(milk.path).text

    sale = world.buy(lin, lamp, milk)
    with app.app_context():
        sold = sale.created_at
        until = catalogue.warranty_until(sold, 24)
        # What was sold before the rule keeps the rule of its day.
        assert warranties.until([before.id, sale.id]) == {sale.id: until}
    assert until is not None and until.year == sold.year + 2
    page = phone.get(f"/sales/{sale.id}").text
    assert f"Guarantee until {until.day} {until:%B} {until.year}: Folding umbrella" in page
    history = phone.get("/me/sales").text
    assert history.count("Guarantee until") == 1
    assert phone.get(f"/sales/{sale.id}/receipt.pdf").status_code == 200

    # The paper of a till says it as well.
    till = world.client_for(world.staff())
    assert "Guarantee until" in pay(till, scan(till, lamp.code), "cash")
    assert "Guarantee until" not in pay(till, scan(till, milk.code), "cash")

    clock.tick(minutes=1)
    # Less than it was does not change what was sold; what is given back has none.
    assert owner.post("/desk/return-rules", rule | {"warranty": "0"}).status_code == 303
    assert phone.get("/me/sales").text.count("Guarantee until") == 1
    world.refund(sale, world.staff())
    assert "Guarantee until" not in phone.get("/me/sales").text
    assert "Guarantee until" not in phone.get(f"/sales/{sale.id}").text
    assert world.faults() == []


@pytest.mark.parametrize(
    ("sold", "months", "until"),
    [
        ((2026, 1, 31), 1, date(2026, 2, 28)), ((2027, 12, 5), 2, date(2028, 2, 5)),
        ((2028, 2, 29), 12, date(2029, 2, 28)), ((2026, 11, 26), 24, date(2028, 11, 26)),
    ],
)  # fmt: skip
def test_months_are_those_of_the_calendar(
    world: World, app: Flask, sold: tuple[int, int, int], months: int, until: date
) -> None:
    with app.app_context():
        at = datetime(*sold, 2, tzinfo=UTC)  # Ten in the morning in Shanghai.
        assert catalogue.warranty_until(at, months) == until
        assert catalogue.warranty_until(at, 0) is None


def test_a_rule_is_one_number_and_comes_back(world: World, app: Flask) -> None:
    with app.app_context():
        for rule in (Rule(0, False), Rule(3_650, True, 600), Rule(14, False, 24), Rule(0, True, 1)):
            assert catalogue.rule_of(rule.number) == rule
        app.config["WARRANTY_MONTHS"] = 12
        assert catalogue.rule_of(None) == Rule(14, True, 12)
        milk = world.item()
    with app.app_context(), transaction(), pytest.raises(Invalid):
        set_return_rule(14, True, item_id=milk.id, warranty_months=-1)


class Papers:
    """The words of a sale wherever its shopper keeps them, in one language."""

    def __init__(self, world: World, lin: Somebody, sale_id: str, language: str) -> None:
        phone = world.client_for(lin)
        phone.post("/me/language", language=language)
        before = {letter.text for letter in deliver(world)}
        self.page = phone.get(f"/sales/{sale_id}").text
        (self.paper,) = pages(phone.get(f"/sales/{sale_id}/receipt.pdf").data)
        self.paper = " ".join(self.paper.split())
        phone.post(f"/sales/{sale_id}/mails", key=f"mail-{language}-{sale_id}")
        (self.mail,) = {letter.text for letter in deliver(world)} - before


def test_page_paper_mail_and_program_say_the_same_of_a_guarantee(
    world: World, app: Flask, clock: Clock
) -> None:
    app.config.update(PRACTICE_POST=True, BASE_URL="https://shop.example", WARRANTY_MONTHS=0)
    lin = world.member(funds="900")
    prove(world, lin)
    lamp, milk = world.item("umbrella", price="60", on_hand=9), world.item("oat-milk", on_hand=9)
    bottle = world.item("juice", price="9", on_hand=9)
    with app.app_context(), transaction():
        deposit = catalogue.add_deposit({"en": "Bottle", "zh": "瓶子"}, 25, world.currency)
        catalogue.edit_item(bottle.id, deposit_id=deposit.item_id)
        set_return_rule(14, True, item_id=lamp.id, warranty_months=24)
    clock.tick(minutes=1)
    sale = world.buy(lin, lamp, milk)
    with app.app_context():
        until = catalogue.warranty_until(sale.created_at, 24)
    assert until is not None
    for language, said in (
        ("en", f"Guarantee until {until.day} {until:%B} {until.year}: Folding umbrella"),
        ("zh", f"保修至 {until.year}年{until.month}月{until.day}日：折叠伞"),
    ):
        papers = Papers(world, lin, sale.id, language)
        assert said in papers.page
        assert said.replace(" ", "") in papers.paper.replace(" ", ""), papers.paper
        assert said in papers.mail
    head = {"Authorization": f"Bearer {token_of(world, lin)}"}

    def told(sale_id: str) -> dict[str, str | None]:
        """What a program is told of each line, the same alone and in the list."""
        one = app.test_client().get(f"/api/v1/sales/{sale_id}", headers=head).get_json()
        every = app.test_client().get("/api/v1/sales", headers=head).get_json()["sales"]
        assert one in every
        return {f"{line['kind']} {line['item']}": line["guaranteed_until"] for line in one["lines"]}

    assert told(sale.id) == {f"goods {lamp.code}": until.isoformat(), f"goods {milk.code}": None}

    # With a guarantee of the shop's on everything: goods have it, deposits and delivery do not.
    app.config["WARRANTY_MONTHS"] = 6
    world.zone((90_000, "6"))
    sale = world.order(lin, bottle)
    kinds = {line.kind for line in sale.lines}
    assert kinds == {"goods", "deposit", "shipping"}
    said_of = told(sale.id)
    assert [name.split()[0] for name, day in said_of.items() if day] == ["goods"]
    papers = Papers(world, lin, sale.id, "en")
    for words in (papers.page, papers.paper, papers.mail):
        (said,) = re.findall(r"Guarantee until [^:]+: ?([^.<]*)", words)
        assert "Cloudy apple juice" in said and "Bottle" not in said and "Deliver" not in said
    assert world.faults() == []
