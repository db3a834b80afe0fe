"""A real year on the owner's pages: every figure against the file, added up without the shop.

    python -m bench real_figures [EVERY]

Each invoice of the Online Retail data is a sale, each country a place, each customer a shopper;
what an invoice of returns gives back goes to the newest sales that fit. The figures of the reports
(in all, by month, place, item, shopper; sales, returns, and margins by made-up costs) are then held
against plain sums over the lines of the file, and value of stock, turnover, days of stock and dead
stock against every day of it (`real_stock`). EVERY takes each so-manieth customer (of nobody's:
invoice) only.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import insert

from store import create_app, ids, reports
from store.catalogue.models import Item, ItemCost
from store.db import db, transaction
from store.identity.models import Member
from store.payment.models import Account, Transfer
from store.reports import figures
from store.reports.stock import costing
from store.sales.models import Refund, RefundLine, Sale, SaleLine
from store.stock.models import Location

from . import real_stock
from .real_stock import cost_of
from .real_year import FILE
from .sales_page import _insert

SETTINGS = {"CURRENCY": "GBP", "TIME_ZONE": "Europe/London"}
ZONE = ZoneInfo("Europe/London")
YEAR = {"from": "2010-12-01", "to": "2011-12-31", "by": "month"}

Row = dict[str, Any]


class Fact(NamedTuple):
    """One line of the file that counts: what was sold, or (`back`) given back."""

    invoice: str
    at: datetime
    country: str
    customer: str
    item: str
    quantity: int
    minor: int
    back: bool


def facts(every: int = 1) -> list[Fact]:
    """The file's lines with a price in whole pennies. A return counts as far as earlier sales of
    the customer have units of this item at this price left in this country."""
    found: list[Fact] = []
    left: dict[tuple[str, ...], int] = defaultdict(int)
    with gzip.open(FILE, "rt", encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            customer = line["CustomerID"]
            if int(customer or line["InvoiceNo"].lstrip("AC")) % every:
                continue
            price = Decimal(line["UnitPrice"])
            if price < 0 or price * 100 % 1:
                continue
            fact = Fact(
                line["InvoiceNo"], datetime.fromisoformat(line["InvoiceDate"]).replace(tzinfo=UTC),
                line["Country"], customer, line["StockCode"].strip().upper(),
                int(line["Quantity"]), int(price * 100), line["InvoiceNo"].startswith("C"),
            )  # fmt: skip
            goods = (fact.country, customer, fact.item, str(fact.minor))
            if not fact.back and fact.quantity > 0:
                left[goods] += fact.quantity
                found.append(fact)
            elif fact.back and left[goods]:
                many = min(-fact.quantity, left[goods])
                left[goods] -= many
                found.append(fact._replace(quantity=many))
    return found


@dataclass
class _Books:
    """The rows of the shop that these facts make."""

    rows: dict[type[Any], list[Row]] = field(default_factory=lambda: defaultdict(list))
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    units: dict[tuple[str, ...], list[Row]] = field(default_factory=lambda: defaultdict(list))
    made: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def number(self, kind: str, name: str) -> int:
        return self.numbers.setdefault((kind, name), len(self.numbers) + 1)

    def sell(self, lines: list[Fact]) -> None:
        one = lines[0]
        sale_id = self._id(one.at)
        total = sum(each.quantity * each.minor for each in lines)
        nobody = not one.customer
        self.rows[Sale].append({
            "id": sale_id, "member_id": None if nobody else self.number("shopper", one.customer),
            "key": sale_id, "contents": "", "location_id": self.number("place", one.country),
            "channel": "till" if nobody else "web", "means": "cash" if nobody else "account",
            "state": "paid", "currency": "GBP", "total_minor": total, "tax_minor": total // 6,
            "sold_by": 1 if nobody else None, "created_at": one.at,
        })  # fmt: skip
        for position, each in enumerate(lines, start=1):
            row = {
                "sale_id": sale_id, "position": position, "item_id": self.number("item", each.item),
                "names": {"en": each.item}, "quantity": each.quantity, "unit_minor": each.minor,
                "total_minor": each.quantity * each.minor, "tax_minor": 0, "tax_rate_bp": 2000,
                "label_id": None, "quantity_refunded": 0,
            }  # fmt: skip
            self.rows[SaleLine].append(row)
            self.units[each.country, each.customer, each.item, str(each.minor)].append(row)
        self._move("charge", total, sale_id, one.at)

    def give_back(self, lines: list[Fact]) -> None:
        parts: dict[str, dict[int, Row]] = defaultdict(dict)
        for each in lines:
            many = each.quantity
            goods = (each.country, each.customer, each.item, str(each.minor))
            for row in reversed(self.units[goods]):
                some = min(many, row["quantity"] - row["quantity_refunded"])
                if some:
                    row["quantity_refunded"] += some
                    many -= some
                    part = parts[row["sale_id"]].setdefault(row["position"], {
                        "position": row["position"], "item_id": row["item_id"], "quantity": 0,
                        "total_minor": 0, "tax_minor": 0,
                    })  # fmt: skip
                    part["quantity"] += some
                    part["total_minor"] += some * each.minor
        for sale_id, of_sale in parts.items():
            refund_id, at = self._id(lines[0].at), lines[0].at
            total = sum(part["total_minor"] for part in of_sale.values())
            self.rows[Refund].append({
                "id": refund_id, "sale_id": sale_id, "total_minor": total, "tax_minor": 0,
                "reason": "", "made_by": 1, "created_at": at,
            })  # fmt: skip
            self.rows[RefundLine] += [{"refund_id": refund_id} | part for part in of_sale.values()]
            self._move("refund", total, sale_id, at)

    def _move(self, reason: str, total: int, sale_id: str, at: datetime) -> None:
        if total:
            self.rows[Transfer].append({
                "debit_id": 1, "credit_id": 2, "amount_minor": total, "currency": "GBP",
                "reason": reason, "sale_id": sale_id, "at": at,
            })  # fmt: skip

    def _id(self, at: datetime) -> str:
        return ids.encode(int(at.timestamp() * 1000) << 52 | next(self.made), 20)


def _cost(books: _Books, known: list[tuple[int, str]]) -> None:
    """What the lines cost, booked as the worker books it with their events."""
    with transaction() as session:
        session.execute(insert(ItemCost), [
            {"item_id": number, "currency": "GBP", "hundredths": 100 * cost, "why": "said",
             "starts_at": datetime(2010, 11, 30, tzinfo=UTC)}
            for number, name in known if (cost := cost_of(name)) is not None
        ])  # fmt: skip
    for model, place in ((Sale, 0), (Refund, 1)):
        named = [row["id"] for row in books.rows[model]]
        for at in range(0, len(named), 500):
            some = named[at : at + 500]
            with transaction():
                costing.book(*(([], some) if place else (some, [])))


def load(found: list[Fact]) -> None:
    """The facts as the rows that the till would have written, and their sums."""
    books, now = _Books(), datetime(2010, 11, 30, tzinfo=UTC)
    books.number("shopper", "")
    invoices: dict[tuple[str, bool], list[Fact]] = defaultdict(list)
    for fact in found:  # The lines of one invoice do not always stand together.
        invoices[fact.invoice, fact.back].append(fact)
    for (_, back), lines in invoices.items():
        (books.give_back if back else books.sell)(lines)
    named: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for (kind, name), number in books.numbers.items():
        named[kind].append((number, name))
    people = [{"id": number, "name": name or "Staff", "created_at": now}
              for number, name in named["shopper"]]  # fmt: skip
    places = [{"id": number, "code": name[:32], "name": name, "created_at": now}
              for number, name in named["place"]]  # fmt: skip
    items = [{"id": number, "code": f"I{number}", "sku": name, "names": {"en": name},
              "descriptions": {}, "tax_rate_bp": 2000, "created_at": now, "updated_at": now}
             for number, name in named["item"]]  # fmt: skip
    accounts = [{"id": at, "code": str(at), "currency": "GBP"} for at in (1, 2)]
    with db.engine.begin() as connection:
        made: tuple[tuple[type[Any], list[Row]], ...] = (
            (Member, people), (Location, places), (Item, items), (Account, accounts),
            *((model, books.rows[model]) for model in (Sale, SaleLine, Refund, RefundLine)),
            (Transfer, books.rows[Transfer]),
        )  # fmt: skip
        for model, rows in made:
            _insert(connection, model, iter(rows))
    _cost(books, named["item"])
    reports.rebuild()


Sums = tuple[int, int, int]
"""Pieces, takings and what was given back, in pennies."""


def summed(found: list[Fact], key: Callable[[Fact], Any] = lambda fact: None) -> dict[Any, Sums]:
    """The plainest reckoning there is: one loop over the lines of the file."""
    sums: dict[Any, Sums] = defaultdict(lambda: (0, 0, 0))
    for fact in found:
        sign, total = (-1 if fact.back else 1), fact.quantity * fact.minor
        pieces, taken, back = sums[key(fact)]
        sums[key(fact)] = (
            pieces + sign * fact.quantity, taken + sign * total, back + (total if fact.back else 0)
        )  # fmt: skip
    return dict(sums)


def margins(found: list[Fact], key: Callable[[Fact], Any] = lambda fact: None) -> dict[Any, Sums]:
    """What of the takings is of known cost, and that cost; the third figure stays 0."""
    sums: dict[Any, Sums] = defaultdict(lambda: (0, 0, 0))
    for fact in found:
        sign, cost = (-1 if fact.back else 1), cost_of(fact.item)
        known, paid, _ = sums[key(fact)]
        if cost is not None:
            known += sign * fact.quantity * fact.minor
            paid += sign * fact.quantity * cost
        sums[key(fact)] = known, paid, 0
    return dict(sums)


def _margin_of(one: reports.Figures) -> Sums:
    return one.costed_minor, one.cost_minor, 0


def _of(one: reports.Figures) -> Sums:
    return one.quantity, one.total_minor, one.refunded_minor


def differences(found: list[Fact]) -> list[str]:
    """Where reports and file do not agree; and what the audit of the roll-up finds."""
    filters = reports.read(YEAR)
    report = reports.takings(filters, most=10)
    faults = [f"audit: {name} {many}" for name, many in reports.differences().items() if many]

    def hold(what: str, said: dict[Any, Sums], by_file: dict[Any, Sums]) -> None:
        faults.extend(
            f"{what} {key}: {said.get(key)}, by the file {by_file.get(key)}"
            for key in said.keys() | by_file.keys()
            if said.get(key, (0, 0, 0)) != by_file.get(key, (0, 0, 0))
        )

    hold("in all", {None: _of(report.figures)}, summed(found))
    invoices = len({fact.invoice for fact in found if not fact.back})
    if report.figures.sales != invoices:
        faults.append(f"{report.figures.sales} sales, by the file {invoices}")
    months = {line.code[:7]: _of(line.figures) for line in report.series}
    hold("month", months, summed(found, lambda fact: f"{fact.at.astimezone(ZONE):%Y-%m}"))
    hold("margin in all", {None: _margin_of(report.figures)}, margins(found))
    hold("margin of", {line.code[:7]: _margin_of(line.figures) for line in report.series},
         margins(found, lambda fact: f"{fact.at.astimezone(ZONE):%Y-%m}"))  # fmt: skip
    for kind, key in (
        ("locations", lambda fact: fact.country), ("items", lambda fact: fact.item),
        ("shoppers", lambda fact: fact.customer),
    ):  # fmt: skip
        lines = figures.breakdown(filters, kind, None).lines or []
        hold(kind, {line.names.get("en", line.names.get("")): _of(line.figures) for line in lines},
             by_file := summed(found, key))  # fmt: skip
        named = {line.names.get("en", line.names.get("")): line.figures for line in lines}
        hold(f"margin of {kind}", {name: _margin_of(one) for name, one in named.items()},
             margins(found, key))  # fmt: skip
        top = [line.figures.total_minor for line in report.by[kind].lines or []]
        if top != sorted((taken for _, taken, _ in by_file.values()), reverse=True)[:10]:
            faults.append(f"{kind}: the ten that stand first are others")
    for place in {fact.country for fact in found}:
        here = [fact for fact in found if fact.country == place]
        within = figures.in_all(reports.read(YEAR | {"location": place[:32]}))
        hold(place, {None: _of(within)}, summed(here))
    return faults


def run(app: Flask, found: list[Fact]) -> list[str]:
    with app.app_context():
        try:
            load(found)
            real_stock.load(found)
            return differences(found) + real_stock.differences(found)
        finally:
            db.session.remove()


def main() -> None:
    if not FILE.exists():
        print(f"real figures: {FILE.name} is not beside this project", file=sys.stderr)
        return
    found = facts(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    with tempfile.TemporaryDirectory() as folder:
        app = create_app({"INSTANCE": folder} | SETTINGS)
        with app.app_context():
            upgrade()
        began = time.perf_counter()
        faults = run(app, found)
    pieces, taken, back = summed(found)[None]
    print(f"\na real year on the owner's pages (SQLite): {len(found):,} lines loaded, summed up and"
          f" compared in {time.perf_counter() - began:,.0f} s")  # fmt: skip
    print(f"  {pieces:,} pieces, takings {taken / 100:,.2f}, given back {back / 100:,.2f}")
    print("  every figure agrees with the file" if not faults else "\n".join(faults[:20]))
    if faults:
        sys.exit(1)


if __name__ == "__main__":
    main()
