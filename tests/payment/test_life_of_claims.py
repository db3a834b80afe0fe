"""The lives of what follows a payment, cell by cell: money on its way back, and disputes. What is
expected stands here once more, as a person reads it; "." changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from store import ids, sales
from store.db import db, transaction
from store.payment import attempts, complaints, disputes, ledger, paybacks, topups
from store.payment.calls import BREAKER
from store.payment.gateways import (
    SET_UP,
    Answer,
    Approved,
    Claim,
    Complaint,
    Declined,
    GatewayTimeout,
    Notice,
    NoticeForeign,
    Order,
    Pending,
)
from store.payment.gateways.simulated import Simulated
from store.payment.models import Attempt, Dispute, Payback
from store.sales.paying import paying
from tests.conftest import Clock
from tests.world import World

pytestmark = pytest.mark.usefixtures("context", "clock")

SECOND = timedelta(seconds=1)

PAYBACKS = """
         approved pending declined set_up  silent
waiting  done     .       refused  .       .
done     .        .       .        .       .
refused  .        .       .        .       .
"""
# A dispute is known by its own number. "none" is a payment that came and that nobody disputes;
# "other" is one of which another dispute is open.
DISPUTES = """
        open won lost
none    open won lost
open    .    won lost
won     .    .   .
lost    .    .   .
other   open won lost
"""
# A complaint says how it stands now: whatever that is becomes true. "later" is one of which we know
# something newer, "dispute" a number that a dispute has.
COMPLAINTS = """
          open answered ended
none      open answered ended
open      .    answered ended
answered  open .        ended
ended     open answered .
later     .    .        .
dispute   x    x        x
"""
BOOKED = {"open": 500, "won": 0, "lost": 500}
"""What the provider does not owe us any more, by the state of the dispute."""
ATTEMPT = {"open": "disputed", "won": "captured", "lost": "disputed"}


def cells(table: str) -> list[tuple[str, str, str]]:
    first, *rows = (line.split() for line in table.strip().splitlines())
    return [(row[0], event, became) for row in rows for event, became in zip(first, row[1:])]


@dataclass(frozen=True)
class Moody(Simulated):
    """A provider that answers a refund as it is told to."""

    mood: str = "approved"

    def refund(self, order: Order, refund_id: str, amount_minor: int) -> Answer:
        if self.mood == "silent":
            raise GatewayTimeout("nobody is there")
        answers: dict[str, Answer] = {
            "approved": Approved("r", amount_minor, order.currency), "pending": Pending("r"),
            "declined": Declined("no"), "set_up": Declined(SET_UP),
        }  # fmt: skip
        return answers[self.mood]


def paid(world: World) -> Attempt:
    """Money of 5.00 that came and that nothing was bought with."""
    lin = world.member()
    with transaction():
        asked = attempts.Wanted(lin.id, 500, "CNY", ids.new())
        number = attempts.begin(asked, "simulated", "top_up", topups.LASTS).id
    attempts.settle(number, Approved(number))
    return attempts.find(number)


def owed() -> int:
    """What the provider owes us, by the books."""
    query = """SELECT SUM(CASE WHEN a.id = t.debit_id THEN t.amount_minor ELSE -t.amount_minor END)
                 FROM accounts a JOIN transfers t ON a.id IN (t.debit_id, t.credit_id)
                WHERE a.code = 'gateway:simulated:CNY'"""
    found = int(db.session.scalar(text(query)) or 0)
    db.session.rollback()
    return found


def test_every_answer_to_a_refund_in_each_of_its_states(world: World, clock: Clock) -> None:
    for before, mood, became in cells(PAYBACKS):
        mine = on_its_way(world, {"done": "approved", "refused": "declined"}.get(before, ""), clock)
        assert mine.state == before
        expected = before if became == "." else became
        held, books = balance(mine), owed()
        for _ in range(2):
            works(mood, clock)
        assert mine_again(mine).state == expected, (before, mood)
        # What the provider refuses to send is the shopper's, in the account, once.
        given = 500 if (before, expected) == ("waiting", "refused") else 0
        assert balance(mine) - held == given
        assert owed() - books == given
        works("approved", clock)  # Nothing is left waiting for the next cell.
    assert world.faults() == []


def on_its_way(world: World, mood: str, clock: Clock) -> Payback:
    """Money that came when the goods were sold already goes back."""
    item = world.item(code="", gtin=None, price="5", on_hand=1)
    asked = sales.Buy(world.member().id, world.location, "CNY", (sales.Line(item.id, 1),),
                      ids.new(), means="simulated")  # fmt: skip
    number = paying.pay(paying.Paying(asked, Simulated(b"k"), wish="never"))
    attempts.give_up(number)
    world.buy(world.member(funds="5"), item)
    attempts.settle(number, Approved(number))
    if mood:
        works(mood, clock)
    return paybacks.of_attempt(number)[0]


def works(mood: str, clock: Clock) -> None:
    clock.tick(hours=2)
    paybacks.work({"simulated": Moody(b"k", mood=mood)})
    BREAKER.close()


def balance(mine: Payback) -> int:
    member_id = attempts.find(mine.attempt_id).member_id
    return ledger.balance_of(member_id or 0, "CNY")


def mine_again(mine: Payback) -> Payback:
    db.session.expire_all()
    return db.session.get_one(Payback, mine.id)


def test_every_word_about_a_dispute_in_each_of_its_states(world: World) -> None:
    for before, told, became in cells(DISPUTES):
        mine = paid(world)
        claim = "dispute-" + mine.id
        if before == "other":
            says(mine, "another-" + mine.id, "open", 100)
        elif before != "none":
            says(mine, claim, before)
        books = owed()
        expected = before if became == "." else became
        for _ in range(3):
            says(mine, claim, told, 400 if before == "other" else 500)
        mine_of = select(Dispute).where(Dispute.attempt_id == mine.id)
        found = {one.reference: one for one in db.session.scalars(mine_of)}
        assert found[claim].state == expected, (before, told)
        assert len(found) == 1 + (before == "other")
        was = BOOKED.get(before, 0)
        now = BOOKED[expected] if before != "other" else BOOKED[expected] * 4 // 5
        assert books - owed() == now - was, (before, told)
        state = "disputed" if before == "other" else ATTEMPT[expected]
        assert attempts.find(mine.id).state == state, (before, told)
        db.session.rollback()
    assert world.faults() == []


def test_every_word_about_a_complaint_in_each_of_its_states(world: World, clock: Clock) -> None:
    for before, told, became in cells(COMPLAINTS):
        mine = paid(world)
        number, asked_at = "complaint-" + mine.id, clock.now
        if before == "dispute":
            says(mine, number, "open")
        elif before != "none":
            complains(mine, "open" if before == "later" else before, asked_at + SECOND)
        books, state = owed(), attempts.find(mine.id).state
        if became == "x":
            with pytest.raises(NoticeForeign):
                complains(mine, told, asked_at + 2 * SECOND)
            continue
        for _ in range(2):
            complains(mine, told, asked_at + (0 if before == "later" else 2) * SECOND)
        found = db.session.scalars(select(Dispute).where(Dispute.attempt_id == mine.id)).one()
        was = {"later": "open"}.get(before, before)
        assert found.state == (was if became == "." else became), (before, told)
        assert (found.phone == "") is (found.state == "ended")
        assert (owed(), attempts.find(mine.id).state) == (books, state)
        db.session.rollback()
    for changed in ({"amount_minor": 499}, {"currency": "USD"}):
        with pytest.raises(NoticeForeign):
            complains(paid(world), "open", clock.now, **changed)
    assert world.faults() == []


def complains(mine: Attempt, state: str, asked_at: datetime, **changed: Any) -> None:
    told = Complaint("complaint-" + mine.id, mine.id, state, 500, "CNY", "", "broken", "138")
    complaints.take("simulated", replace(told, **changed), asked_at)


def says(mine: Attempt, reference: str, state: str, amount_minor: int = 500) -> None:
    claim = Claim(reference, state, amount_minor, "CNY")
    disputes.take(Notice(mine.id, amount_minor, "CNY", None, claim), ids.new())


def test_money_that_never_came_is_not_disputed(world: World) -> None:
    lin = world.member()
    with transaction():
        asked = attempts.Wanted(lin.id, 500, "CNY", ids.new())
        mine = attempts.begin(asked, "simulated", "top_up", topups.LASTS)
    for answer in (None, Pending("r"), Declined("no")):
        if answer is not None:
            attempts.settle(mine.id, answer)
        with pytest.raises(NoticeForeign):
            says(mine, "dispute", "open")
    assert world.faults() == []
