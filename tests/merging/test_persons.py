"""Any order of signing up, proving, buying with and without an account, claiming, bringing accounts
together, earning, spending, giving back and going: each sale belongs to at most one person, the one
it should, and so do money and points; and the books of the whole database add up at the end."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import ClassVar

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from store import clock, identity, ids, merging, outbox, payment, privacy, sales
from store.db import db, transaction
from store.errors import Refusal
from store.identity import codes, entering, proving, signs
from store.identity.callers import Caller
from store.membership import points
from store.payment.gateways.simulated import Simulated
from store.payment.models import Account
from store.sales import Buy, Line
from store.sales.guests import claims, guests
from store.sales.guests.guest_models import GuestMail
from store.sales.models import Sale
from store.sales.paying import paying
from tests.membership.test_points import rules
from tests.world import Somebody, Thing, World

pytestmark = pytest.mark.usefixtures("context")

STEPS, SOAK_STEPS = {"sqlite": 80, "postgresql": 30}, 20_000
PRICE, TOP_UP = 1000, 5000
GATEWAY = Simulated(b"known-to-the-tests-only", hang_s=0)
VERBS = {"sign_up", "buy", "guest_buy", "claim", "merge", "give_back", "earn"}
index = st.integers(0, 99)
_numbers = count(1)


@dataclass
class Person:
    """What the story knows of an account: `into` is the one that it came into."""

    id: int
    proven: list[str]
    money: int = 0
    keys: set[str] = field(default_factory=set)
    is_here: bool = True


@dataclass
class Sold:
    owner: Person | None
    paid: int
    spent: int
    to_account: bool
    device: int | None = None
    mailed: str = ""
    is_back: bool = False

    @property
    def points(self) -> int:
        return 0 if self.is_back else self.paid // 100 - self.spent


@dataclass
class Shop:
    world: World
    milk: Thing
    olga: Somebody
    steps: int = 0
    done: Counter[str] = field(default_factory=Counter)


class Machine(RuleBasedStateMachine):
    shop: ClassVar[Shop]

    def __init__(self) -> None:
        super().__init__()
        self.people: list[Person] = []
        self.sold: dict[str, Sold] = {}
        self.devices = [guests.enter(ids.secret()) for _ in range(2)]

    # --- who they are ----------------------------------------------------------------------------

    def _code(self, value: str) -> tuple[str, str, Caller]:
        """A code that was sent to an address, in a browser of its own."""
        number = next(_numbers)
        caller = Caller(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", "", b"key",
                        codes_an_hour=10**9)  # fmt: skip
        visit = ids.digest(ids.secret())
        return visit, codes.ask("email", value, visit, caller)[1], caller

    @rule()
    def sign_up(self) -> None:
        value = f"p{next(_numbers)}@example.com"
        visit, code, caller = self._code(value)
        entered = entering.by_code(visit, code, lambda: ids.digest(ids.secret()), caller)
        self.people.append(Person(entered.member_id, [value]))
        self._did("sign_up")

    @precondition(lambda self: self._here())
    @rule(at=index)
    def prove(self, at: int) -> None:
        who, value = self._one(at), f"p{next(_numbers)}@example.com"
        visit, code, caller = self._code(value)
        if self._may(lambda: signs.prove(who.id, visit, code, caller)):
            who.proven.append(value)
            self._did("prove")

    @precondition(lambda self: len(self._here()) > 1)
    @rule(at=index, other=index)
    def merge(self, at: int, other: int) -> None:
        kept, gone = self._one(at), self._one(other)
        visit, code, caller = self._code(gone.proven[0])
        if kept is gone:
            assert not self._may(lambda: proving.by_code(kept.id, visit, code, caller))
            return
        proving.by_code(kept.id, visit, code, caller)
        proof = proving.standing(kept.id, visit)
        assert proof is not None and proof.other_id == gone.id
        merging.join(kept.id, visit, proof.id)
        for sale in self.sold.values():
            sale.owner = kept if sale.owner is gone else sale.owner
        kept.money, gone.money, gone.is_here = kept.money + gone.money, 0, False
        kept.proven += gone.proven
        kept.keys |= gone.keys
        self._did("merge")

    @precondition(lambda self: self._here())
    @rule(at=index)
    def merge_what_was_only_typed(self, at: int) -> None:
        """Whoever reads an address that another account has never proven gets nothing of it."""
        who, value = self._one(at), f"p{next(_numbers)}@example.com"
        with transaction():
            identity.add_member(value, None)
        visit, code, caller = self._code(value)
        with pytest.raises(entering.MoreNeeded):
            proving.by_code(who.id, visit, code, caller)
        assert proving.standing(who.id, visit) is None

    @precondition(lambda self: self._here())
    @rule(at=index, sure=st.sampled_from((False, False, True)))
    def erase(self, at: int, sure: bool) -> None:
        who = self._one(at)
        if sure and self._may(lambda: privacy.erase(who.id, forfeit=True)):
            who.is_here, who.money = False, 0
            for sale in self.sold.values():
                if sale.mailed in who.proven or sale.owner is who:
                    sale.mailed = ""
            self._did("erase")

    # --- what they buy ---------------------------------------------------------------------------

    @precondition(lambda self: self._here())
    @rule(at=index)
    def top_up(self, at: int) -> None:
        who = self._one(at)
        with transaction():
            payment.deposit(who.id, TOP_UP, self.shop.world.currency, "cash")
        who.money += TOP_UP

    @precondition(lambda self: self._here())
    @rule(at=index, key=st.integers(0, 2), many=st.integers(1, 3), spend=st.booleans())
    def buy(self, at: int, key: int, many: int, spend: bool) -> None:
        """With keys that others use, too."""
        who, name = self._one(at), f"key-{key}"
        if name in who.keys:
            name = ids.new()
        there = points.balance_of(who.id).spendable if spend else 0
        spent = min(there, 150)
        asked = self._asked(who.id, many, name, points=spent)
        due = PRICE * many - spent
        may = due <= who.money
        bought = self._may(
            lambda: self._keep(sales.buy(asked).sale_id, Sold(who, due, spent, True))
        )
        assert bought == may
        if bought:
            who.money -= due
            who.keys.add(name)
            self._did("buy")
            if spent:
                self._did("spend")

    @precondition(lambda self: self._here())
    @rule(at=index, many=st.integers(1, 2))
    def pay(self, at: int, many: int) -> None:
        who = self._one(at)
        asked = self._asked(who.id, many, ids.new(), means="simulated")
        mine = paying.find(paying.pay(paying.Paying(asked, GATEWAY)), who.id)
        self._keep(mine.sale_id or "", Sold(who, PRICE * many, 0, False))

    @rule(device=st.integers(0, 1), many=st.integers(1, 2), to=index, mails=st.booleans())
    def guest_buy(self, device: int, many: int, to: int, mails: bool) -> None:
        guest = self.devices[device]
        asked = self._asked(None, many, ids.new(), means="simulated", guest_id=guest)
        mine = paying.find(paying.pay(paying.Paying(asked, GATEWAY)), None, guest)
        sold = Sold(None, PRICE * many, 0, False, device)
        if mails and self._here():
            sold.mailed = self._one(to).proven[0]
            with transaction() as session:
                row = GuestMail(sale_id=mine.sale_id, value=sold.mailed, at=clock.now())
                session.add(row)
        self._keep(mine.sale_id or "", sold)
        self._did("guest_buy")

    @precondition(
        lambda self: self._here() and any(one.owner is None for one in self.sold.values())
    )
    @rule(at=index, device=st.sampled_from((None, 0, 1)))
    def claim(self, at: int, device: int | None) -> None:
        """All that there is is asked for; what is theirs comes."""
        who = self._one(at)
        theirs = {
            sale for sale, one in self.sold.items()
            if one.owner is None and one.device is not None
            and (one.device == device or one.mailed in who.proven)
        }  # fmt: skip
        guest = None if device is None else self.devices[device]
        taken = claims.claim(who.id, list(self.sold), guest)
        assert set(taken) == theirs
        for sale in taken:
            self.sold[sale].owner = who
            self._did("claim")

    @precondition(lambda self: any(not one.is_back for one in self.sold.values()))
    @rule(at=index)
    def give_back(self, at: int) -> None:
        there = [sale for sale, one in self.sold.items() if not one.is_back]
        sale = there[at % len(there)]
        sales.refund(sale, made_by=self.shop.olga.id)
        sold = self.sold[sale]
        sold.is_back = True
        if sold.to_account and sold.owner is not None:
            sold.owner.money += sold.paid
        self._did("give_back")

    @rule()
    def earn(self) -> None:
        outbox.work()
        for who in self.people:
            mine = sum(one.points for one in self.sold.values() if one.owner is who)
            assert points.balance_of(who.id).points == mine
        self._did("earn")

    # --- what must be true -----------------------------------------------------------------------

    @invariant()
    def each_sale_and_each_coin_is_whose_it_should_be(self) -> None:
        self.shop.steps += 1
        db.session.rollback()
        known = list(self.sold)
        rows = db.session.execute(select(Sale.id, Sale.member_id).where(Sale.id.in_(known)))
        whose = {row[0]: row[1] for row in rows}
        assert whose == {sale: one.owner and one.owner.id for sale, one in self.sold.items()}
        held = db.session.execute(
            select(Account.member_id, Account.balance_minor).where(
                Account.member_id.in_([one.id for one in self.people])
            )
        )
        balances = {row[0]: row[1] for row in held}
        assert {one.id: balances.get(one.id, 0) for one in self.people} == {
            one.id: one.money for one in self.people
        }
        db.session.rollback()

    def teardown(self) -> None:
        self.earn()

    # --- by hand ---------------------------------------------------------------------------------

    def _here(self) -> list[Person]:
        return [one for one in self.people if one.is_here]

    def _one(self, at: int) -> Person:
        here = self._here()
        return here[at % len(here)]

    def _asked(
        self, member_id: int | None, many: int, key: str, *, means: str = "account",
        points: int = 0, guest_id: int | None = None,
    ) -> Buy:  # fmt: skip
        shop = self.shop.world
        return Buy(member_id, shop.location, shop.currency, (Line(self.shop.milk.id, many),), key,
                   "shelf", means=means, points=points, guest_id=guest_id)  # fmt: skip

    def _keep(self, sale_id: str, sold: Sold) -> None:
        assert sale_id and sale_id not in self.sold
        self.sold[sale_id] = sold

    def _may(self, work: Callable[[], object]) -> bool:
        try:
            work()
        except Refusal:
            db.session.rollback()
            return False
        return True

    def _did(self, verb: str) -> None:
        self.shop.done[verb] += 1


def open_shop(world: World) -> Shop:
    rules(world, 1, 100, worth_points=1, worth_minor=1)
    return Shop(world, world.item(price="10", on_hand=10**6), world.owner())


def run_machine(shop: Shop, steps: int) -> None:
    while shop.steps < steps:
        seed = random.randrange(10**6)
        print(f"seed {seed}")
        machine = type("Seeded", (Machine,), {"shop": shop})
        run_state_machine_as_test(
            hypothesis.seed(seed)(machine),
            settings=hypothesis.settings(
                max_examples=2, stateful_step_count=30, deadline=None, database=None,
                suppress_health_check=list(HealthCheck), phases=[Phase.generate],
                report_multiple_bugs=False,
            ),
        )  # fmt: skip


def the_life_of(shop: Shop) -> None:
    """Two people of whom one had three accounts, in one order; the rest is chance."""
    told = type("Told", (Machine,), {"shop": shop})()
    for _ in range(3):
        told.sign_up()
    for at in range(3):
        told.top_up(at)
        told.buy(at, 0, 1, False)
    told.guest_buy(0, 1, 2, True)
    told.earn()
    told.buy(1, 1, 2, True)
    told.claim(2, None)
    told.merge(0, 1)
    told.merge(1, 0)
    for at in (0, 2, 0, 0):
        told.give_back(at)
        told.each_sale_and_each_coin_is_whose_it_should_be()
    told.guest_buy(1, 1, 0, True)
    told.claim(0, 1)
    told.erase(0, True)
    told.teardown()


def test_any_order_of_a_persons_life(world: World) -> None:
    shop = open_shop(world)
    the_life_of(shop)
    run_machine(shop, STEPS[db.engine.dialect.name])
    assert {verb for verb in VERBS if not shop.done[verb]} == set()
    assert world.faults() == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_machine_sees_money_that_comes_back_to_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: a shop that forgets whose an account is by now."""
    monkeypatch.setattr(identity, "now_of", lambda member_id: member_id)
    with pytest.raises(AssertionError):
        the_life_of(open_shop(world))


@pytest.mark.soak
def test_many_lives(world: World) -> None:
    shop = open_shop(world)
    run_machine(shop, SOAK_STEPS)
    assert world.faults() == []
