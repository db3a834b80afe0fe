"""Sales that a till made while it had no network, told later: each stands once, as it was charged.

The goods are gone and the money is taken, so nothing is refused for want of stock: what the book
lacks is booked as found beside the sale, and staff are told to look and count. On hand stays the
sum of its movements and never below zero. The sale counts in the hour in which it was made.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from ... import (
    catalogue,
    clock,
    ids,
    money,
    outbox,
    payment,
    stock,
    web,
)
from ...db import (
    connection,
    in_transaction,
    repeatable,
    transaction,
)
from ...errors import Invalid, Refusal, Unavailable
from ..ages.ages import age_of, wrote
from ..buying import Bought
from ..goods import (
    Deposited,
    Parts,
    carried,
    deposit_rows,
    parts_of,
)
from ..models import Sale, SaleLine
from ..receipts.receipts import is_on_top
from ..rounding import of_sale
from .empties import Returned, take_back_in
from .offline_stock import Overtaken, leave

AHEAD = timedelta(minutes=5)
BEFORE = timedelta(days=90)


class ClockWrong(Refusal):
    """The till says a time that cannot be: tomorrow, or long past. `data`: at, now."""

    code = "clock_wrong"
    status = 422
    title = "The time of this sale cannot be"


@dataclass(frozen=True)
class Charged:
    """So many of an item, at the unit price that the till charged, and what it charged as deposit
    on each; of a batch where the pack said one."""

    item_id: int
    quantity: int
    unit_minor: int
    deposit_minor: int = 0
    batch: str = ""


@dataclass(frozen=True)
class OfflineSale:
    """A sale as the till made it. `key` is its own id for it, unique per seller. One that was
    `begun_online` has the key of a basket that the till may have paid while there was a network.
    `empties` came back with it: how many of each kind of deposit (its item's id), and their sum as
    the till paid it."""

    member_id: int | None
    location_id: int
    currency: str
    lines: tuple[Charged, ...]
    key: str
    means: str
    sold_by: int
    at: datetime
    begun_online: bool = False
    empties: tuple[tuple[int, int], ...] = ()
    empties_minor: int = 0
    age_checked: int = 0
    """Who sold it had seen that whoever took it along was so old."""

    @property
    def contents(self) -> str:
        goods = [(line.item_id, line.quantity, line.unit_minor) for line in self.lines]
        deposits = [line.deposit_minor for line in self.lines]
        said = f"|{deposits}" if any(deposits) else ""
        batches = [line.batch for line in self.lines]
        if any(batches):
            said += f"|{batches}"
        if self.empties:
            said += f"|{self.empties}|{self.empties_minor}"
        text = (
            f"{self.location_id}|{self.currency}|{goods}|{self.means}|{self.at.isoformat()}{said}"
        )
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def total_minor(self) -> int:
        return self.deposit_minor + sum(line.quantity * line.unit_minor for line in self.lines)

    @property
    def deposit_minor(self) -> int:
        return sum(line.quantity * line.deposit_minor for line in self.lines)


def take_in(asked: OfflineSale) -> tuple[Bought, dict[str, int]]:
    """The sale that stands now, and what the book lacked of it, by code. Raises Invalid, KeyReused
    (its id with other contents), ClockWrong, ItemNotForSale (no such item), Unavailable."""
    if asked.means not in ("cash", "card"):
        raise Invalid("Without the network a till takes cash or a card", field="means")
    if asked.total_minor > money.LARGEST_MINOR:
        raise Invalid("The total is larger than any sale", field="quantity")
    if asked.means == "card" and asked.empties_minor > asked.total_minor:
        raise Invalid("A card takes money; what is left is given in cash", field="means")
    for _ in range(4):
        try:
            return _take_in(asked)
        except (Overtaken, IntegrityError):
            continue
    raise Unavailable("The shop could not settle this just now")


@repeatable
def _take_in(asked: OfflineSale) -> tuple[Bought, dict[str, int]]:
    with transaction() as session:
        same = select(Sale.id, Sale.contents, Sale.member_id)
        known = session.execute(
            same.where(Sale.sold_by == asked.sold_by, Sale.key == asked.key)
        ).first()
        if known is not None:
            same_again = (known.contents, known.member_id) == (asked.contents, asked.member_id)
            if not same_again and not (asked.begun_online and _is(known.id, asked)):
                raise payment.KeyReused("The id was used for another sale")
            _take_empties(asked, known.id)  # Once: what came off it with a network is known.
            return Bought(known.id, repeated=True), {}
        now, sale_id = clock.now(), ids.new()
        if not now - BEFORE <= asked.at <= now + AHEAD:
            raise ClockWrong(at=asked.at.isoformat(), now=now.isoformat())
        _seen(asked, sale_id, _write(asked, sale_id, now))
        _take_empties(asked, sale_id)
        return Bought(sale_id, repeated=False), _leave(asked, sale_id, now)


def _take_empties(asked: OfflineSale, sale_id: str) -> None:
    """Joiner: the empties that came back with a sale, once."""
    if not asked.empties:
        return
    came = Returned(
        asked.location_id, asked.currency, dict(asked.empties), asked.key, asked.sold_by,
        asked.member_id, asked.means, at=min(asked.at, clock.now()),
    )  # fmt: skip
    _, paid = take_back_in(came, sale_id)
    if paid != asked.empties_minor:
        raise Invalid("These empties are worth another sum", field="empties")


def _leave(asked: OfflineSale, sale_id: str, now: datetime) -> dict[str, int]:
    """Joiner: the goods leave the shelf; answers what was not there, by the item's code. Staff are
    told of it."""
    day = clock.day_of(asked.at, web.setting("TIME_ZONE"))
    want = stock.Want(0, asked.location_id, 0, sale_id, asked.member_id or asked.sold_by)
    goods = [(line.item_id, line.quantity, line.batch) for line in asked.lines]
    lacking = leave(want, goods, day, now)
    for item in sorted(lacking):
        stock.open_task(
            "oversold", asked.location_id, item, note=sale_id, member_id=asked.sold_by
        )  # fmt: skip
    return {_code(item): many for item, many in lacking.items()}


def _code(item_id: int) -> str:
    query = select(catalogue.Item.code).where(catalogue.Item.id == item_id)
    return str(connection().execute(query).scalar_one())


def _is(sale_id: str, asked: OfflineSale) -> bool:
    """Whether that sale is this one, made in the moment in which the network went: the same goods
    at the same prices, paid in the same way, in the same name."""
    head = select(Sale.means, Sale.member_id, Sale.total_minor).where(Sale.id == sale_id)
    line = select(SaleLine.item_id, SaleLine.quantity, SaleLine.unit_minor, SaleLine.total_minor,
                  SaleLine.tax_minor, SaleLine.tax_rate_bp, SaleLine.off_minor)  # fmt: skip
    line = line.where(SaleLine.sale_id == sale_id, SaleLine.kind == "goods")
    goods = sorted((each.item_id, each.quantity, each.unit_minor) for each in asked.lines)
    rows = connection().execute(line).all()
    made = sorted((row.item_id, row.quantity, _of_one(row)) for row in rows)
    means, member_id, total = connection().execute(head).one()
    # Where tax comes on top, a till without a network reckons it for each unit, not for the line.
    total += sum(_of_one(row) * row.quantity - row.total_minor for row in rows if not row.off_minor)
    paid = (means, member_id, total)
    return paid == (asked.means, asked.member_id, asked.total_minor) and made == goods


def _of_one(line: Any) -> int:
    """What one of a line cost with its tax."""
    priced = line.quantity * line.unit_minor - line.off_minor
    on_top = is_on_top(priced, line.total_minor, line.tax_minor)
    return money.taxed(line.unit_minor, line.tax_rate_bp, on_top).total_minor


def _seen(asked: OfflineSale, sale_id: str, least_age: int) -> None:
    """Joiner: the goods are gone; whether somebody had looked at an age is kept."""
    if least_age:
        state = "yes" if asked.age_checked >= least_age else "missed"
        at = min(asked.at, clock.now())
        wrote(sale_id, least_age, asked.location_id, "till", state, asked.sold_by, at)


def _write(asked: OfflineSale, sale_id: str, now: datetime) -> int:
    """Joiner: the sale with its lines, and the money in cash or by card; answers from which age it
    is."""
    items = catalogue.as_sold({line.item_id for line in asked.lines})
    if any(line.item_id not in items for line in asked.lines):
        raise catalogue.ItemNotForSale("There is no such item")
    rows, deposits = list[dict[str, Any]](), list[Deposited]()
    parts = parts_of(items.values())
    for position, line in enumerate(asked.lines, start=1):
        quote = items[line.item_id]
        found = _deposits(line, quote, parts, asked.currency, position)
        unit = line.unit_minor if found else line.unit_minor + line.deposit_minor
        total, rate = line.quantity * unit, quote.tax_rate_bp
        deposits += found
        rows.append({
            "sale_id": sale_id, "position": position, "item_id": line.item_id,
            "names": quote.names, "quantity": line.quantity,
            "unit_minor": unit, "total_minor": total,
            "tax_minor": money.included_tax(total, rate), "tax_rate_bp": rate,
            "label_id": None, "kind": "goods", "of_position": None, "off_minor": 0,
            "least_age": age_of(quote, parts),
        })  # fmt: skip
    rows += deposit_rows(sale_id, deposits, len(rows))
    turned = of_sale(asked.means, asked.total_minor, asked.currency)
    sale = {
        "id": sale_id, "member_id": asked.member_id, "key": asked.key,
        "contents": asked.contents, "location_id": asked.location_id, "channel": "till",
        "means": asked.means, "state": "paid", "currency": asked.currency,
        "total_minor": asked.total_minor, "tax_minor": sum(row["tax_minor"] for row in rows),
        "rounding_minor": turned, "sold_by": asked.sold_by, "created_at": min(asked.at, now),
    }  # fmt: skip
    in_transaction().connection().execute(insert(Sale), [sale])
    in_transaction().connection().execute(insert(SaleLine), rows)
    owed = sum(each.total_minor for each in deposits)
    paid = payment.Payment(
        asked.member_id, asked.total_minor, sale_id, asked.means, deposit_minor=owed
    )
    payment.charge([paid], payment.accounts([], asked.currency), now)
    payment.book_rounding([payment.Rounded(sale_id, sale_id, turned)], asked.currency, now)
    outbox.put_many("sale.paid", [sale_id], now)
    return max(int(row["least_age"]) for row in rows)


def _deposits(
    line: Charged, quote: catalogue.Quote, parts: Parts, currency: str, position: int
) -> list[Deposited]:
    """The deposits that a till charged with a line: those that the item carries, or else a kind of
    that amount. Where there is none, what was charged stays in the price: none of it is lost."""
    if not line.deposit_minor:
        return []
    each = list(carried(quote, parts, currency))
    if sum(one.amount_minor * many for one, many in each) != line.deposit_minor:
        kinds = catalogue.deposits(currency)
        each = [(one, 1) for one in kinds if one.amount_minor == line.deposit_minor][:1]
    return [Deposited(position, one, many * line.quantity) for one, many in each]
