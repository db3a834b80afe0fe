"""Points are conserved: whatever is bought, kept, spent and given back in whatever order, and
however late the worker comes, nothing is left once everything has come back."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from flask import Flask

from store import outbox, sales
from store.errors import Refusal
from store.ids import new
from store.membership import points
from store.payment import attempts
from store.payment.gateways import Approved
from store.payment.gateways.simulated import Simulated
from store.sales import Buy, Line, Part
from store.sales.paying import paying
from tests.membership.making import offer
from tests.membership.test_points import rules
from tests.world import Somebody, Thing, World

STEPS = 45


@dataclass
class Story:
    """What happens by chance, and what is open."""

    world: World
    dice: random.Random
    who: Somebody
    goods: list[Thing]
    olga: Somebody
    bought: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    refused: int = 0

    def asked(self, means: str = "account") -> Buy:
        lines = tuple(
            Line(item.id, self.dice.randint(1, 4))
            for item in self.dice.sample(self.goods, self.dice.randint(1, len(self.goods)))
        )
        there = points.balance_of(self.who.id).spendable
        spend = self.dice.choice((0, there // 3, there, there + 1))
        return Buy(self.who.id, self.world.location, self.world.currency, lines, new(),
                   means=means, points=spend)  # fmt: skip

    def buy(self) -> None:
        self.bought.append(sales.buy(self.asked()).sale_id)

    def pay(self) -> None:
        asked = self.asked("simulated")
        self.waiting.append(paying.pay(paying.Paying(asked, Simulated(b"k"), wish="never")))

    def hear(self) -> None:
        """The provider tells: yes at once, yes too late, or nothing, and the hold is over."""
        if not self.waiting:
            return
        mine = self.waiting.pop(self.dice.randrange(len(self.waiting)))
        how = self.dice.choice(("paid", "late", "never"))
        if how != "paid":
            attempts.give_up(mine)
        if how == "late":
            self.step(self.dice.choice((self.buy, self.work)))
        if how != "never":
            attempts.settle(mine, Approved(mine))
            sale_id = attempts.find(mine).sale_id
            self.bought += [sale_id] if sale_id else []

    def give_back(self) -> None:
        if self.bought:
            sale = sales.receipt(self.dice.choice(self.bought))
            assert sale is not None
            line = self.dice.choice([one for one in sale.lines if one.kind == "goods"])
            part = Part(line.position, self.dice.randint(1, line.quantity))
            sales.refund(sale.id, made_by=self.olga.id, parts=[part])

    def work(self) -> None:
        outbox.work()

    def step(self, happens: object) -> None:
        try:
            happens()  # type: ignore[operator]
        except Refusal:
            self.refused += 1

    def end(self) -> None:
        for mine in self.waiting:
            attempts.give_up(mine)
        for sale_id in dict.fromkeys(self.bought):
            self.step(lambda sale_id=sale_id: sales.refund(sale_id, made_by=self.olga.id))
        outbox.work()


def test_nothing_is_left_when_everything_has_come_back(world: World, app: Flask) -> None:
    app.config["SIMULATED_GATEWAY"] = True
    goods = [
        world.item("oat-milk", price="3.33", on_hand=9_999),
        world.item("red-apple", price="0.97", on_hand=9_999),
        world.item("coffee", price="12.49", on_hand=9_999),
    ]
    with app.app_context():
        rules(world, 7, 13, worth_points=3, worth_minor=2)
        offer(world, "n_for_m", 3, 2, item_id=goods[0].id)
        story = Story(world, random.Random(5), world.member(funds="90000"), goods, world.owner())
        happens = (story.buy, story.buy, story.pay, story.hear, story.give_back, story.give_back,
                   story.work)  # fmt: skip
        for _ in range(STEPS):
            story.step(story.dice.choice(happens))
            assert points.balance_of(story.who.id).spendable >= 0
        assert story.bought and story.refused
        outbox.work()
        assert world.faults() == []
        story.end()
        assert points.balance_of(story.who.id) == (0, 0)
    assert world.faults() == []
