"""Checkout: the one buy. Money moves, stock moves and the sale stands, or nothing happens.

Buys that wait at the same time are decided and written together in one transaction (`combine`):
everything is read in four statements, each buy is decided in turn on what the ones before it
leave, and the accepted ones are written in a handful of set-based statements. The guards in those
statements (and the CHECKs behind them) decide in the end: when another process was faster, the
transaction is undone and decided again on what is true then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NoReturn
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from .. import catalogue
from ..db import db, is_passing, repeatable, shop_engine, transaction
from ..errors import Refusal, Unavailable
from .booking import Overtaken, write
from .buying import Bought, Buy, check_form
from .combine import Combiner
from .deciding import Outcome, Till
from .goods import Parts, counted


def buy(asked: Buy) -> Bought:
    """Buy: charge the member's account (at a till: book the cash or the card that staff took), take
    the goods, and let the sale stand in the member's name, or in nobody's.

    Any number of times with one key is one sale. Refusals, in order: Invalid (no lines, more than
    200, quantities, means), KeyReused 409, ItemNotForSale 404, PriceRose 409, AgeNotChecked 409
    (of what staff sell), OutOfStock 409, BoughtJustNow 409, ConfirmFirst 409, InsufficientFunds
    402, ConfirmationNeeded 403. Raises Unavailable 503 when the database does not answer; the same
    key then tells whether the sale stands.
    """
    # Another request's transaction may write this sale: what this one has read is dropped, so that
    # what it reads next sees the sale, and no connection is held while it waits.
    if db.session.registry.has():
        db.session.rollback()
    check_form(asked)
    outcome = _combiner(shop_engine()).submit(asked)
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def buy_later(engine: Engine, asked: Buy, then: Callable[[Bought | BaseException], None]) -> None:
    """The same without waiting, for who has read nothing and stands in no application's context:
    `then` gets what `buy` answers or raises, from another thread. One must be in
    `settle_forever`."""
    try:
        check_form(asked)
    except Refusal as refusal:
        then(refusal)
    else:
        _combiner(engine).submit_later(asked, then)


def settle_forever(
    engine: Engine, within: Callable[[], AbstractContextManager[object]]
) -> NoReturn:
    """Settle the buys of those who do not wait for them, each batch inside `within()`."""
    _combiner(engine).lead_forever(within)


def give_up(engine: Engine) -> None:
    """Refuse what waits for too long, and nobody settles: Unavailable."""
    _combiner(engine).give_up()


@dataclass(frozen=True)
class Weighed:
    """What a buy costs, and what it takes off the shelf: quantities by item, of bundles the parts,
    and what of that the book does not have and the shopper holds."""

    quotes: list[catalogue.Quote]
    total_minor: int
    wanted: dict[int, int]
    found: dict[tuple[int, int], int]
    parts: Parts


def weigh(asked: Buy) -> Weighed:
    """Joiner: decide a buy as `buy` does, and write nothing. Raises what `buy` raises."""
    check_form(asked)
    till = Till.read([asked])
    accepted = till.accept(asked)
    wanted: dict[int, int] = {}
    for line in asked.lines:
        for item, many in counted(line.item_id, line.quantity, till.parts):
            wanted[item] = wanted.get(item, 0) + many
    return Weighed(accepted.quotes, accepted.total_minor, wanted, accepted.found, till.parts)


def buy_in(
    asked: Buy, quotes: Sequence[catalogue.Quote] = (), parts: Parts | None = None
) -> Bought:
    """Joiner: the same within the caller's transaction, beside something else that must happen or
    fail with it; at these quotes and with these parts of bundles where the prices stood before.
    Raises what `buy` raises; Unavailable also when another buy was faster."""
    check_form(asked)
    till = Till.read([asked], quotes, parts)
    outcome = till.decide(asked)
    if isinstance(outcome, BaseException):
        raise outcome
    if till.accepted:
        try:
            write(till)
        except Overtaken as error:
            raise Unavailable("Somebody was faster; please try again") from error
    return outcome


def run(buys: Sequence[Buy]) -> list[Outcome]:
    """Decide and write these buys; one outcome for each, in order. When they fail together (a
    database error that may be the fault of one of them), each is tried alone."""
    try:
        return _run(buys)
    except (DBAPIError, Overtaken) as error:
        if len(buys) == 1 or (isinstance(error, DBAPIError) and is_passing(error)):
            unavailable = Unavailable("The shop could not settle this just now")
            unavailable.__cause__ = error
            return [unavailable] * len(buys)
    return [outcome for asked in buys for outcome in run([asked])]


# One line of waiting buys for each database: an engine lives as long as its shop is open.
_combiners: WeakKeyDictionary[Engine, Combiner[Buy, Bought]] = WeakKeyDictionary()


def _combiner(engine: Engine) -> Combiner[Buy, Bought]:
    return _combiners.get(engine) or _combiners.setdefault(engine, Combiner(run))


def _run(buys: Sequence[Buy]) -> list[Outcome]:
    for last in (False, False, False, True):
        try:
            return _decide_and_write(buys)
        except (Overtaken, IntegrityError) as error:
            if last:
                raise Overtaken from error
    raise AssertionError("unreachable")


@repeatable
def _decide_and_write(buys: Sequence[Buy]) -> list[Outcome]:
    with transaction():
        till = Till.read(buys)
        outcomes = [till.decide(asked) for asked in buys]
        if till.accepted:
            write(till)
    return outcomes
