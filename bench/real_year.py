"""A real year through the shop: the 541,909 lines of a British gift shop, dirt included.

    python -m bench real_year            the whole file (or: python -m bench.real_year 60000)

Items, opening counts and adjustments come in over the feed; every invoice is a sale, at its own
time and its own prices; a line of a cancelled invoice gives back units of an earlier sale of the
same shopper, item and price. What cannot be taken is counted with its reason. In the end levels and
takings must be what an independent sum of the same file says, and the audit must be clean.

The file is not part of the project: it is looked for beside it, in ../shared/data.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import select, text

from store import catalogue, clock, create_app, identity, integration, outbox, payment, sales, stock
from store.db import connection, db, transaction
from store.errors import Refusal
from store.identity import passwords
from store.reports import oracle

FILE = Path(__file__).resolve().parents[2] / "shared/data/online_retail_uci.csv.gz"
OPENING = 1_000_000
MOST_PIECES = 9_999
MOST_LINES = 200
FUNDS_MINOR = 10**11
OPENED = datetime(2010, 11, 30, tzinfo=UTC)


class Row(NamedTuple):
    number: int
    invoice: str
    item: str
    name: str
    quantity: int
    at: datetime
    price: Decimal
    customer: str

    @property
    def kind(self) -> str:
        """What a line is, said once for the replay and for the sum."""
        if self.price < 0 or self.price * 100 % 1:
            return "not a price"
        if self.invoice.startswith("C"):
            return "return"
        if self.quantity < 0:
            return "written off"
        return "sold" if self.price or self.customer else "found"

    @property
    def minor(self) -> int:
        return int(self.price * 100)


def rows(most: int | None = None) -> Iterator[Row]:
    with gzip.open(FILE, "rt", encoding="utf-8", newline="") as file:
        for number, line in enumerate(itertools.islice(csv.DictReader(file), most), start=2):
            yield Row(
                number, line["InvoiceNo"], line["StockCode"].strip().upper(),
                line["Description"].strip(), int(line["Quantity"]),
                datetime.fromisoformat(line["InvoiceDate"]).replace(tzinfo=UTC),
                Decimal(line["UnitPrice"]), line["CustomerID"],
            )  # fmt: skip


class Sums(NamedTuple):
    levels: dict[str, int]
    sold_minor: int
    returned_minor: int
    kinds: Counter[str]


def independent(found: Iterable[Row]) -> Sums:
    """The same file added up without the shop."""
    levels: dict[str, int] = defaultdict(lambda: OPENING)
    sold = returned = 0
    kinds: Counter[str] = Counter()
    for row in found:
        kinds[row.kind] += 1
        levels[row.item] += 0
        if row.kind == "not a price":
            continue
        levels[row.item] += row.quantity if row.kind == "found" else -row.quantity
        if row.kind == "written off":
            levels[row.item] += 2 * row.quantity
        if row.kind == "sold":
            sold += row.quantity * row.minor
        elif row.kind == "return":
            returned -= row.quantity * row.minor
    return Sums(dict(levels), sold, returned, kinds)


class Tenth(NamedTuple):
    """Lines a second of a tenth of the file: by the clock, and by the processor's time, which does
    not count what others on the machine do meanwhile."""

    clock: float
    processor: float
    a_sold_line_us: float


class Sold(NamedTuple):
    sale_id: str
    position: int
    left: list[int]


@dataclass
class Replay:
    """The shop that lives through the year."""

    item_ids: dict[str, int]
    members: dict[str, int]
    place: int
    staff: int
    prices: dict[str, int] = field(default_factory=dict)
    sold: dict[tuple[str, str, int], list[Sold]] = field(default_factory=lambda: defaultdict(list))
    refused: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    spent_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    unmatched_minor: int = 0

    def invoice(self, number: int, lines: Sequence[Row]) -> None:
        # A microsecond for each, so that no two prices of an item begin at one moment.
        clock.set_now(lines[0].at + timedelta(microseconds=number))
        of_kind: dict[str, list[Row]] = defaultdict(list)
        for row in lines:
            of_kind[row.kind].append(row)
        dirt = len(of_kind["not a price"])
        if dirt:
            self.refused["not a price: below zero, or finer than a penny"] += dirt
        for part, goods in enumerate(_parts(of_kind["sold"])):
            self._price(goods)
            with self._timed("sales"):
                self._sell(f"{number}-{part}", goods)
        with self._timed("returns"):
            self._give_back(of_kind["return"])
        with self._timed("adjustments"):
            self._adjust([*of_kind["found"], *of_kind["written off"]])

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        began = time.process_time()
        yield
        self.spent_s[what] += time.process_time() - began

    def _price(self, goods: list[Row]) -> None:
        changed = {row.item: row.minor for row in goods if self.prices.get(row.item) != row.minor}
        if not changed:
            return
        with self._timed("prices"), transaction():
            for item, minor in changed.items():
                self.taken["new prices"] += catalogue.set_price(self.item_ids[item], minor, "GBP")
        self.prices |= changed

    def _sell(self, key: str, goods: list[Row]) -> None:
        pieces = [(row, many) for row in goods for many in _pieces(row.quantity)]
        lines = tuple(sales.Line(self.item_ids[row.item], many) for row, many in pieces)
        who = goods[0].customer
        try:
            bought = sales.buy(sales.Buy(self.members[who], self.place, "GBP", lines, key, "web"))
        except Refusal as refusal:
            self.refused[refusal.code] += len(goods)
            return
        self.taken["sold"] += len(goods)
        for position, (row, many) in enumerate(pieces, start=1):
            self.sold[who, row.item, row.minor].append(Sold(bought.sale_id, position, [many]))

    def _give_back(self, lines: list[Row]) -> None:
        """Units of the newest sales that fit; what fits none comes back as goods without money."""
        parts: dict[str, list[sales.Part]] = defaultdict(list)
        without: list[Row] = []
        for row in lines:
            left = -row.quantity
            for earlier in reversed(self.sold[row.customer, row.item, row.minor]):
                many = min(left, earlier.left[0])
                if many:
                    parts[earlier.sale_id].append(sales.Part(earlier.position, many))
                    earlier.left[0] -= many
                    left -= many
                if not left:
                    break
            if left:
                self.refused["a return without a sale to give back"] += 1
                self.unmatched_minor += left * row.minor
                without.append(row._replace(quantity=left))
            else:
                self.taken["returned"] += 1
        for sale_id, given in parts.items():
            sales.refund(sale_id, made_by=self.staff, reason=lines[0].invoice, parts=given)
        self._adjust(without, "returned")

    def _adjust(self, lines: list[Row], why: str = "") -> None:
        if not lines:
            return
        sent = [
            {
                "id": f"{why}{row.number}", "item": row.item, "location": "MAIN",
                "change": row.quantity, "at": clock.now().isoformat(),
                "why": why or ("found" if row.quantity > 0 else "written_off"),
            }
            for row in lines
        ]  # fmt: skip
        for row, outcome in zip(lines, _feed("stock", sent)):
            if outcome.state == "applied":
                self.taken["came back without money" if why else row.kind] += 1
            else:
                self.refused[outcome.code] += 1


def _parts(goods: list[Row]) -> Iterator[list[Row]]:
    """An invoice as sales: an item has one price in each, and no sale has more than 200 lines."""
    part: list[Row] = []
    prices: dict[str, int] = {}
    many = 0
    for row in goods:
        here = len(_pieces(row.quantity))
        if prices.get(row.item, row.minor) != row.minor or many + here > MOST_LINES:
            yield part
            part, prices, many = [], {}, 0
        part.append(row)
        prices[row.item] = row.minor
        many += here
    if part:
        yield part


def _pieces(quantity: int) -> list[int]:
    """A line of a sale has at most 9,999 pieces."""
    whole, rest = divmod(quantity, MOST_PIECES)
    return [MOST_PIECES] * whole + ([rest] if rest else [])


def _feed(feed: str, sent: Sequence[dict[str, Any]]) -> list[integration.Outcome]:
    outcomes: list[integration.Outcome] = []
    for at in range(0, len(sent), integration.MOST_ENTRIES):
        with transaction():
            entries = [
                integration.read(feed, one, "GBP", "en")
                for one in sent[at : at + integration.MOST_ENTRIES]
            ]
            outcomes += integration.take("ledger", entries, None)
    return outcomes


def open_shop(found: Sequence[Row]) -> Replay:
    """Items and opening counts over the feed, an account with money for every customer."""
    clock.set_now(OPENED)
    passwords.set_hasher(passwords.QUICK)
    with transaction():
        place = stock.add_location("MAIN", "Gift shop").id
        staff = identity.add_member("staff@example.com", "a-long-password-1", role="staff").id
        members = {}
        for customer in sorted({row.customer for row in found} | {""}):
            email = f"customer{customer or '-walk-in'}@example.com"
            members[customer] = identity.add_member(email, "a-long-password-1").id
            payment.deposit(members[customer], FUNDS_MINOR, "GBP", "cash")
    names: dict[str, str] = {}
    for row in found:
        names[row.item] = names.get(row.item) or row.name
    at = OPENED.isoformat()
    _feed("items", [
        {"id": f"item {item}", "item": item, "sku": item, "name": name or item, "at": at}
        for item, name in names.items()
    ])  # fmt: skip
    counts = [
        {"id": f"count {item}", "item": item, "location": "MAIN", "count": OPENING, "at": at}
        for item in names
    ]
    wrong = [one for one in _feed("stock", counts) if one.state != "applied"]
    assert not wrong, wrong[:3]
    items = connection().execute(select(catalogue.Item.sku, catalogue.Item.id))
    return Replay({str(row[0]): row[1] for row in items}, members, place, staff)


def live(replay: Replay, found: Sequence[Row]) -> list[Tenth]:
    """Live through the file; answers the rate in each tenth of it. Between the tenths the worker
    does what waits, which is no part of the rate."""
    invoices = [list(lines) for _, lines in itertools.groupby(found, lambda row: row.invoice)]
    rates, done, tenth = list[Tenth](), 0, 0
    began, sold = (time.perf_counter(), time.process_time()), (0, 0.0)
    for number, lines in enumerate(invoices):
        replay.invoice(number, lines)
        done += len(lines)
        if done - tenth >= len(found) / 10 or number == len(invoices) - 1:
            took = time.perf_counter() - began[0], time.process_time() - began[1]
            now = replay.taken["sold"], replay.spent_s["sales"]
            a_line_us = (now[1] - sold[1]) / max(now[0] - sold[0], 1) * 1e6
            clock_, processor = ((done - tenth) / each for each in took)
            rates.append(Tenth(clock_, processor, a_line_us))
            print(f"  {done:9,} lines, {_told(rates[-1])}", file=sys.stderr, flush=True)
            outbox.work()
            integration.follow()
            tenth, sold, began = done, now, (time.perf_counter(), time.process_time())
    return rates


def _told(rate: Tenth) -> str:
    return (f"{rate.clock:,.0f} a second, {rate.processor:,.0f} a second of the processor's,"
            f" {rate.a_sold_line_us:,.0f} µs for a line sold")  # fmt: skip


def differences(replay: Replay, wanted: Sums) -> list[str]:
    """What the shop's books and the independent sum do not agree on."""
    db.session.rollback()
    query = text("SELECT i.sku, l.on_hand FROM levels l JOIN items i ON i.id = l.item_id")
    levels = {row[0]: row[1] for row in connection().execute(query)}
    faults = [
        f"{item}: {levels.get(item)} on hand, {wanted.levels[item]} by the file"
        for item in wanted.levels
        if levels.get(item) != wanted.levels[item]
    ]
    sold = connection().execute(text("SELECT COALESCE(SUM(total_minor), 0) FROM sales")).scalar()
    back = connection().execute(text("SELECT COALESCE(SUM(total_minor), 0) FROM refunds")).scalar()
    if int(sold or 0) != wanted.sold_minor:
        faults.append(f"sold for {sold}, {wanted.sold_minor} by the file")
    if int(back or 0) + replay.unmatched_minor != wanted.returned_minor:
        faults.append(
            f"given back {back} and {replay.unmatched_minor}, {wanted.returned_minor} by the file"
        )
    return faults + [str(one) for one in oracle.audit() if one.count]


def run(app: Flask, found: Sequence[Row]) -> tuple[Replay, list[Tenth], list[str]]:
    with app.app_context():
        try:
            replay = open_shop(found)
            rates = live(replay, found)
            return replay, rates, differences(replay, independent(found))
        finally:
            clock.set_now(None)
            db.session.remove()


def main() -> None:
    if not FILE.exists():
        print(f"real year: {FILE.name} is not beside this project", file=sys.stderr)
        return
    most = int(sys.argv[1]) if len(sys.argv) > 1 else None
    found = list(rows(most))
    with tempfile.TemporaryDirectory() as folder:
        app = create_app({"INSTANCE": folder, "CURRENCY": "GBP", "TAX_RATE": "20",
                          "TIME_ZONE": "Europe/London"})  # fmt: skip
        with app.app_context():
            upgrade()
        began = time.perf_counter()
        replay, rates, faults = run(app, found)
        took = time.perf_counter() - began
    wanted = independent(found)
    print(f"\na real year (SQLite): {len(found):,} lines in {took:,.0f} s")
    for what, many in replay.taken.most_common():
        print(f"  {many:9,} {what}")
    for why, many in replay.refused.most_common():
        print(f"  {many:9,} refused: {why}")
    print(f"  sold for {wanted.sold_minor / 100:,.2f}, returned {wanted.returned_minor / 100:,.2f}"
          f" (of it without a sale: {replay.unmatched_minor / 100:,.2f})")  # fmt: skip
    for what, spent in replay.spent_s.items():
        print(f"  {spent:9,.1f} s of the processor's for {what}")
    print(f"  first tenth: {_told(rates[0])}; last tenth: {_told(rates[-1])}")
    print("  levels and takings agree with the file" if not faults else "\n".join(faults[:20]))
    if faults:
        sys.exit(1)


if __name__ == "__main__":
    main()
