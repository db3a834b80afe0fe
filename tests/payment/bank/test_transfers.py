"""Web orders that are paid by bank transfer: awaited under a reference, found in the statement."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from sqlalchemy import select, text

from store import ids
from store.db import db, transaction
from store.payment import asking, attempts, paybacks
from store.payment.bank.models import BankEntry
from store.payment.gateways import Declined, Order, Pending
from store.payment.gateways.bank import Bank, order_id_of, reference_of, references_in
from store.payment.gateways.offered import offered, set_up
from store.payment.models import Payback
from store.reports import oracle
from store.sales.orders import fulfilment
from tests.conftest import Clock
from tests.payment.bank.statements import ACCOUNT, Came, camt, mt940, table
from tests.payment.costs.counter import held
from tests.sales.test_order_payments import free
from tests.world import Thing, Visitor, World


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    more = {"BANK_ACCOUNT": ACCOUNT, "BANK_HOLDER": "One Shelf Ltd", "BANK_NAME": "Test Bank",
            "BANK_BIC": "BELADEBEXXX", "BANK_FROM": "10"}  # fmt: skip
    return settings | more


class Shop:
    """A shopper who orders, and an owner with the bank's statement."""

    def __init__(self, world: World) -> None:
        self.world, self.lin = world, world.member()
        self.shopper: Visitor = world.client_for(self.lin)
        self.owner: Visitor = world.client_for(world.owner())

    def orders(self, item: Thing, quantity: int = 1) -> str:
        """The payment's number."""
        answer = self.tries(item, quantity)
        assert "/pay/" in str(answer.location), answer.text
        return str(answer.location).partition("?")[0].rpartition("/")[2]

    def tries(self, item: Thing, quantity: int = 1) -> Any:
        page = self.shopper.get(f"/order?code={item.code}&quantity={quantity}&pay=bank").text
        form = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page))
        return self.shopper.post("/orders", form | {"pay": "bank"})

    def sends(self, body: bytes, name: str = "statement.xml", columns: str = "") -> str:
        """What the owner reads after a statement."""
        form = {"file": (io.BytesIO(body), name), "columns": columns}
        answer = self.owner.post("/owner/bank/files", form, content_type="multipart/form-data")
        assert answer.status_code == 303, answer.text
        return self.owner.get("/owner/bank").text

    def does(self, path: str, **form: str) -> int:
        return int(self.owner.post(f"/owner/bank/{path}", form).status_code)

    def entries(self) -> list[tuple[int, str, str]]:
        """Amount, state and problem of what came in."""
        columns = (BankEntry.amount_minor, BankEntry.state, BankEntry.problem)
        with self.world.app.app_context():
            rows = db.session.execute(select(*columns).order_by(BankEntry.id))
            return [(row[0], row[1], row[2]) for row in rows]

    def state(self, number: str) -> str:
        with self.world.app.app_context():
            return attempts.find(number).state

    def held(self, name: str) -> int:
        with self.world.app.app_context():
            return held(name)


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)


def test_a_reference_is_found_in_what_people_write() -> None:
    number = ids.new()
    reference = reference_of(number)
    assert re.fullmatch(rf"RF\d\d{number}", reference)
    spaced = " ".join(reference[at : at + 4] for at in range(0, 24, 4)).lower()
    for said in (reference, spaced, f"Order {spaced}, thanks", f"INV12{reference}77",
                 f"{reference[:11]}\n{reference[11:]}", f"RF18 {reference} RF00"):  # fmt: skip
        assert references_in(said) == [reference], said
        assert order_id_of(said) == number
    wrong = reference[:-1] + ("0" if reference[-1] != "0" else "1")
    assert references_in(wrong) == [] and references_in("RF18539007547034") == []
    both = f"{reference} {reference_of(ids.new())}"
    assert len(references_in(both)) == 2 and order_id_of(both) is None


def test_a_bank_is_a_gateway_that_waits() -> None:
    """What the other gateways' contract says, as far as there is anybody to ask."""
    ours = Bank("One Shelf Ltd", ACCOUNT, "Test Bank", "BELADEBEXXX", "EUR")
    order = Order(ids.new(), 1250, "EUR")
    said = Pending(reference_of(order.id))
    assert ours.start(order) == ours.start(order) == ours.status(order) == said
    waits = Order(order.id, 1250, "EUR", reference=said.reference)
    assert isinstance(ours.close(waits), Pending)
    assert isinstance(ours.refund(waits, ids.new(), 100), Pending)
    assert ours.check("") is None
    for account, bic in (("DE02100500000054540403", ""), ("12345", ""), (ACCOUNT, "NONE")):
        assert ours.__class__("x", account, "", bic, "EUR").check("") == Declined("bank_account")
    assert Bank("x", "6222 0202 0001 2345", currency="CNY").check("") is None
    # EPC069-12: the lines that a banking app reads.
    assert ours.scanned(waits).split("\n") == [
        "BCD", "002", "1", "SCT", "BELADEBEXXX", "One Shelf Ltd", ACCOUNT, "EUR12.50", "",
        said.reference,
    ]  # fmt: skip
    assert ours.scanned(Order(order.id, 1250, "CNY", reference=said.reference)) == ""


def test_who_is_offered_a_transfer(settings: dict[str, Any], world: World) -> None:
    known = {**world.app.config}

    def names(minor: int, currency: str = "CNY", channel: str = "web", agent: str = "") -> bool:
        found = offered(known, amount_minor=minor, currency=currency, channel=channel, agent=agent)
        return "bank" in [one.name for one in found]

    assert names(1000) and names(1000, agent="MicroMessenger")
    assert not names(999) and not names(1000, "EUR") and not names(1000, channel="shelf")
    assert "bank" in set_up(known) and "bank" not in set_up({**known, "BANK_ACCOUNT": ""})


def test_an_order_is_paid_by_a_transfer(world: World, shop: Shop) -> None:
    milk = world.item(price="12.50", on_hand=3)
    number = shop.orders(milk, 2)
    page = shop.shopper.get(f"/pay/{number}").text
    reference = reference_of(number)
    shown = " ".join(reference[at : at + 4] for at in range(0, 24, 4))
    for said in ("One Shelf Ltd", "DE02 1005 0000 0054 5404 02", "BELADEBEXXX", shown, "25.00"):
        assert said in page, said
    # Kept for days, and nobody's question ends it.
    assert (free(world, milk), world.left(milk)) == (1, 3)
    assert shop.shopper.post(f"/pay/{number}/checks").status_code == 303
    assert shop.state(number) == "pending"
    assert reference in shop.owner.get("/owner/bank").text.replace(" ", "")
    lower = f"Thank you {shown.lower()} Lin"
    body = camt(Came(2500, lower, own="B1"), Came(-900, "rent"), Came(700, status="PDNG"))
    assert "1 new transfer; 1 order is paid." in shop.sends(body)
    answer = shop.shopper.get(f"/pay/{number}")
    assert answer.status_code == 303 and "/sales/" in answer.location
    sale_id = answer.location.rpartition("/")[2]
    assert "Bank transfer" in shop.shopper.get(answer.location).text
    # Again, and as another file of another version: nothing more.
    assert "0 new transfers" in shop.sends(body)
    again = camt(Came(2500, lower, own="B1"), Came(300, "a gift"), version=8)
    assert "1 new transfer; 0 orders" in shop.sends(again)
    assert shop.entries() == [(2500, "settled", ""), (300, "open", "unknown")]
    assert (shop.held("bank"), shop.held("gateway:bank"), shop.held("takings")) == (
        2800, -300, -2500,
    )  # fmt: skip
    # A part goes back: it is sent at the bank, then booked as sent, once.
    with world.app.app_context():
        fulfilment.cancel(sale_id, made_by=world.staff().id)
        payback = db.session.scalars(select(Payback)).one().id
        assert paybacks.work(set_up(world.app.config)) == 0
    page = shop.owner.get("/owner/bank").text
    assert f"refunds/{payback}/sendings" in page and "DE75512108001245126199" in page
    assert shop.does(f"refunds/{payback}/sendings", to="DE75512108001245126190") == 422
    assert shop.does(f"refunds/{payback}/sendings", to="DE75 5121 0800 1245 1261 99") == 303
    assert shop.does(f"refunds/{payback}/sendings", to="DE75512108001245126199") == 409
    assert shop.state(number) == "refunded"
    assert (shop.held("bank"), shop.held("gateway:bank"), shop.held("takings")) == (300, -300, 0)
    assert world.faults() == []


def test_what_does_not_fit_waits_for_somebody(world: World, shop: Shop) -> None:
    milk = world.item(price="12.50", on_hand=9)
    first, second, third = (shop.orders(milk) for _ in range(3))
    # Goods are kept for so many transfers of one shopper, and no more.
    assert shop.tries(milk).status_code == 409
    one, two, three = map(reference_of, (first, second, third))
    rows = (
        Came(1000, one), Came(1300, "x", structured=two), Came(1250, three, currency="EUR"),
        Came(1250, f"{one} {two}"), Came(1250, "no reference"), Came(1250, "no reference"),
        Came(1250, reference_of(ids.new())), Came(1250, three), Came(1250, three, "", "B"),
    )  # fmt: skip
    assert "9 new transfers; 1 order is paid." in shop.sends(camt(*rows))
    assert [problem for _, _, problem in shop.entries()] == [
        "too_little", "too_much", "other_currency", "several", "unknown", "unknown", "unknown", "",
        "paid_already",
    ]  # fmt: skip
    with world.app.app_context():
        numbers = list(db.session.scalars(select(BankEntry.id).order_by(BankEntry.id)))
    little, much, euro, several, gift, twice, foreign, _, double = numbers
    assert shop.does(f"entries/{little}/orders", reference=one) == 409
    assert shop.does(f"entries/{little}/orders", reference="RF00 nothing") == 404
    assert shop.does(f"entries/{little}/accounts", reference=one.lower()) == 303
    assert world.balance(shop.lin) == 1000
    # More than the order: it is paid, and the rest is the shopper's.
    assert shop.does(f"entries/{much}/orders", reference=two) == 303
    assert (shop.state(second), world.balance(shop.lin)) == ("captured", 1050)
    assert shop.does(f"entries/{much}/orders", reference=two) == 409
    assert shop.does(f"entries/{euro}/orders", reference=three) == 409
    assert shop.does(f"entries/{euro}/accounts", reference=three) == 409
    assert shop.does(f"entries/{several}/orders", reference=one) == 303
    assert shop.state(first) == "captured"
    assert shop.does(f"entries/{double}/orders", reference=three) == 409
    assert shop.does(f"entries/{double}/returns") == 303
    assert shop.does(f"entries/{double}/accounts", reference=three) == 409
    assert shop.does(f"entries/{double}/sendings", to="") == 422
    assert shop.does(f"entries/{double}/sendings", to="6222020200012345") == 303
    assert shop.does(f"entries/{double}/sendings", to="6222020200012345") == 409
    assert shop.does(f"entries/{twice}/removals", reason="") == 422
    assert shop.does(f"entries/{twice}/removals", reason="the bank took it back") == 303
    assert shop.does(f"entries/{gift}/returns") == 303
    assert shop.does(f"entries/{foreign}/sendings", to="12345") == 409
    assert (shop.held("gateway:bank"), shop.held("takings")) == (-2500, -3750)
    assert shop.held("bank") == 1000 + 1300 + 1250 * 4
    assert world.faults() == []
    # The oracle sees what is not so.
    with world.app.app_context():
        with transaction() as session:
            session.execute(
                text(f"UPDATE bank_entries SET amount_minor = amount_minor + 1 WHERE id = {gift}")
            )
        found = {each.name for each in oracle.audit() if each.count}
    assert found >= {"bank_entries_not_booked", "bank_account_off"}


def test_late_money_finds_the_goods_or_goes_back(clock: Clock, world: World, shop: Shop) -> None:
    milk = world.item(price="12.50", on_hand=2)
    late, gone = shop.orders(milk), shop.orders(milk)
    assert free(world, milk) == 0
    clock.tick(days=6)
    with world.app.app_context():
        asking.ask_again(set_up(world.app.config))
    assert (shop.state(late), shop.state(gone), free(world, milk)) == ("expired", "expired", 2)
    assert "1 order is paid" in shop.sends(mt940(Came(1250, reference_of(late))), "statement.sta")
    assert shop.state(late) == "captured"
    other = world.member("Wang")
    world.fund(other, "12.50")
    world.buy(other, milk)
    shop.sends(table(Came(1250, reference_of(gone)), Came(-5, "fee")), "later.csv")
    assert "goes back" in shop.shopper.get(f"/pay/{gone}").text
    with world.app.app_context():
        (payback,) = db.session.scalars(select(Payback.id))
    # Nobody knows where to send it: the shopper's account has it.
    assert shop.does(f"refunds/{payback}/accounts") == 303
    assert shop.does(f"refunds/{payback}/accounts") == 409
    assert world.balance(shop.lin) == 1250
    assert shop.held("gateway:bank") == 0
    assert world.faults() == []


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("a.xml", b"<Document><BkToCstmrAcctRpt/></Document>", "no statement"),
        ("a.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><Document>&a;</Document>', "no XML"),
        ("a.xml", b"<Document><BkToCstmrStmt>", "no XML"),
        ("a.xml", b"<?xml version='1.0' encoding='klingon'?><a/>", "no XML"),
        ("a.xml", camt(Came(100), account="DE89370400440532013000"), "another account"),
        ("a.xml", camt(Came(100)).replace(b"1.00", b"NaN"), "not an amount"),
        ("a.xml", camt(Came(100)).replace(b"1.00", b"1.001"), "finer"),
        ("a.xml", camt(Came(100)).replace(b'"CNY"', b'"XXQ"'), "currency"),
        ("a.xml", camt(Came(100)).replace(b"2026-11-20", b"soon"), "not a time"),
        ("a.xml", camt(Came(100)).replace(b"1.00", b"9" * 30), "amount"),
        ("a.csv", table(Came(100)).replace(b"1,00", b"1,000"), "Row 4"),
        ("a.csv", table(Came(100)).replace(b"Betrag", b"Summe"), "no headings"),
        ("a.csv", b"\x00\xff\xfe", "Nothing"),
        ("a.csv", b"", "Nothing"),
        ("a.sta", mt940(Came(100), account="10050000/1"), "another account"),
    ],
)
def test_a_file_that_cannot_be_read_books_nothing(
    shop: Shop, name: str, body: bytes, why: str
) -> None:
    page = shop.sends(body, name)
    assert "Nothing of this file was taken" in page and why in page, page
    assert shop.entries() == []
