"""Checkout: the one buy. Money moves, stock moves and the sale stands, or nothing happens.

Buys that wait at the same time are decided and written together in one transaction (`combine`):
everything is read in four statements, each buy is decided in turn on what the ones before it
leave, and the accepted ones are written in a handful of set-based statements. The guards in those
statements (and the CHECKs behind them) decide in the end: when another process was faster, the
transaction is undone and decided again on what is true then.

    the member's sales with these keys     key used with other contents: refused; same: same sale
    quotes, accounts, levels               refused: not for sale, price rose, sold out, no funds
    accounts debited, transfers            locked in order of member
    sales, lines, outbox rows              one row each
    movements, levels                      last, in order of item: the rows most fought over
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import NoReturn
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, bindparam, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from .. import catalogue, clock, ids, money, outbox, payment, stock
from ..db import db, is_passing, repeatable, shop_engine, transaction
from ..errors import Invalid, Refusal, Unavailable
from ..prepared import Many, Prepared, one_of
from .combine import Combiner
from .goods import (
    Deposited,
    Parts,
    counted,
    deposit_rows,
    deposited,
    due_minor,
    for_sale,
    in_hand,
    leaving,
    parts_of,
    tracked,
)
from .marked import Marked, marked_at, reduced, taken
from .models import Sale, SaleLine

MOST_LINES = 200
MOST_PIECES = 9_999


class PriceRose(Refusal):
    """An item costs more than the page said; the shopper is asked. `data`: rises, a list of item,
    seen_minor, price_minor; currency."""

    code = "price_rose"
    status = 409
    title = "The price has changed"


class BoughtJustNow(Refusal):
    """The same was bought a moment ago under another key. `data`: sale, seconds."""

    code = "bought_just_now"
    status = 409
    title = "You bought this a moment ago"


class ConfirmFirst(Refusal):
    """More than one tap may spend. `data`: total_minor, currency."""

    code = "confirm_first"
    status = 409
    title = "Please confirm this amount"


@dataclass(frozen=True)
class Line:
    """So many of an item. `seen_minor` is what one costs as the shopper was shown it, if they were:
    with its deposit, or `without_deposit`."""

    item_id: int
    quantity: int
    seen_minor: int | None = None
    label_id: str | None = None
    without_deposit: bool = False


@dataclass(frozen=True)
class Wishes:
    """What a page asks of a buy beside the goods; None switches a question off (tills, the API)."""

    confirm_over_minor: int | None = None
    ask_again_within_s: int | None = None


@dataclass(frozen=True)
class Buy:
    """One buy as it was asked for. `key` is the purchase key, unique per member; what staff sell
    has keys that are unique per seller, in whose name it ever is, or in nobody's."""

    member_id: int | None
    location_id: int
    currency: str
    lines: tuple[Line, ...]
    key: str
    channel: str = "shelf"
    sold_by: int | None = None
    wishes: Wishes = Wishes()
    means: str = "account"
    attempt_id: str | None = None

    @property
    def whose(self) -> int:
        """Whose keys this one stands among: the member's, or (below zero) the seller's."""
        return -self.sold_by if self.sold_by is not None else self.member_id or 0

    @cached_property
    def contents(self) -> str:
        """A digest of what is bought where: the same key must come with the same contents."""
        goods = sorted((line.item_id, line.quantity) for line in self.lines)
        means = "" if self.means == "account" else f"|{self.means}"
        text = f"{self.location_id}|{self.currency}|{goods}{means}"
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def said(self) -> tuple[str, int | None]:
        """What a key stands for: the contents, and in whose name."""
        return self.contents, self.member_id


@dataclass(frozen=True)
class Bought:
    """The sale that stands. `repeated` says that it stood before: the key was seen again."""

    sale_id: str
    repeated: bool


Outcome = Bought | BaseException
Known = dict[tuple[int, str], tuple[str, tuple[str, int | None]]]
"""By whose and key: the sale that has it, and what it stands for."""


def buy(asked: Buy) -> Bought:
    """Buy: charge the member's account (at a till: book the cash or the card that staff took), take
    the goods, and let the sale stand in the member's name, or in nobody's.

    Any number of times with one key is one sale. Refusals, in order: Invalid (no lines, more than
    200, quantities, means), KeyReused 409, ItemNotForSale 404, PriceRose 409, OutOfStock 409,
    BoughtJustNow 409, ConfirmFirst 409, InsufficientFunds 402. Raises Unavailable 503 when the
    database does not answer; the same key then tells whether the sale stands.
    """
    # Another request's transaction may write this sale: what this one has read is dropped, so that
    # what it reads next sees the sale, and no connection is held while it waits.
    if db.session.registry.has():
        db.session.rollback()
    return buy_from(shop_engine(), asked)


def buy_from(
    engine: Engine,
    asked: Buy,
    within: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Bought:
    """The same for who has read nothing and stands in no application's context: `within` opens
    one, for the buy that leads the others. Raises what `buy` raises."""
    _check_form(asked)
    outcome = _combiner(engine).submit(asked, within)
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def buy_later(engine: Engine, asked: Buy, then: Callable[[Bought | BaseException], None]) -> None:
    """The same without waiting: `then` gets what `buy` answers or raises, from another thread.
    A thread must be in `settle_forever`."""
    try:
        _check_form(asked)
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


def _check_form(asked: Buy) -> None:
    if not 1 <= len(asked.lines) <= MOST_LINES:
        raise Invalid(f"A sale has 1 to {MOST_LINES} lines", field="lines")
    if not 1 <= len(asked.key) <= 64:
        raise Invalid("A purchase key has 1 to 64 characters", field="key")
    if not all(1 <= line.quantity <= MOST_PIECES for line in asked.lines):
        raise Invalid(f"A quantity is 1 to {MOST_PIECES}", field="quantity")
    if asked.member_id is None and (asked.means == "account" or asked.sold_by is None):
        raise Invalid("Without a member a till is paid with cash or a card", field="member")


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
    _check_form(asked)
    till = _Till.read([asked])
    accepted = till._accept(asked)
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
    _check_form(asked)
    till = _Till.read([asked], quotes, parts)
    outcome = till.decide(asked)
    if isinstance(outcome, BaseException):
        raise outcome
    if till.accepted:
        try:
            _write(till)
        except _Overtaken as error:
            raise Unavailable("Somebody was faster; please try again") from error
    return outcome


def run(buys: Sequence[Buy]) -> list[Outcome]:
    """Decide and write these buys; one outcome for each, in order. When they fail together (a
    database error that may be the fault of one of them), each is tried alone."""
    try:
        return _run(buys)
    except (DBAPIError, _Overtaken) as error:
        if len(buys) == 1 or (isinstance(error, DBAPIError) and is_passing(error)):
            unavailable = Unavailable("The shop could not settle this just now")
            unavailable.__cause__ = error
            return [unavailable] * len(buys)
    return [outcome for asked in buys for outcome in run([asked])]


# One line of waiting buys for each database: an engine lives as long as its shop is open.
_combiners: WeakKeyDictionary[Engine, Combiner[Buy, Bought]] = WeakKeyDictionary()


def _combiner(engine: Engine) -> Combiner[Buy, Bought]:
    return _combiners.get(engine) or _combiners.setdefault(engine, Combiner(run))


class _Overtaken(Exception):
    """Another process changed a balance, a level or a key between our reading and writing."""


def _run(buys: Sequence[Buy]) -> list[Outcome]:
    for last in (False, False, False, True):
        try:
            return _decide_and_write(buys)
        except (_Overtaken, IntegrityError) as error:
            if last:
                raise _Overtaken from error
    raise AssertionError("unreachable")


@repeatable
def _decide_and_write(buys: Sequence[Buy]) -> list[Outcome]:
    with transaction():
        till = _Till.read(buys)
        outcomes = [till.decide(asked) for asked in buys]
        if till.accepted:
            _write(till)
    return outcomes


@dataclass
class _Accepted:
    sale_id: str
    asked: Buy
    quotes: list[catalogue.Quote]
    total_minor: int
    tax_minor: int
    found: dict[tuple[int, int], int]
    deposits: list[Deposited]


@dataclass
class _Till:
    """What is true when these buys are decided, and what the accepted ones leave of it."""

    at: datetime
    known: Known
    recent: list[tuple[int, str, str, datetime]]
    quotes: dict[tuple[int, int, str], catalogue.Quote]
    accounts: dict[str, payment.Accounts]
    balances: dict[tuple[int, str], int]
    levels: dict[tuple[int, int], int]
    parts: Parts
    marked: dict[tuple[int, int], Marked]
    accepted: list[_Accepted] = field(default_factory=list)

    @classmethod
    def read(
        cls,
        buys: Sequence[Buy],
        stood: Sequence[catalogue.Quote] = (),
        parts: Parts | None = None,
    ) -> _Till:
        at = clock.now()
        members = sorted({asked.member_id for asked in buys if asked.member_id is not None})
        places = {(line.item_id, asked.location_id) for asked in buys for line in asked.lines}
        known, recent = _earlier_sales(buys, members, at)
        accounts = {
            currency: payment.accounts(members, currency)
            for currency in sorted({asked.currency for asked in buys})
        }
        quotes = _quotes(buys)
        for quote in stood:
            quotes[quote.item_id, buys[0].location_id, buys[0].currency] = quote
        parts = parts_of(quotes.values()) if parts is None else parts
        return cls(
            at=at,
            known=known,
            recent=recent,
            quotes=quotes,
            accounts=accounts,
            balances={
                (member, currency): found.balance_of(member)
                for currency, found in accounts.items()
                for member in members
            },
            levels=for_sale(places, quotes.values(), parts),
            parts=parts,
            # Prices that stood before stand as they are.
            marked={}
            if stood
            else marked_at([place for place in places if place[0] in tracked(quotes.values())]),
        )

    def decide(self, asked: Buy) -> Outcome:
        earlier = self.known.get((asked.whose, asked.key))
        if earlier is not None:
            sale_id, contents = earlier
            if contents != asked.said:
                return payment.KeyReused("The purchase key was used for other goods")
            return Bought(sale_id, repeated=True)
        try:
            accepted = self._accept(asked)
        except Refusal as refusal:
            return refusal
        self.accepted.append(accepted)
        self.known[asked.whose, asked.key] = (accepted.sale_id, asked.said)
        self.recent.append((asked.whose, asked.contents, accepted.sale_id, self.at))
        return Bought(accepted.sale_id, repeated=False)

    def _accept(self, asked: Buy) -> _Accepted:
        quotes = [self._quote(asked, line) for line in asked.lines]
        if self.marked:
            wanted = self._wanted(asked)
            quotes = [reduced(each, asked.location_id, wanted, self.marked) for each in quotes]
        refuse_rises(asked.lines, quotes, self.parts, asked.currency)
        wanted, found = self._refuse_shortage(asked, quotes)
        lines = [(q, line.quantity) for q, line in zip(quotes, asked.lines)]
        deposits = deposited(lines, self.parts, asked.currency)
        total = sum(q.amount_minor * many for q, many in lines)
        total += sum(each.total_minor for each in deposits)
        if total > money.LARGEST_MINOR:
            raise Invalid("The total is larger than any sale", field="quantity")
        self._ask(asked, total)
        if asked.means == "account":
            self._spend((asked.member_id or 0, asked.currency), total)
        taken(self.marked, wanted.items())
        for place, quantity in wanted.items():
            self.levels[place] = self.levels.get(place, 0) + found.get(place, 0) - quantity
        tax = sum(money.included_tax(q.amount_minor * many, q.tax_rate_bp) for q, many in lines)
        tax += sum(each.tax_minor for each in deposits)
        return _Accepted(ids.new(), asked, quotes, total, tax, found, deposits)

    def _spend(self, owner: tuple[int, str], total: int) -> None:
        if self.balances[owner] < total:
            raise payment.InsufficientFunds(
                balance_minor=self.balances[owner], needed_minor=total, currency=owner[1]
            )
        self.balances[owner] -= total

    def _quote(self, asked: Buy, line: Line) -> catalogue.Quote:
        found = self.quotes.get((line.item_id, asked.location_id, asked.currency))
        if found is None:
            raise catalogue.ItemNotForSale("This item is not for sale here")
        return found

    def _refuse_shortage(
        self, asked: Buy, quotes: list[catalogue.Quote]
    ) -> tuple[dict[tuple[int, int], int], dict[tuple[int, int], int]]:
        """What is wanted of each place, two lines of one item counted together; and what of it the
        book does not have, where the shopper holds it and the place sells all the same."""
        found: dict[tuple[int, int], int] = {}
        wanted = self._wanted(asked)
        for quote in quotes:
            for item, each in counted(quote.item_id, 1, self.parts):
                place = (item, asked.location_id)
                missing = wanted[place] - self.levels.get(place, 0)
                if missing <= 0:
                    continue
                if not in_hand(asked.channel, asked.location_id, quote, missing):
                    self._out_of_stock(quote, wanted[place], wanted[place] - missing, each)
                found[place] = missing
        return wanted, found

    def _wanted(self, asked: Buy) -> dict[tuple[int, int], int]:
        wanted: dict[tuple[int, int], int] = {}
        for line in asked.lines:
            for item, many in counted(line.item_id, line.quantity, self.parts):
                place = (item, asked.location_id)
                wanted[place] = wanted.get(place, 0) + many
        return wanted

    def _out_of_stock(self, quote: catalogue.Quote, wanted: int, left: int, each: int) -> NoReturn:
        """`each` is how many of what is short are in one of the item."""
        left, asked = left // each, -(-wanted // each)
        raise stock.OutOfStock(
            f"{left} of {quote.code} left here, {asked} asked for",
            item=quote.code, left=left, asked=asked,
        )  # fmt: skip

    def _ask(self, asked: Buy, total: int) -> None:
        """Questions that a page wants asked: the same again so soon, so much at one tap?"""
        wishes = asked.wishes
        if wishes.ask_again_within_s is not None:
            since = self.at - timedelta(seconds=wishes.ask_again_within_s)
            for member, contents, sale_id, at in self.recent:
                if (member, contents) == (asked.whose, asked.contents) and at > since:
                    seconds = int((self.at - at).total_seconds())
                    raise BoughtJustNow(sale=sale_id, seconds=seconds)
        if wishes.confirm_over_minor is not None and total > wishes.confirm_over_minor:
            raise ConfirmFirst(total_minor=total, currency=asked.currency)


def refuse_rises(
    lines: Sequence[Line], quotes: Sequence[catalogue.Quote], parts: Parts, currency: str
) -> None:
    """A drop is passed on silently; a rise asks."""
    rises = []
    for quote, line in zip(quotes, lines):
        if line.seen_minor is None:
            continue
        now = quote.amount_minor
        if not line.without_deposit:
            now = due_minor(quote, parts, currency)
        if now > line.seen_minor:
            rises.append({"item": quote.code, "seen_minor": line.seen_minor, "price_minor": now})
    if rises:
        raise PriceRose(rises=rises, currency=currency)


# Two statements and not one with OR: each walks an index of its own, whatever a member has bought
# before, and the second is only asked for pages that want to know.
_with_keys = Prepared(
    lambda dialect: select(Sale.member_id, Sale.key, Sale.id, Sale.contents).where(
        one_of(Sale.member_id, "members", dialect), one_of(Sale.key, "keys", dialect)
    )
)
_of_sellers_with_keys = Prepared(
    lambda dialect: select(Sale.sold_by, Sale.key, Sale.id, Sale.contents, Sale.member_id).where(
        one_of(Sale.sold_by, "sellers", dialect),
        one_of(Sale.key, "keys", dialect),
        Sale.sold_by.is_not(None),
    )
)
_since = Prepared(
    lambda dialect: select(Sale.member_id, Sale.contents, Sale.id, Sale.created_at).where(
        one_of(Sale.member_id, "members", dialect),
        Sale.created_at > bindparam("since", type_=Sale.created_at.type),
    )
)


def _earlier_sales(
    buys: Sequence[Buy], members: list[int], at: datetime
) -> tuple[Known, list[tuple[int, str, str, datetime]]]:
    """Sales with these keys, and these members' sales of the last moments."""
    keys = Many({asked.key for asked in buys})
    sellers = {asked.sold_by for asked in buys if asked.sold_by is not None}
    known: Known = {}
    if any(asked.sold_by is None for asked in buys):
        found = _with_keys.all(members=Many(members), keys=keys)
        known = {(row[0], row[1]): (row[2], (row[3], row[0])) for row in found}
    if sellers:
        sold = _of_sellers_with_keys.all(sellers=Many(sellers), keys=keys)
        known |= {(-row[0], row[1]): (row[2], (row[3], row[4])) for row in sold}
    longest = max(asked.wishes.ask_again_within_s or 0 for asked in buys)
    if not longest:
        return known, []
    since = at - timedelta(seconds=longest)
    return known, [tuple(row) for row in _since.all(members=Many(members), since=since)]


def _quotes(buys: Sequence[Buy]) -> dict[tuple[int, int, str], catalogue.Quote]:
    wanted: dict[tuple[int, str], set[int]] = {}
    for asked in buys:
        items = wanted.setdefault((asked.location_id, asked.currency), set())
        items.update(line.item_id for line in asked.lines)
    return {
        (item, location, currency): quote
        for (location, currency), items in sorted(wanted.items())
        for item, quote in catalogue.quotes(sorted(items), location, currency).items()
    }


_insert_sales = Prepared(
    lambda dialect: insert(Sale),
    (
        "id", "member_id", "key", "contents", "location_id", "channel", "means", "state",
        "currency", "total_minor", "tax_minor", "sold_by", "created_at",
    ),
)  # fmt: skip
_insert_lines = Prepared(
    lambda dialect: insert(SaleLine),
    (
        "sale_id", "position", "item_id", "names", "quantity", "unit_minor", "total_minor",
        "tax_minor", "tax_rate_bp", "label_id",
    ),
)  # fmt: skip

_insert_deposits = Prepared(
    lambda dialect: insert(SaleLine),
    (
        "sale_id", "position", "item_id", "names", "quantity", "unit_minor", "total_minor",
        "tax_minor", "tax_rate_bp", "label_id", "kind", "of_position",
    ),
)  # fmt: skip


def _write(till: _Till) -> None:
    """Write the accepted buys. Raises _Overtaken when a guard says that things changed."""
    accepted, at = till.accepted, till.at
    for currency, accounts in till.accounts.items():
        payments = [
            payment.Payment(sale.asked.member_id, sale.total_minor, sale.sale_id, sale.asked.means,
                            sale.asked.attempt_id, sum(each.total_minor for each in sale.deposits))
            for sale in accepted
            if sale.asked.currency == currency
        ]  # fmt: skip
        if not payment.charge(payments, accounts, at):
            raise _Overtaken
    _insert_sales.run([_sale_row(sale, at) for sale in accepted])
    _insert_lines.run([row for sale in accepted for row in _line_rows(sale)])
    deposits = [
        row
        for sale in accepted
        for row in deposit_rows(sale.sale_id, sale.deposits, len(sale.quotes))
    ]
    if deposits:
        _insert_deposits.run(deposits)
    outbox.put_many("sale.paid", [sale.sale_id for sale in accepted], at)
    wants = [
        stock.Want(line.item_id, sale.asked.location_id, line.quantity, sale.sale_id,
                   sale.asked.member_id or sale.asked.sold_by)
        for sale in accepted
        for line in sale.asked.lines
    ]  # fmt: skip
    for sale in accepted:
        if sale.found:
            lost = [stock.Want(*place, many) for place, many in sale.found.items()]
            stock.find(lost, at, note=sale.sale_id)
    try:
        quotes = [quote for sale in accepted for quote in sale.quotes]
        wants = leaving(wants, quotes, till.parts)
    except stock.OutOfStock as error:
        raise _Overtaken from error
    if not stock.take(wants, at):
        raise _Overtaken


def _sale_row(sale: _Accepted, at: datetime) -> dict[str, object]:
    asked = sale.asked
    return {
        "id": sale.sale_id, "member_id": asked.member_id, "key": asked.key,
        "contents": asked.contents, "location_id": asked.location_id, "channel": asked.channel,
        "means": asked.means, "state": "paid", "currency": asked.currency,
        "total_minor": sale.total_minor, "tax_minor": sale.tax_minor, "sold_by": asked.sold_by,
        "created_at": at,
    }  # fmt: skip


def _line_rows(sale: _Accepted) -> list[dict[str, object]]:
    rows = []
    for position, (line, quote) in enumerate(zip(sale.asked.lines, sale.quotes), start=1):
        total = quote.amount_minor * line.quantity
        rows.append({
            "sale_id": sale.sale_id, "position": position, "item_id": line.item_id,
            "names": quote.names, "quantity": line.quantity, "unit_minor": quote.amount_minor,
            "total_minor": total, "tax_minor": money.included_tax(total, quote.tax_rate_bp),
            "tax_rate_bp": quote.tax_rate_bp, "label_id": line.label_id,
        })  # fmt: skip
    return rows
