"""Shoppers who buy without a pause, and remember what the shop has said: the client's log, against
which the books are held after every fault."""

from __future__ import annotations

import contextlib
import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from store import ids
from store.db import db
from store.sales.models import Sale
from tests.live import LiveServer
from tests.races.crowd import Phone, at_once, token_of
from tests.world import Somebody, Thing, World

FAULTS = (OSError, http.client.HTTPException, ValueError)
"""No answer, half an answer, or one that is none: what a client sees of a dead server."""


@dataclass
class Load:
    """The shoppers' own books. `asked` says under which key who wanted how many; `acknowledged`
    which receipt the shop answered. What is only in `asked` may stand or not."""

    world: World
    server: LiveServer
    thing: Thing
    people: Sequence[Somebody]
    seed: int
    asked: dict[str, tuple[Somebody, int]] = field(default_factory=dict)
    acknowledged: dict[str, str] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    audits: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._tokens = {member.id: token_of(self.world, member) for member in self.people}

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """While this is open every shopper buys, and the books are audited all the time."""
        work = [
            threading.Thread(target=self._shop, args=(at, member), daemon=True)
            for at, member in enumerate(self.people)
        ]
        work.append(threading.Thread(target=self._audit, daemon=True))
        for thread in work:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in work:
                thread.join(90)
        assert not any(thread.is_alive() for thread in work)

    def _shop(self, at: int, member: Somebody) -> None:
        chance = random.Random(self.seed * 1000 + at)
        phone = Phone(self.server, self._tokens[member.id])
        while not self._stop.is_set():
            key, quantity = ids.new(), chance.randint(1, 3)
            self.asked[key] = (member, quantity)
            # Some try again at once, some give up and come back much later.
            tries = chance.randint(1, 2)
            while tries and not self._stop.is_set():
                try:
                    if self._try(phone, key, quantity):
                        break
                    tries -= 1
                except ConnectionRefusedError:
                    # The shop is closed: nothing was sent. Wait before its door.
                    phone = Phone(self.server, self._tokens[member.id])
                time.sleep(0.03)
        phone.close()

    def _try(self, phone: Phone, key: str, quantity: int) -> bool:
        """Whether the buy was acknowledged. Raises ConnectionRefusedError."""
        try:
            status, body = phone.buy((self.thing, quantity), key=key)
        except ConnectionRefusedError:
            raise
        except FAULTS:
            self.answers["none"] += 1
            return False
        if status == 201:
            self.answers["sold"] += 1
            self.acknowledged[key] = body["id"]
            return True
        self.answers[str(body.get("code"))] += 1
        return False

    def _audit(self) -> None:
        while not self._stop.is_set():
            try:
                self.faults += self.world.faults()
                self.audits += 1
            except Exception as error:
                self.answers[f"audit: {type(error).__name__}"] += 1
            self._stop.wait(0.5)

    def settle(self) -> int:
        """Come back with every key that was never answered; answers how many of them had been sold
        before, without a word reaching the shopper."""
        before = self._sales()
        silent = self.asked.keys() - self.acknowledged.keys()
        jobs = [lambda who=who: self._come_back(who, silent) for who in self.people]
        assert at_once(jobs) == [None] * len(jobs)
        assert all(self.acknowledged[key] == sale for key, sale in before.items())
        return len(before.keys() & silent)

    def _come_back(self, member: Somebody, silent: set[str]) -> None:
        phone = Phone(self.server, self._tokens[member.id])
        for key in silent:
            whose, quantity = self.asked[key]
            if whose == member:
                status, body = phone.buy((self.thing, quantity), key=key)
                assert status == 201, body
                self.acknowledged[key] = body["id"]
        phone.close()

    def check(self, *, held: int) -> None:
        """Every key is one sale, the one that was answered; goods and money are what they say."""
        assert self.faults == [], self.faults
        assert self.audits > 0
        found = self._sales()
        assert found == self.acknowledged
        sold = sum(quantity for _, quantity in self.asked.values())
        assert self.world.left(self.thing) == held - sold
        assert self.world.faults() == []

    def _sales(self) -> dict[str, str]:
        with self.world.app.app_context():
            rows = db.session.execute(select(Sale.key, Sale.id)).all()
        assert len({row.key for row in rows}) == len(rows), "a key was sold twice"
        return {row.key: row.id for row in rows}
