"""Any order of what shoppers, staff and a provider do with money: nothing is lost, made or booked
twice. The provider keeps books of its own; once everything is told, ours say the same.

One database for all runs, new attempts for each; a run ends with all that is still under way.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, text

from store import delivery, ids, payment, sales, stock
from store.db import db
from store.errors import Refusal
from store.payment import asides, asking, attempts, disputes, escrow, events, paybacks, topups
from store.payment.calls import BREAKER
from store.payment.gateways import (
    Answer,
    Approved,
    Claim,
    Declined,
    GatewayTimeout,
    Notice,
    Order,
    Pending,
)
from store.sales.orders import fulfilment, receiving
from store.sales.paying import paying
from store.sales.refunds.refunds import Part
from store.sellers import payouts, settling
from store.sellers.models import Payout
from tests.conftest import Clock
from tests.sellers.counter import give_to, seller
from tests.world import Somebody, Thing, World

pytestmark = pytest.mark.usefixtures("context")

STEPS = 70
SOAK_STEPS = 20_000
VERBS = {"buys", "orders", "splits", "tops_up", "pays", "declines", "tells", "asks", "gives_up",
         "refunds", "to_account", "sends_back", "disputes", "decides", "leaves", "receives",
         "complains", "judges", "released_by_timer", "settles", "pays_out"}  # fmt: skip


@dataclass
class Money:
    """A payment in the provider's own books."""

    amount: int
    state: str = "waiting"
    refunds: dict[str, int] = field(default_factory=dict)
    claim: str = ""
    claimed: int = 0

    @property
    def rest(self) -> int:
        """What the provider has for the shop."""
        if self.state != "paid":
            return 0
        held = self.claimed if self.claim in ("open", "lost") else 0
        return self.amount - sum(self.refunds.values()) - held


class Bank:
    """A provider that does what it is asked, and answers as its mood is."""

    name, thanks = "simulated", ""

    def __init__(self) -> None:
        self.books: dict[str, Money] = {}
        self.mood = "well"

    def start(self, order: Order) -> Answer:
        self.books[order.id] = Money(order.amount_minor)
        return self._said(Pending(order.id))

    def status(self, order: Order) -> Answer:
        one = self.books[order.id]
        if one.state == "paid":
            return self._said(Approved(order.id, one.amount, order.currency))
        return self._said(Pending(order.id) if one.state == "waiting" else Declined(one.state))

    capture = status

    def close(self, order: Order) -> Answer:
        one = self.books[order.id]
        one.state = "closed" if one.state == "waiting" else one.state
        return self.status(order)

    def refund(self, order: Order, refund_id: str, amount_minor: int) -> Answer:
        one = self.books[order.id]
        if refund_id not in one.refunds:
            if amount_minor > one.rest:
                return Declined("too much")
            one.refunds[refund_id] = amount_minor
        return self._said(Approved(refund_id, amount_minor, order.currency))

    def check(self, return_url: str) -> Declined | None:
        return None

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        raise AssertionError("notices are told as they are read")

    def _said(self, answer: Answer) -> Answer:
        if self.mood == "silent":
            raise GatewayTimeout("it was done, and nobody says so")
        return answer

    @property
    def holds(self) -> int:
        return sum(one.rest for one in self.books.values())


@dataclass
class Shop:
    """What all runs share."""

    world: World
    clock: Clock
    lin: Somebody
    sam: Somebody
    item: Thing
    address: int
    steps: int = 0
    done: Counter[str] = field(default_factory=Counter)


index, some = st.integers(0, 9), st.integers(1, 3)
part_minor = st.sampled_from([0, 0, 1, 150, 499])


class Machine(RuleBasedStateMachine):
    shop: Shop

    @initialize()
    def open(self) -> None:
        self.bank = Bank()
        self.before = read_anew()

    def knows(self, *states: str) -> list[str]:
        return [number for number, one in self.bank.books.items() if one.state in states]

    # --- shoppers and staff ----------------------------------------------------------------------

    @rule(many=some, mood=st.sampled_from(["well", "well", "silent"]), part=part_minor)
    def buys(self, many: int, mood: str, part: int) -> None:
        """With a part of it from the account, where there is so much."""
        self.bank.mood = mood
        lines = (sales.Line(self.shop.item.id, many),)
        self._pays(sales.Buy(
            self.shop.lin.id, self.shop.world.location, "CNY", lines, ids.new(), means="simulated",
            account_minor=self._part(part),
        ))  # fmt: skip
        self.shop.done["buys"] += 1

    def _part(self, wanted: int) -> int:
        part = min(wanted, payment.balance_of(self.shop.lin.id, "CNY"))
        db.session.rollback()
        self.shop.done["splits"] += part > 0
        return part

    @rule(many=some, part=part_minor, deliver=st.booleans())
    def orders(self, many: int, part: int, deliver: bool = False) -> None:
        place, home = self.shop.world.location, self.shop.address
        lines = (sales.Line(self.shop.item.id, many),)
        self._pays(sales.Order(
            self.shop.lin.id, place, "CNY", lines, ids.new(),
            "deliver" if deliver else "collect", 500 * many,
            place_id=None if deliver else place, address_id=home if deliver else None,
            means="simulated", account_minor=self._part(part),
        ))  # fmt: skip
        self.shop.done["orders"] += 1

    def _pays(self, asked: sales.Buy | sales.Order) -> None:
        try:
            paying.pay(paying.Paying(asked, self.bank))
        except stock.OutOfStock:
            pass
        self.bank.mood = "well"
        BREAKER.close()

    @rule(amount=st.integers(1, 5000))
    def tops_up(self, amount: int) -> None:
        wanted = attempts.Wanted(self.shop.lin.id, amount, "CNY", ids.new())
        topups.top_up(wanted, self.bank, most_minor=5000)
        self.shop.done["tops_up"] += 1

    @precondition(lambda self: self.bank.books)
    @rule(at=index, mood=st.sampled_from(["well", "silent"]))
    def gives_up(self, at: int, mood: str) -> None:
        """A provider that says nothing may have the money: it is late then."""
        number = list(self.bank.books)[-1 - at % len(self.bank.books)]
        self.bank.mood = mood
        asking.abandon(attempts.find(number), self.bank)
        self.bank.mood = "well"
        BREAKER.close()
        self.shop.done["gives_up"] += 1

    def sale_of(self, at: int) -> str | None:
        """The sale that a payment has made, if it has made one."""
        paid = self.knows("paid")
        sale_id = attempts.find(paid[at % len(paid)]).sale_id
        db.session.rollback()
        return sale_id

    def tried(self, verb: str, what: Callable[[], object]) -> None:
        """What is refused changes nothing."""
        try:
            what()
        except Refusal:
            return
        self.shop.done[verb] += 1

    @precondition(lambda self: self.knows("paid"))
    @rule(at=index, part=st.booleans(), to_account=st.booleans())
    def refunds(self, at: int, part: bool, to_account: bool = False) -> None:
        """The whole of a sale, or one piece of it; while it is disputed, or where nothing is left,
        it is refused."""
        if (sale_id := self.sale_of(at)) is None:
            return
        parts, sam = [Part(1, 1)] if part else None, self.shop.sam.id
        self.tried(
            "to_account" if to_account else "refunds",
            lambda: sales.refund(sale_id, made_by=sam, parts=parts, to_account=to_account),
        )

    # --- orders whose money is held --------------------------------------------------------------

    @precondition(lambda self: self.knows("paid"))
    @rule(at=index)
    def leaves(self, at: int) -> None:
        """An order is handed over at the counter, and its money is the shop's then; or it arrives
        at home, and its time runs."""
        if (sale_id := self.sale_of(at)) is None or not (parcels := delivery.of_sale(sale_id)):
            return
        parcel, kind = parcels[0].id, parcels[0].kind
        db.session.rollback()
        end = ("ship", "deliver") if kind == "deliver" else ("hand_over",)
        self.tried("leaves", lambda: [
            fulfilment.step(parcel, event, made_by=self.shop.sam.id, carrier="SF", tracking="1")
            for event in ("pick", "pack", *end)
        ])  # fmt: skip

    @precondition(lambda self: self.knows("paid"))
    @rule(at=index, how=st.sampled_from(["receives", "complains", "judges"]), back=st.booleans())
    def says(self, at: int, how: str, back: bool = False) -> None:
        """The shopper has it all, or complains; and the owner decides."""
        if (sale_id := self.sale_of(at)) is None:
            return
        lin, decision = self.shop.lin.id, "refund" if back else "release"
        self.tried(how, {
            "receives": lambda: receiving.received(sale_id, lin),
            "complains": lambda: receiving.complain(sale_id, lin, "It is broken"),
            "judges": lambda: receiving.decide(
                sale_id, decision, made_by=self.shop.sam.id, note="So it is"
            ),
        }[how])  # fmt: skip

    # --- whose goods they are --------------------------------------------------------------------

    @rule()
    def settles(self) -> None:
        self.shop.clock.tick(days=8)
        self.shop.done["released_by_timer"] += escrow.release_due()
        self.shop.done["settles"] += len(settling.settle())

    @rule(at=index)
    def pays_out(self, at: int) -> None:
        """Twice in the same words is once."""
        due = db.session.scalars(select(Payout.settlement_id).where(Payout.state == "due")).all()
        db.session.rollback()
        if not due:
            return
        for _ in range(2):
            payouts.pay(due[at % len(due)], "B-1", steps=0, made_by=None)
        self.shop.done["pays_out"] += 1

    # --- the provider ----------------------------------------------------------------------------

    @precondition(lambda self: self.knows("waiting"))
    @rule(at=index)
    def pays(self, at: int) -> None:
        waiting = self.knows("waiting")
        self.bank.books[waiting[at % len(waiting)]].state = "paid"
        self.shop.done["pays"] += 1

    @precondition(lambda self: self.knows("waiting"))
    @rule(at=index)
    def declines(self, at: int) -> None:
        waiting = self.knows("waiting")
        self.bank.books[waiting[at % len(waiting)]].state = "declined"
        self.shop.done["declines"] += 1

    @precondition(lambda self: self.bank.books)
    @rule(at=index, times=some)
    def tells(self, at: int, times: int) -> None:
        number = list(self.bank.books)[at % len(self.bank.books)]
        for _ in range(times):
            self._tell(number)
        self.shop.done["tells"] += 1

    def _tell(self, number: str) -> None:
        one = self.bank.books[number]
        answer = self.bank.status(Order(number, one.amount, "CNY"))
        attempts.take_notice(Notice(number, one.amount, "CNY", answer), digest(number, one.state))

    @precondition(lambda self: self.bank.books)
    @rule(at=index, mood=st.sampled_from(["well", "silent"]))
    def asks(self, at: int, mood: str) -> None:
        self.bank.mood = mood
        asking.ask_about(attempts.find(list(self.bank.books)[at % len(self.bank.books)]), self.bank)
        self.bank.mood = "well"
        BREAKER.close()
        self.shop.done["asks"] += 1

    @rule(mood=st.sampled_from(["well", "silent"]))
    def sends_back(self, mood: str) -> None:
        self.shop.clock.tick(hours=2)
        self.bank.mood = mood
        self.shop.done["sends_back"] += paybacks.work({"simulated": self.bank})
        self.bank.mood = "well"
        BREAKER.close()

    @precondition(lambda self: self.knows("paid"))
    @rule(at=index)
    def disputes(self, at: int) -> None:
        paid = self.knows("paid")
        number = paid[at % len(paid)]
        one = self.bank.books[number]
        if one.claim or not one.rest:
            return
        self._tell(number)  # A provider tells of what came before it tells that it is disputed.
        one.claim, one.claimed = "open", one.rest
        self._claims(number)
        self.shop.done["disputes"] += 1

    @precondition(lambda self: any(one.claim == "open" for one in self.bank.books.values()))
    @rule(at=index, outcome=st.sampled_from(["won", "lost"]))
    def decides(self, at: int, outcome: str) -> None:
        found = [number for number, one in self.bank.books.items() if one.claim == "open"]
        number = found[at % len(found)]
        self.bank.books[number].claim = outcome
        self._claims(number)
        self._claims(number)
        self.shop.done["decides"] += 1

    def _claims(self, number: str) -> None:
        one = self.bank.books[number]
        claim = Claim(f"dispute-{number}", one.claim, one.claimed, "CNY")
        told = Notice(number, one.claimed, "CNY", None, claim)
        disputes.take(told, digest(number, "claim", one.claim))

    # --- what is true ----------------------------------------------------------------------------

    @invariant()
    def nobody_has_less_than_nothing(self) -> None:
        self.shop.steps += 1
        found = read_anew()
        assert found["balance"] == found["moved"]
        assert found["least"] >= 0
        assert found["adrift"] == 0
        assert found["aside"] == found["set_aside"]

    def teardown(self) -> None:
        """Everything is told and asked at last: both books say the same."""
        for number in self.bank.books:
            self._tell(number)
            asking.abandon(attempts.find(number), self.bank)
        for _ in range(3):
            self.shop.clock.tick(hours=2)
            paybacks.work({"simulated": self.bank})
        came = read_anew()["gateway"] - self.before["gateway"]
        assert came == self.bank.holds


def digest(*said: str) -> str:
    return events.digest_of("|".join(said).encode())


def read_anew() -> dict[str, int]:
    """What the books say, added up without the shop's own code."""
    db.session.rollback()
    row = db.session.execute(_BOOKS).one()
    db.session.rollback()
    return {name: int(value or 0) for name, value in row._mapping.items()}


_BOOKS = text(
    """SELECT (SELECT SUM(balance_minor) FROM accounts WHERE member_id IS NOT NULL) AS balance,
              (SELECT MIN(balance_minor) FROM accounts WHERE member_id IS NOT NULL) AS least,
              (SELECT SUM(CASE WHEN c.member_id IS NULL THEN 0 ELSE t.amount_minor END
                        - CASE WHEN d.member_id IS NULL THEN 0 ELSE t.amount_minor END)
                 FROM transfers t JOIN accounts c ON c.id = t.credit_id
                 JOIN accounts d ON d.id = t.debit_id) AS moved,
              (SELECT SUM(CASE WHEN a.id = t.debit_id THEN t.amount_minor ELSE -t.amount_minor END)
                 FROM accounts a JOIN transfers t ON a.id IN (t.debit_id, t.credit_id)
                WHERE a.code = 'gateway:simulated:CNY') AS gateway,
              (SELECT SUM(CASE WHEN a.id = t.credit_id THEN t.amount_minor ELSE -t.amount_minor END)
                 FROM accounts a JOIN transfers t ON a.id IN (t.debit_id, t.credit_id)
                WHERE a.code = 'aside:CNY') AS aside,
              (SELECT SUM(s.amount_minor) FROM asides s JOIN attempts m ON m.id = s.attempt_id
                WHERE m.state IN ('created', 'pending', 'authorised')) AS set_aside,
              (SELECT COUNT(*) FROM attempts m
                WHERE m.purpose = 'sale' AND m.sale_id IS NULL
                  AND m.state IN ('captured', 'partly_refunded', 'refunded', 'disputed')
                  AND m.amount_minor > (SELECT COALESCE(SUM(p.amount_minor), 0) FROM paybacks p
                                         WHERE p.attempt_id = m.id)) AS adrift"""
)


def open_shop(world: World, clock: Clock) -> Shop:
    world.zone((100_000, "3"))
    world.describe(world.location, (31.2, 121.5))
    lin = world.member(funds="30")
    shop = Shop(
        world,
        clock,
        lin,
        world.staff(),
        world.item(code="", gtin=None, price="5", on_hand=400),
        world.address(lin),
    )
    db.session.rollback()
    world.app.config["ESCROW_DAYS"] = 7
    give_to(seller(), shop.item)
    return shop


def run_machine(shop: Shop, steps: int) -> None:
    """So many steps at least."""
    while shop.steps < steps:
        seed = random.randrange(10**6)
        print(f"seed {seed}")
        machine = type("Seeded", (Machine,), {"shop": shop})
        run_state_machine_as_test(
            hypothesis.seed(seed)(machine),
            settings=hypothesis.settings(
                max_examples=3, stateful_step_count=40, deadline=None, database=None,
                suppress_health_check=list(HealthCheck), phases=[Phase.generate],
                report_multiple_bugs=False,
            ),
        )  # fmt: skip


def by_hand(shop: Shop) -> Machine:
    """A machine that does what it is told."""
    machine: Machine = type("Told", (Machine,), {"shop": shop})()
    machine.open()
    return machine


def test_any_order_of_events_leaves_both_books_the_same(world: World, clock: Clock) -> None:
    shop = open_shop(world, clock)
    run_machine(shop, STEPS)
    told = by_hand(shop)  # What chance may have left out.
    told.buys(2, "well", 150)
    told.orders(1, 0)
    told.tops_up(500)
    for _ in range(3):
        told.pays(0)
    told.tells(0, 3)
    told.asks(1, "silent")
    told.asks(1, "well")
    told.tells(2, 1)
    told.refunds(0, part=True)
    told.sends_back("silent")
    told.sends_back("well")
    told.disputes(0)
    told.refunds(0, part=False)
    told.decides(0, "lost")
    told.disputes(1)
    told.decides(0, "won")
    told.buys(1, "silent", 0)
    told.declines(0)
    told.asks(3, "well")
    told.buys(1, "well", 150)
    told.pays(0)
    told.gives_up(0, "silent")
    told.nobody_has_less_than_nothing()
    told.teardown()
    the_life_of_orders(by_hand(shop))
    assert {verb for verb in VERBS if not shop.done[verb]} == set()
    assert world.faults() == []


def the_life_of_orders(told: Machine) -> None:
    """Handed over, content or not, back to the account; settled and paid out."""
    for at in range(4):
        told.orders(2, 150, at > 0)
        told.pays(0)
        told.tells(at, 1)
        told.leaves(at)
    told.refunds(0, part=True, to_account=True)
    told.says(1, "receives")
    told.says(2, "complains")
    told.says(2, "judges", back=True)
    told.settles()
    told.pays_out(0)
    told.teardown()


@pytest.mark.soak
def test_many_orders_of_events(world: World, clock: Clock) -> None:
    run_machine(open_shop(world, clock), SOAK_STEPS)
    assert world.faults() == []


def test_the_machine_sees_money_that_is_not_booked(
    world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: a shop that books no late money."""

    shop = open_shop(world, clock)

    def late_money() -> None:
        told = by_hand(shop)
        told.buys(1, "well", 0)
        told.pays(0)
        told.gives_up(0, "silent")
        told.teardown()

    late_money()
    monkeypatch.delitem(attempts.TRANSITIONS, ("expired", "paid"))
    with pytest.raises(AssertionError):
        late_money()


def test_the_machine_sees_a_part_that_never_comes_back(
    world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: a shop that gives nothing back of what it set aside."""
    shop = open_shop(world, clock)

    def declined() -> None:
        told = by_hand(shop)
        told.buys(1, "well", 150)
        told.declines(0)
        told.asks(0, "well")
        told.nobody_has_less_than_nothing()
        told.teardown()

    declined()
    monkeypatch.setattr(asides, "end", asides.of)
    with pytest.raises(AssertionError):
        declined()
