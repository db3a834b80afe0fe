"""Many at once: threads that start together, in the shop itself or through its API; and the ways
to take a guard away, so that a test can show that its race is real."""

from __future__ import annotations

import contextlib
import http.client
import importlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from alembic.migration import MigrationContext
from alembic.operations import Operations
from flask import Flask
from sqlalchemy import bindparam, event, update

from store import identity, ids, sales
from store.db import db, repeatable, transaction
from store.payment.models import Account
from store.prepared import Prepared
from store.sales import booking, buying, checkout, deciding
from store.stock.models import Level
from tests.live import LiveServer
from tests.world import Somebody, Thing, World

T = TypeVar("T")
# The package has a function of the same name.
stock_levels = importlib.import_module("store.stock.levels")
PATIENCE_S = 120.0


def at_once(jobs: Sequence[Callable[[], T]]) -> list[T | BaseException]:
    """Run the jobs in threads of their own that start together; what each answered or raised."""
    ready = threading.Barrier(len(jobs))
    outcomes: list[T | BaseException] = [AssertionError("it did not end in time")] * len(jobs)

    def run(at: int) -> None:
        try:
            ready.wait(PATIENCE_S)
            outcomes[at] = jobs[at]()
        except BaseException as error:
            outcomes[at] = error

    threads = [threading.Thread(target=run, args=(at,), daemon=True) for at in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    return outcomes


def inside(app: Flask, function: Callable[[], T]) -> Callable[[], T]:
    """The function as one visit to the shop, with a session of its own."""

    def visited() -> T:
        with app.app_context():
            return function()

    return visited


def words(outcomes: Sequence[object]) -> Counter[str]:
    """Outcomes of buys as counted words: "sold", "again" for a key seen before, or the refusal's
    code; anything else as it is."""

    def word(outcome: object) -> str:
        if isinstance(outcome, buying.Bought):
            return "again" if outcome.repeated else "sold"
        return str(getattr(outcome, "code", None) or repr(outcome))

    return Counter(map(word, outcomes))


def wanted(world: World, member: Somebody, *lines: tuple[Thing, int], key: str = "") -> sales.Buy:
    """A buy of these goods at the world's first location."""
    asked = tuple(sales.Line(thing.id, many) for thing, many in lines)
    return sales.Buy(member.id, world.location, world.currency, asked, key or ids.new())


def buy_at_once(app: Flask, buys: Sequence[sales.Buy]) -> list[Any]:
    """Each buy in a transaction of its own, as if each came to another process: nothing is
    combined, so that only the database stands between them."""
    jobs = [inside(app, lambda asked=asked: checkout.run([asked])[0]) for asked in buys]  # type: ignore[misc]
    return at_once(jobs)


# Through the API


class Phone:
    """A connection to the open shop, kept alive, with somebody's token."""

    def __init__(self, server: LiveServer, token: str) -> None:
        self._host = urlsplit(server.url).netloc
        self._token = token
        self._connection: http.client.HTTPConnection | None = None

    def call(
        self, method: str, path: str, body: object = None, key: str = ""
    ) -> tuple[int, dict[str, Any]]:
        """Raises OSError or HTTPException when no answer came."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self._host, timeout=60)
            text = None if body is None else json.dumps(body)
            self._connection.request(method, f"/api/v1{path}", text, headers)
            answer = self._connection.getresponse()
            return answer.status, json.loads(answer.read())
        except BaseException:
            self.close()
            raise

    def buy(self, *lines: tuple[Thing, int], key: str = "") -> tuple[int, dict[str, Any]]:
        goods = [{"item": thing.code, "quantity": many} for thing, many in lines]
        asked = {"location": "MAIN", "lines": goods, "payment": {"method": "account"}}
        return self.call("POST", "/sales", asked, key or ids.new())

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def token_of(world: World, member: Somebody) -> str:
    with world.app.app_context(), transaction():
        return identity.issue_token(identity.by_id(member.id), ())


@contextlib.contextmanager
def phones(world: World, server: LiveServer, people: Sequence[Somebody]) -> Iterator[list[Phone]]:
    """A connected phone for each of them (twice the same member: twice their token)."""
    tokens = {member.id: token_of(world, member) for member in people}
    opened = [Phone(server, tokens[member.id]) for member in people]
    for phone in opened:
        assert phone.call("GET", "/me")[0] == 200
    try:
        yield opened
    finally:
        for phone in opened:
            phone.close()


def answers(outcomes: Sequence[object]) -> Counter[str]:
    """Outcomes of phones as counted words: "sold", a refusal's code, or what went wrong."""

    def word(outcome: object) -> str:
        if not isinstance(outcome, tuple):
            return repr(outcome)
        status, body = outcome
        return "sold" if status == 201 else str(body.get("code"))

    return Counter(map(word, outcomes))


# Guards taken away

Patch = Callable[[object, str, object], None]


def look_then_act(patch: Patch) -> None:
    """The careless till: it reads in one moment and writes in another."""

    @repeatable
    def careless(buys: Sequence[sales.Buy]) -> list[deciding.Outcome]:
        till = deciding.Till.read(buys)
        db.session.rollback()
        time.sleep(0.005)  # Between the two moments others look, too.
        outcomes = [till.decide(asked) for asked in buys]
        if till.accepted:
            with transaction():
                booking.write(till)
        return outcomes

    patch(checkout, "_decide_and_write", careless)


def unguarded_take() -> Prepared:
    """What `stock.take` would be without its guard."""
    place = (Level.item_id == bindparam("item"), Level.location_id == bindparam("location"))
    change = Level.on_hand - bindparam("quantity")
    return Prepared(lambda dialect: update(Level).where(*place).values(on_hand=change))


def unguarded_debit() -> Prepared:
    """What `payment.charge` would be without its guard."""
    whose = (Account.member_id == bindparam("member"), Account.currency == bindparam("money"))
    change = Account.balance_minor - bindparam("amount")
    return Prepared(lambda dialect: update(Account).where(*whose).values(balance_minor=change))


def without_checks(app: Flask, table: str, constraint: str) -> None:
    """Drop a CHECK: SQLite is told to mind none of them, on every connection."""
    with app.app_context():
        if db.engine.dialect.name == "postgresql":
            with db.engine.begin() as connection:
                connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
            return
        db.engine.dispose()
        event.listen(
            db.engine,
            "connect",
            lambda connection, record: connection.execute("PRAGMA ignore_check_constraints=ON"),
        )


def without_unique(app: Flask, table: str, constraint: str) -> None:
    """Drop a UNIQUE; on SQLite the table is made anew without it."""
    with app.app_context(), db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.rollback()
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table(table) as batch:
            batch.drop_constraint(constraint, type_="unique")
        connection.commit()
        connection.invalidate()
