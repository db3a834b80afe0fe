"""The buy: what it does, what it refuses, and that a refusal changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from flask import Flask
from sqlalchemy import text

from store import catalogue, identity, ids, payment, sales, stock
from store.db import db, transaction
from store.reports import oracle
from store.sales import Buy, Line, Wishes


@dataclass
class Shop:
    member: int
    other: int
    location: int
    milk: int
    bread: int

    def buy(self, *lines: Line, key: str = "", **more: object) -> Buy:
        return Buy(
            self.member, self.location, "CNY", lines or (Line(self.milk, 1),), key or ids.new(),
            **more,  # type: ignore[arg-type]
        )  # fmt: skip

    def state(self) -> tuple[int, int, int, int]:
        """Balance, milk, bread, and the number of rows that a buy writes."""
        tables = ("sales", "sale_lines", "transfers", "movements", "outbox")
        rows = sum(
            db.session.scalar(text(f"SELECT COUNT(*) FROM {table}")) or 0 for table in tables
        )
        state = (
            payment.balance_of(self.member, "CNY"), stock.on_hand(self.milk, self.location),
            stock.on_hand(self.bread, self.location), rows,
        )  # fmt: skip
        db.session.rollback()
        return state


@pytest.fixture
def shop(app: Flask, context: None) -> Shop:
    with transaction():
        place = stock.add_location("MAIN", "Harbour Road")
        member = identity.add_member("lin@example.com", "a-long-password-1")
        other = identity.add_member("mei@example.com", "a-long-password-2")
        milk = catalogue.add_item(names={"en": "Oat milk", "zh": "燕麦奶"}, tax_rate_bp=1300)
        bread = catalogue.add_item(names={"en": "Bread"}, tax_rate_bp=900)
        catalogue.set_price(milk.id, 1250, "CNY")
        catalogue.set_price(bread.id, 800, "CNY")
        stock.receive(milk.id, place.id, 10)
        stock.receive(bread.id, place.id, 2)
        payment.deposit(member.id, 10_000, "CNY", "cash")
        return Shop(member.id, other.id, place.id, milk.id, bread.id)


def clean() -> bool:
    return [finding for finding in oracle.audit() if finding.count] == []


def test_money_moves_goods_move_and_the_sale_is_in_their_name(shop: Shop) -> None:
    bought = sales.buy(shop.buy(Line(shop.milk, 2), Line(shop.bread, 1)))
    receipt = sales.receipt(bought.sale_id, shop.member)
    assert receipt is not None
    assert [(line.names["en"], line.quantity, line.total_minor) for line in receipt.lines] == [
        ("Oat milk", 2, 2500), ("Bread", 1, 800),
    ]  # fmt: skip
    assert receipt.total_minor == 3300
    assert receipt.tax_minor == 288 + 66
    assert shop.state()[:3] == (6700, 8, 1)
    assert clean()


def test_a_receipt_is_shown_to_nobody_else(shop: Shop) -> None:
    bought = sales.buy(shop.buy())
    assert sales.receipt(bought.sale_id, shop.other) is None


def test_the_same_key_is_the_same_sale(shop: Shop) -> None:
    asked = shop.buy(Line(shop.milk, 2))
    first = sales.buy(asked)
    before = shop.state()
    again = sales.buy(asked)
    assert (again.sale_id, again.repeated) == (first.sale_id, True)
    assert shop.state() == before


def test_the_same_key_for_other_goods_is_refused(shop: Shop) -> None:
    asked = shop.buy(Line(shop.milk, 2))
    sales.buy(asked)
    before = shop.state()
    for other in (
        replace(asked, lines=(Line(shop.milk, 3),)),
        replace(asked, lines=(Line(shop.bread, 2),)),
        replace(asked, lines=(*asked.lines, Line(shop.bread, 1))),
    ):
        with pytest.raises(payment.KeyReused):
            sales.buy(other)
    assert shop.state() == before


def test_two_members_may_use_the_same_key(shop: Shop) -> None:
    with transaction():
        payment.deposit(shop.other, 5000, "CNY", "cash")
    first = sales.buy(shop.buy(key="one-key-for-two"))
    second = sales.buy(replace(shop.buy(key="one-key-for-two"), member_id=shop.other))
    assert first.sale_id != second.sale_id
    assert clean()


def test_more_than_is_there_is_refused_and_changes_nothing(shop: Shop) -> None:
    before = shop.state()
    with pytest.raises(stock.OutOfStock) as refused:
        sales.buy(shop.buy(Line(shop.milk, 1), Line(shop.bread, 3)))
    assert (refused.value.data["left"], refused.value.data["asked"]) == (2, 3)
    assert shop.state() == before


def test_two_lines_of_one_item_are_counted_together(shop: Shop) -> None:
    before = shop.state()
    with pytest.raises(stock.OutOfStock):
        sales.buy(shop.buy(Line(shop.bread, 1), Line(shop.bread, 2)))
    assert shop.state() == before
    sales.buy(shop.buy(Line(shop.bread, 1), Line(shop.bread, 1)))
    assert shop.state()[2] == 0
    assert clean()


def test_less_on_the_account_than_it_costs_is_refused_and_changes_nothing(shop: Shop) -> None:
    before = shop.state()
    with pytest.raises(payment.InsufficientFunds) as refused:
        sales.buy(shop.buy(Line(shop.milk, 9)))
    assert refused.value.data["needed_minor"] == 11_250
    assert refused.value.data["balance_minor"] == 10_000
    assert shop.state() == before


def test_a_member_without_an_account_is_told_to_top_up(shop: Shop) -> None:
    with pytest.raises(payment.InsufficientFunds):
        sales.buy(replace(shop.buy(), member_id=shop.other))


def test_a_price_drop_is_passed_on(shop: Shop) -> None:
    with transaction():
        catalogue.set_price(shop.milk, 1000, "CNY")
    bought = sales.buy(shop.buy(Line(shop.milk, 1, seen_minor=1250)))
    receipt = sales.receipt(bought.sale_id)
    assert receipt is not None and receipt.total_minor == 1000


def test_a_price_rise_asks_and_changes_nothing(shop: Shop) -> None:
    with transaction():
        catalogue.set_price(shop.milk, 1400, "CNY")
    before = shop.state()
    asked = shop.buy(Line(shop.milk, 1, seen_minor=1250))
    with pytest.raises(sales.PriceRose) as refused:
        sales.buy(asked)
    assert refused.value.data["rises"][0]["price_minor"] == 1400
    assert shop.state() == before
    # The same key may be used for the answer: nothing stands under it yet.
    sales.buy(replace(asked, lines=(Line(shop.milk, 1, seen_minor=1400),)))
    assert clean()


def test_what_has_no_price_or_is_archived_is_not_for_sale(shop: Shop) -> None:
    with transaction():
        gift = catalogue.add_item(names={"en": "Gift"}, tax_rate_bp=0)
        stock.receive(gift.id, shop.location, 5)
        catalogue.archive_item(shop.bread)
    for item in (gift.id, shop.bread, 999_999):
        with pytest.raises(catalogue.ItemNotForSale):
            sales.buy(shop.buy(Line(item, 1)))


def test_the_same_again_within_a_minute_is_asked(shop: Shop) -> None:
    asked = Wishes(ask_again_within_s=60)
    first = sales.buy(shop.buy(wishes=asked))
    before = shop.state()
    with pytest.raises(sales.BoughtJustNow) as refused:
        sales.buy(shop.buy(wishes=asked))
    assert refused.value.data["sale"] == first.sale_id
    assert shop.state() == before
    sales.buy(shop.buy())  # The shopper said yes.
    assert clean()


def test_the_same_key_again_is_never_asked(shop: Shop) -> None:
    asked = shop.buy(wishes=Wishes(ask_again_within_s=60))
    assert sales.buy(asked).sale_id == sales.buy(asked).sale_id


def test_above_the_owners_limit_one_tap_is_not_enough(shop: Shop) -> None:
    before = shop.state()
    with pytest.raises(sales.ConfirmFirst):
        sales.buy(shop.buy(Line(shop.milk, 4), wishes=Wishes(confirm_over_minor=4999)))
    assert shop.state() == before
    sales.buy(shop.buy(Line(shop.milk, 4), wishes=Wishes(confirm_over_minor=5000)))


@pytest.mark.parametrize("quantity", [0, -1, 10_000, 2**63])
def test_a_quantity_that_is_none_is_refused(shop: Shop, quantity: int) -> None:
    before = shop.state()
    with pytest.raises(Exception) as refused:
        sales.buy(shop.buy(Line(shop.milk, quantity)))
    assert getattr(refused.value, "code", None) == "invalid"
    assert shop.state() == before


def test_a_refund_gives_back_money_and_goods_once(shop: Shop) -> None:
    untouched = shop.state()
    bought = sales.buy(shop.buy(Line(shop.milk, 2), Line(shop.bread, 1)))
    sales.refund(bought.sale_id, made_by=shop.other, reason="sour")
    assert shop.state()[:3] == untouched[:3]
    before = shop.state()
    with pytest.raises(sales.NotRefundable):
        sales.refund(bought.sale_id, made_by=shop.other)
    assert shop.state() == before
    assert clean()


def test_a_returned_item_is_for_sale_again(shop: Shop) -> None:
    bought = sales.buy(shop.buy(Line(shop.bread, 2)))
    with pytest.raises(stock.OutOfStock):
        sales.buy(shop.buy(Line(shop.bread, 1)))
    sales.refund(bought.sale_id, made_by=shop.other)
    sales.buy(shop.buy(Line(shop.bread, 1)))
    assert clean()


def test_the_audit_sees_every_kind_of_tampering(shop: Shop) -> None:
    """The negative control of every `clean()`: each of these must be found."""
    sales.buy(shop.buy(Line(shop.milk, 2)))
    for statement, rule in (
        ("UPDATE accounts SET balance_minor = 1 WHERE member_id IS NOT NULL", "balances_off"),
        ("UPDATE levels SET on_hand = on_hand + 1", "levels_off"),
        ("DELETE FROM transfers WHERE reason = 'charge'", "sales_without_charge"),
        ("UPDATE sales SET total_minor = total_minor + 1", "sales_not_their_lines"),
        ("UPDATE movements SET quantity = -1 WHERE reason = 'sold'", "sales_not_their_movements"),
        ("UPDATE transfers SET sale_id = 'NONE' WHERE reason = 'charge'", "charges_without_sale"),
        ("UPDATE outbox SET subject = 'NONE'", "outbox_without_cause"),
        ("UPDATE outbox SET next_at = NULL", "outbox_dead"),
    ):
        assert clean()
        found = _after_tampering(statement)
        assert rule in found, (statement, found)


def _after_tampering(statement: str) -> set[str]:
    """Which rules the audit finds broken after a statement that is then undone."""
    connection = db.session.connection(execution_options={"writes": True})
    connection.execute(text(statement))
    found = set()
    for name, _, query in oracle.RULES:
        if connection.execute(text(query)).scalar_one():
            found.add(name)
    db.session.rollback()
    return found
