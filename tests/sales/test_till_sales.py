"""Sales at a till: by cash, by card or from the member's account, with a member or with nobody."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from store import ids, outbox, payment, sales
from store.db import db, transaction
from store.errors import Invalid
from store.payment.ledger import shop_account
from store.payment.models import Account, Transfer
from store.reports import oracle
from store.reports.figures import breakdown
from store.reports.filters import read
from tests.world import Somebody, Thing, World

pytestmark = pytest.mark.usefixtures("context")


def sell(
    world: World, seller: Somebody, thing: Thing, quantity: int = 1, *, means: str = "cash",
    member: Somebody | None = None, key: str = "",
) -> sales.Receipt:  # fmt: skip
    bought = sales.buy(
        sales.Buy(
            member.id if member else None, world.location, world.currency,
            (sales.Line(thing.id, quantity),), key or ids.new(), "till", seller.id, means=means,
        )
    )  # fmt: skip
    receipt = sales.receipt(bought.sale_id)
    assert receipt is not None
    return receipt


def book(name: str) -> int:
    """What an account of the shop has given and got."""
    account = db.session.scalar(select(Account.id).where(Account.code == f"{name}:CNY"))

    def side(column: Any) -> int:
        query = select(func.coalesce(func.sum(Transfer.amount_minor), 0)).where(column == account)
        return int(db.session.scalar(query) or 0)

    return side(Transfer.credit_id) - side(Transfer.debit_id)


@pytest.mark.parametrize("means", ["cash", "card"])
@pytest.mark.parametrize("known", [True, False])
def test_what_a_till_takes_goes_to_the_takings(world: World, means: str, known: bool) -> None:
    sam, milk = world.staff(), world.item(price="12.50", on_hand=3)
    lin = world.member(funds="5") if known else None
    cash_before = book(means)
    sale = sell(world, sam, milk, 2, means=means, member=lin)
    assert (sale.means, sale.channel, sale.sold_by) == (means, "till", sam.id)
    assert sale.member_id == (lin.id if lin else None)
    assert (world.left(milk), book("takings")) == (1, 2500)
    assert book(means) == cash_before - 2500
    assert lin is None or world.balance(lin) == 500
    assert world.faults() == []

    world.refund(sale, sam, "sour")  # The same way back.
    assert (world.left(milk), book("takings"), book(means)) == (3, 0, cash_before)
    assert lin is None or world.balance(lin) == 500
    assert world.faults() == []


def test_the_account_pays_at_a_till_too(world: World) -> None:
    sam, lin = world.staff(), world.member(funds="20")
    milk = world.item(price="12.50", on_hand=3)
    sale = sell(world, sam, milk, means="account", member=lin)
    assert (sale.sold_by, world.balance(lin)) == (sam.id, 750)
    with pytest.raises(payment.InsufficientFunds):
        sell(world, sam, milk, means="account", member=lin)
    assert sell(world, sam, milk, means="cash", member=lin).total_minor == 1250
    assert (world.balance(lin), world.left(milk)) == (750, 1)
    assert world.faults() == []


def test_nobody_has_no_account_and_somebody_sells(world: World) -> None:
    sam, milk = world.staff(), world.item()
    with pytest.raises(Invalid):
        sell(world, sam, milk, means="account")
    with pytest.raises(Invalid):
        sales.buy(sales.Buy(None, world.location, "CNY", (sales.Line(milk.id, 1),), ids.new(),
                            "till", None, means="cash"))  # fmt: skip
    for wrong in ("member_id = NULL, means = 'account'", "member_id = NULL, sold_by = NULL",
                  "means = 'shells'"):  # fmt: skip
        sale = sell(world, sam, milk, member=world.member())
        with pytest.raises(IntegrityError), transaction() as session:
            session.execute(text(f"UPDATE sales SET {wrong} WHERE id = '{sale.id}'"))
    assert world.faults() == []


def test_a_tills_key_is_one_sale(world: World) -> None:
    sam, ann = world.staff(), world.staff()
    milk, bread = world.item(on_hand=9), world.item("bread")
    first = sell(world, sam, milk, 2, key="basket-1")
    assert sell(world, sam, milk, 2, key="basket-1").id == first.id
    for other in ({"means": "card"}, {"quantity": 1}):
        with pytest.raises(payment.KeyReused):
            sell(world, sam, milk, **({"quantity": 2, "key": "basket-1"} | other))  # type: ignore[arg-type]
    with pytest.raises(payment.KeyReused):
        sell(world, sam, bread, 2, key="basket-1")
    lin = world.member(funds="100")
    with pytest.raises(payment.KeyReused):  # What was paid in cash is not paid again by Lin.
        sell(world, sam, milk, 2, key="basket-1", member=lin, means="account")
    # Another till, and Lin's own phone, have keys of their own.
    assert sell(world, ann, milk, 2, key="basket-1").id != first.id
    assert world.buy(lin, (milk, 2), key="basket-1").id != first.id
    assert world.left(milk) == 3
    assert world.faults() == []


def test_the_table_keeps_a_tills_keys_apart_by_itself(world: World) -> None:
    sam, milk = world.staff(), world.item()
    sell(world, sam, milk, key="one")
    other = sell(world, sam, milk, key="two")
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(text(f"UPDATE sales SET key = 'one' WHERE id = '{other.id}'"))


def test_the_audit_sees_money_of_another_account(world: World) -> None:
    sam, milk = world.staff(), world.item()
    sale = sell(world, sam, milk)
    assert world.faults() == []
    with transaction() as session:
        card = shop_account("card", "CNY")
        session.execute(text(f"UPDATE transfers SET debit_id = {card} WHERE sale_id = '{sale.id}'"))
    found = {finding.name: finding.count for finding in oracle.audit()}
    assert found["charges_of_others"] == 1


def test_sales_in_nobodys_name_are_in_the_takings(world: World) -> None:
    sam, milk = world.staff(), world.item(price="10", on_hand=9)
    lin = world.member(funds="100")
    sell(world, sam, milk, 2)
    back = sell(world, sam, milk, means="card")
    world.buy(lin, milk)
    world.refund(back, sam)
    for _ in range(2):  # From the sale lines, and then from the sums.
        filters = read({"period": "today"})
        lines = breakdown(filters, "shoppers", None).lines or []
        assert {line.code: line.figures.total_minor for line in lines} \
            == {"0": 2000, str(lin.id): 1000}  # fmt: skip
        nobody = breakdown(read({"period": "today", "shopper": "0"}), "channels", None).lines or []
        assert [(line.code, line.figures.total_minor) for line in nobody] == [("till", 2000)]
        outbox.work()
    assert world.faults() == []


def test_takings_by_means_are_what_the_ledger_says(world: World) -> None:
    """Each way of paying, some of it given back, before and after the outbox is worked off."""
    sam, milk, lin = world.staff(), world.item(price="12.50", on_hand=20), world.member(funds="90")
    before = {means: book(means) for means in ("cash", "card")}
    for many, means in ((1, "cash"), (3, "cash"), (2, "card"), (2, "account")):
        sale = sell(world, sam, milk, many, means=means, member=lin)
        if many > 1:
            sales.refund(sale.id, made_by=sam.id, parts=[sales.Part(1, 1)])
    paid = {means: before[means] - book(means) for means in before}
    paid["account"] = 9_000 - world.balance(lin)
    for _ in range(2):
        found = breakdown(read({"period": "today"}), "means", None).lines or []
        assert {line.code: line.figures.total_minor for line in found} == paid
        [cash] = breakdown(read({"period": "today", "means": "cash"}), "channels", None).lines or []
        assert (cash.figures.sales, cash.figures.refunds, cash.figures.quantity) == (2, 1, 3)
        outbox.work()
    assert sum(paid.values()) == book("takings") == 5 * 1250
