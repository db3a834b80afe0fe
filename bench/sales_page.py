"""The owner's sales page over a million sale lines, on SQLite and on PostgreSQL.

    python -m bench.sales_page [--sales 300000] [--only sqlite]
    python -m bench.sales_page --times 10 --only postgresql

Fills an empty, migrated database with a year of sales (3.3 lines each, 100,000 shoppers, 2,000
items of the house and of five sellers, three locations, refunds with the reasons of their returns,
10,000 labels with their scans; on PostgreSQL the sales so many times over), sums them up with the
roll-up's own code, and answers the median time of each page through the test client.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import Connection, Table, func, insert, select

from store import create_app, ids, outbox, reports
from store.catalogue.models import Category, Item, ItemCost, ItemSeller, Seller
from store.db import Base, db
from store.identity.models import Member, SignIn
from store.labels.models import Label, LabelScan, PrintJob
from store.payment.models import Account, Transfer
from store.reports.models import Takings, TakingsOfItem, TakingsOfMember
from store.reports.stock.flow_models import Flow
from store.sales.models import Refund, RefundLine, Sale, SaleLine
from store.sales.returns.return_models import REASONS, Return, ReturnDecision
from store.sellers.models import Contract
from store.stock.models import Location
from tests import postgres

ITEMS, SHOPPERS, CATEGORIES = 2_000, 100_000, 30
SELLERS, LABELS = 5, 10_000
COOKIE = "b" * 43
PAGES = {
    "this week": "/owner/takings",
    "today": "/owner/takings?period=today",
    "this month": "/owner/takings?period=this_month",
    "the whole year": "/owner/takings?period=this_year&by=month",
    "the last 365 days": "/owner/takings?from={year_ago}&to={today}&by=week",
    "the year, one shop": "/owner/takings?period=this_year&location=MAIN",
    "the year, one item": "/owner/takings?period=this_year&item=I00001",
    "the year, one category": "/owner/takings?period=this_year&category=c1",
    "the year, one shopper": "/owner/takings?period=this_year&shopper=1",
    "all sales of the year": "/owner/sales?period=this_year",
    "margins by item": "/owner/takings/items?period=this_year",
    "value of stock": "/owner/stock",
    "value of stock, a year": "/owner/stock?days=365",
    "what to order": "/owner/stock/reorder?days=30",
    "dead stock": "/owner/stock/dead",
    "what sells slowest": "/owner/stock/slow?location=MAIN",
    "today at a glance": "/owner",
    "the year, one seller": "/owner/takings?period=this_year&seller=S1",
    "sales of one seller": "/owner/sales?period=this_year&seller=S1",
    "returns, this month": "/owner/returns?period=this_month",
    "returns, the year by month": "/owner/returns?period=this_year&by=month",
    "each return of the year": "/owner/returns/list?period=this_year",
    "labels, this month": "/owner/labels?period=this_month",
    "labels, the year": "/owner/labels?period=this_year",
    "dead labels": "/owner/labels?which=dead",
    "labels, never paid": "/owner/labels?which=unpaid&period=this_year",
    "one label": "/owner/labels/L0000001?period=this_year",
}

STOCK = (
    # What was sold left the shelf, and as much and some more had come on the first day.
    """INSERT INTO movements (item_id, location_id, quantity, reason, sale_id, note, at)
       SELECT lines.item_id, sales.location_id,
              sum(lines.quantity) + lines.item_id - lines.item_id / 50 * 50, 'received', NULL,
              '', min(sales.created_at)
         FROM sales JOIN sale_lines AS lines ON lines.sale_id = sales.id
        GROUP BY lines.item_id, sales.location_id""",
    """INSERT INTO movements (item_id, location_id, quantity, reason, sale_id, note, at)
       SELECT lines.item_id, sales.location_id, -lines.quantity, 'sold', sales.id, '',
              sales.created_at
         FROM sales JOIN sale_lines AS lines ON lines.sale_id = sales.id""",
    """INSERT INTO levels (item_id, location_id, on_hand, shelf)
       SELECT item_id, location_id, sum(quantity), '' FROM movements
        GROUP BY item_id, location_id""",
    """INSERT INTO change_marks (name, seen_id) SELECT 'movements', max(id) FROM movements""",
)
"""Every line has its movement, and the change feed has seen them."""

Row = dict[str, Any]


def cost_of(item_id: int) -> int | None:
    """What one costs, in hundredths of a minor unit; of every tenth item nobody knows it."""
    return 60 * (150 + item_id * 37 % 4000) if item_id % 10 else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sales", type=int, default=300_000)
    parser.add_argument("--waiting", type=int, default=0, help="sales left to the outbox")
    parser.add_argument("--times", type=int, default=1, choices=range(1, 33), metavar="N",
                        help="so many times these sales, on PostgreSQL")  # fmt: skip
    parser.add_argument("--only", choices=("sqlite", "postgresql"), help="default: both")
    options = parser.parse_args()
    results = {}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="oneshelf-bench-"))
        for url in _databases(stack, folder, options.only):
            app = create_app({"DATABASE_URL": url, "INSTANCE": folder, "SECRET_KEY": "bench"})
            kind = url.partition("+")[0].partition(":")[0]
            results[kind] = measure(app, options.sales, options.waiting, options.times)
    print(json.dumps(results, indent=2))


def measure(app: Flask, sales: int, waiting: int = 0, times: int = 1) -> Row:
    """Fill the shop and time its pages; seconds, medians of seven."""
    with app.app_context():
        upgrade()
        began = time.perf_counter()
        fill(sales, waiting, times)
        _say(f"filled in {time.perf_counter() - began:.1f} s")
        began = time.perf_counter()
        reports.rebuild()
        reports.fold(1)
        summed = time.perf_counter() - began
        _say(f"summed up in {summed:.1f} s")
        _analyse()
        lines = db.session.scalar(select(func.count()).select_from(SaleLine))
        kept = {
            model.__tablename__: db.session.scalar(select(func.count()).select_from(model))
            for model in (Takings, TakingsOfItem, TakingsOfMember, Flow)
        }
        db.session.remove()
    client = app.test_client()
    client.set_cookie("visit", COOKIE, domain="localhost")
    today = datetime.now(UTC).date()
    dates = {"today": today, "year_ago": today - timedelta(364)}
    pages = {name: _time(client, url.format(**dates)) for name, url in PAGES.items()}
    return {"lines": lines, "rows": kept, "summed up in s": round(summed, 1), "pages": pages}


def fill(sales: int, waiting: int = 0, times: int = 1) -> None:
    """A year of sales until now, in the order of time; the last `waiting` stay in the outbox."""
    chance = random.Random(7)
    now = datetime.now(UTC)
    moments = sorted(_open_hours(chance, now) for _ in range(sales))
    made = [_sale(chance, number, at) for number, at in enumerate(moments)]
    refunds = [_refund(sale, now) for sale, _ in made[::100]]
    with db.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        for model, rows in (*_people_and_goods(now), *_sellers_and_labels(now)):
            _insert(connection, model, iter(rows))
        _insert(connection, Sale, (sale for sale, _ in made))
        _insert(connection, SaleLine, (line for _, lines in made for line in lines))
        _insert(connection, Refund, iter(refunds))
        given = zip(refunds, made[::100], strict=True)
        _insert(
            connection, RefundLine, (row for one, (_, lines) in given for row in _given(one, lines))
        )
        _insert(connection, Return, (_returned(at, one) for at, one in enumerate(refunds)))
        _insert(connection, ReturnDecision, (
            row for one, (_, lines) in zip(refunds, made[::100], strict=True)
            for row in _decided(one, lines)
        ))  # fmt: skip
        _insert(connection, LabelScan, _scans(chance, now))
        _insert(connection, Transfer, _transfers([sale for sale, _ in made], refunds))
        if connection.dialect.name == "postgresql":
            _multiply(connection, times)
        for statement in STOCK:
            connection.exec_driver_sql(statement)
        if waiting:
            _insert(connection, outbox.Outbox, _events(made[-waiting:], now))


def _multiply(connection: Connection, times: int) -> None:
    """The same sales again, each a microsecond after the one that it is a copy of, under other
    numbers: the last letter but one of a number goes on in the alphabet."""
    firsts = (("sales", "true"), ("sale_lines", "true"), ("transfers", "reason = 'charge'"))
    for name, some in firsts:
        connection.exec_driver_sql(
            f"CREATE TEMPORARY TABLE first_{name} AS SELECT * FROM {name} WHERE {some}"
        )
    for turn in range(1, times):
        turned = ids.ALPHABET[turn:] + ids.ALPHABET[:turn]
        for name, _ in firsts:
            key = "id" if name == "sales" else "sale_id"
            other = {
                key: f"substr({key}, 1, 18) || translate(substr({key}, 19, 1), '{ids.ALPHABET}',"
                f" '{turned}') || substr({key}, 20)",
                "key": f"key || '-{turn}'", "created_at": f"created_at + {turn}",
                "at": f"at + {turn}",
            }  # fmt: skip
            columns = Base.metadata.tables[name].columns
            names = [each.name for each in columns if key == "id" or each.name != "id"]
            values = ", ".join(other.get(each, each) for each in names)
            connection.exec_driver_sql(
                f"INSERT INTO {name} ({', '.join(names)}) SELECT {values} FROM first_{name}"
            )
        _say(f"{turn + 1} times")


def _people_and_goods(now: datetime) -> Iterator[tuple[type[Base], list[Row]]]:
    yield (
        Location,
        [
            {
                "id": 1 + at,
                "code": code,
                "name": name,
                "kind": "shop",
                "address": "",
                "created_at": now,
            }
            for at, (code, name) in enumerate(
                (("MAIN", "Harbour Road"), ("MILL", "Mill Street"), ("PARK", "Park Lane"))
            )
        ],
    )
    person = {"password_hash": None, "language": None, "created_at": now, "disabled_at": None}
    yield (
        Member,
        [
            {"id": 1 + at, "name": f"Shopper {1 + at}", "role": "shopper", **person}
            for at in range(SHOPPERS)
        ]
        + [{"id": SHOPPERS + 1, "name": "Ada Owner", "role": "owner", **person}],
    )
    yield SignIn, [
        {"digest": ids.digest(COOKIE), "member_id": SHOPPERS + 1, "created_at": now, "seen_at": now,
         "expires_at": now + timedelta(days=9), "ended_at": None}
    ]  # fmt: skip
    yield (
        Account,
        [
            {"id": 1, "code": "shop", "member_id": None, "currency": "CNY", "balance_minor": None},
            {"id": 2, "code": "sales", "member_id": None, "currency": "CNY", "balance_minor": None},
        ],
    )
    yield (
        Category,
        [
            {"id": 1 + at, "code": f"c{1 + at}", "names": {"en": f"Category {1 + at}"}}
            for at in range(CATEGORIES)
        ],
    )
    yield Item, [
        {"id": 1 + at, "code": f"I{1 + at:05}", "names": {"en": f"Item number {1 + at}"},
         "descriptions": {}, "category_id": 1 + at % CATEGORIES, "tax_rate_bp": 1300,
         "created_at": now, "updated_at": now}
        for at in range(ITEMS)
    ]  # fmt: skip
    yield ItemCost, [
        {"item_id": item, "currency": "CNY", "hundredths": cost, "why": "imported",
         "starts_at": now - timedelta(days=400)}
        for item in range(1, ITEMS + 1) if (cost := cost_of(item))
    ]  # fmt: skip


def _sellers_and_labels(now: datetime) -> Iterator[tuple[type[Base], list[Row]]]:
    sellers, long_ago = range(1, SELLERS + 1), now - timedelta(days=800)
    yield Seller, [
        {"id": at, "code": f"S{at}", "names": {"en": f"Seller {at}"}, "created_at": long_ago}
        for at in sellers
    ]  # fmt: skip
    yield Contract, [
        {"seller_id": at, "commission_bp": 1000, "line_fee_minor": 0, "fee_bp": 0,
         "calendar": "days", "calendar_day": 7, "starts_at": long_ago, "made_at": long_ago}
        for at in sellers
    ]  # fmt: skip
    yield ItemSeller, [
        {"item_id": item, "seller_id": 1 + item % SELLERS, "starts_at": long_ago}
        for item in range(1, ITEMS + 1, 3)
    ]  # fmt: skip
    yield PrintJob, [
        {"id": 1, "sheet": "L7160", "location_id": 1, "count": LABELS, "handed": LABELS,
         "created_at": long_ago, "handed_at": long_ago}
    ]  # fmt: skip
    yield Label, [
        {"id": _label(at), "item_id": 1 + at % ITEMS, "location_id": 1 + at // ITEMS % 3,
         "shelf": f"A{at % 40}", "price_minor": 500, "currency": "CNY", "job_id": 1,
         "position": at, "printed_at": long_ago}
        for at in range(LABELS)
    ]  # fmt: skip


def _label(number: int) -> str:
    return f"L{number:07}"


def _scans(chance: random.Random, now: datetime) -> Iterator[Row]:
    """A year in which a label is scanned every fifth day, some never; days and months."""
    today = (now.date() - date(1970, 1, 1)).days
    months: dict[tuple[int, str], list[int]] = {}
    for day in range(today - 365, today + 1):
        on = date.fromordinal(date(1970, 1, 1).toordinal() + day)
        first = day - on.day + 1
        for at in range(LABELS - LABELS // 10):
            if chance.random() < 0.2:
                row = {"scans": 3, "looks": 2, "baskets": 1}
                month = months.setdefault((first, _label(at)), [0, 0, 0])
                month[:] = [one + more for one, more in zip(month, row.values(), strict=True)]
                yield {"months": 0, "day": day, "label_id": _label(at), **row}
    for (first, label), (scans, looks, baskets) in months.items():
        yield {"months": 1, "day": first, "label_id": label, "scans": scans, "looks": looks,
               "baskets": baskets}  # fmt: skip


def _returned(at: int, refund: Row) -> Row:
    return {
        "id": refund["id"], "sale_id": refund["sale_id"], "code": f"{at:08}", "key": refund["id"],
        "way": "shop", "why": REASONS[at % len(REASONS)], "state": "received",
        "made_by": SHOPPERS + 1, "created_at": refund["created_at"], "reason": "",
    }  # fmt: skip


def _decided(refund: Row, lines: list[Row]) -> Iterator[Row]:
    for line in lines:
        yield {
            "return_id": refund["id"], "refund_id": refund["id"], "key": "k",
            "position": line["position"], "quantity": line["quantity"],
            "decision": ("resell", "quarantine", "scrap")[line["item_id"] % 3], "location_id": 1,
            "note": "", "made_by": SHOPPERS + 1, "at": refund["created_at"],
        }  # fmt: skip


def _open_hours(chance: random.Random, now: datetime) -> datetime:
    """A moment of the last year while the shop was open: 8 to 22 in Shanghai."""
    day = now.replace(hour=0, minute=0, second=0) - timedelta(days=chance.randrange(365))
    at = day + timedelta(seconds=chance.randrange(14 * 3600), microseconds=chance.randrange(10**6))
    return at if at <= now else at - timedelta(days=1)


# A few items and a few shoppers make much of the sales, as in any shop.
_ITEM_WEIGHTS = list(accumulate(1 / (20 + at) for at in range(ITEMS)))
_ITEMS = range(1, ITEMS + 1)


def _sale(chance: random.Random, number: int, at: datetime) -> tuple[Row, list[Row]]:
    milliseconds = int(at.timestamp() * 1000)
    sale_id = ids.encode(milliseconds << 52 | chance.getrandbits(52), 20)
    chosen = sorted(
        {*chance.choices(_ITEMS, cum_weights=_ITEM_WEIGHTS, k=chance.choice((1, 2, 3, 4, 7)))}
    )
    lines: list[Row] = []
    for position, item_id in enumerate(chosen):
        quantity, unit = chance.choice((1, 1, 1, 2, 3)), 150 + item_id * 37 % 4000
        total = quantity * unit
        lines.append(
            {"sale_id": sale_id, "position": position, "item_id": item_id, "names": {"en": "Item"},
             "quantity": quantity, "unit_minor": unit, "total_minor": total,
             "tax_minor": total * 13 // 113, "tax_rate_bp": 1300,
             "label_id": _label(item_id - 1 + ITEMS * (number % 5)) if number % 4 else None,
             "quantity_refunded": 0 if number % 100 else quantity,
             "cost_minor": quantity * cost // 100 if (cost := cost_of(item_id)) else None}
        )  # fmt: skip
    member_id = 1 + int(SHOPPERS * chance.random() ** 2)
    home = (1, 1, 1, 2, 3)[member_id % 5]
    sale = {
        "id": sale_id, "member_id": member_id, "key": str(number), "contents": "",
        "location_id": home if chance.random() < 0.9 else chance.choice((1, 2, 3)),
        "channel": "shelf" if chance.random() < 0.8 else "web", "means": "account",
        "state": "paid" if number % 100 else "refunded", "currency": "CNY",
        "total_minor": sum(line["total_minor"] for line in lines),
        "tax_minor": sum(line["tax_minor"] for line in lines), "sold_by": None, "created_at": at,
    }  # fmt: skip
    return sale, lines


def _refund(sale: Row, now: datetime) -> Row:
    at = min(sale["created_at"] + timedelta(days=2), now)
    return {
        "id": ids.encode(int(at.timestamp() * 1000) << 52 | hash(sale["id"]) & (1 << 52) - 1, 20),
        "sale_id": sale["id"], "total_minor": sale["total_minor"], "tax_minor": sale["tax_minor"],
        "reason": "", "made_by": SHOPPERS + 1, "created_at": at,
    }  # fmt: skip


def _given(refund: Row, lines: list[Row]) -> Iterator[Row]:
    names = ("position", "item_id", "quantity", "total_minor", "tax_minor", "cost_minor")
    for line in lines:
        yield {"refund_id": refund["id"], **{name: line[name] for name in names}}


def _events(made: list[tuple[Row, list[Row]]], now: datetime) -> Iterator[Row]:
    for sale, _ in made:
        yield {"topic": "sale.paid", "subject": sale["id"], "body": {}, "created_at": now,
               "next_at": now, "failures": 0, "error": ""}  # fmt: skip


def _transfers(sales: list[Row], refunds: list[Row]) -> Iterator[Row]:
    for reason, debit, credit, rows in (("charge", 1, 2, sales), ("refund", 2, 1, refunds)):
        for row in rows:
            yield {
                "debit_id": debit, "credit_id": credit, "amount_minor": row["total_minor"],
                "currency": "CNY", "reason": reason, "sale_id": row.get("sale_id", row["id"]),
                "at": row["created_at"],
            }  # fmt: skip


def _insert(connection: Any, model: type[Base], rows: Iterator[Row]) -> None:
    table = model.__table__
    assert isinstance(table, Table)
    if connection.dialect.name != "postgresql":
        while some := list(islice(rows, 20_000)):
            connection.execute(insert(table), some)
        return
    first = next(rows)
    columns = [table.c[name] for name in first | _defaults(table, first)]
    kinds = [column.type.dialect_impl(connection.dialect) for column in columns]
    bind = [kind.bind_processor(connection.dialect) for kind in kinds]
    names = ", ".join(column.name for column in columns)
    cursor = connection.connection.driver_connection.cursor()
    with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in (first, *rows):
            full = row | _defaults(table, row)
            values = (full[column.name] for column in columns)
            copy.write_row(
                [way(value) if way else value for way, value in zip(bind, values, strict=True)]
            )


def _defaults(table: Table, row: Row) -> Row:
    """What the model fills in by itself, and an insert of plain rows on SQLite too."""
    missing = [column for column in table.columns if column.name not in row and column.default]
    defaults: Row = {column.name: column.default for column in missing}
    return {name: {} if one.is_callable else one.arg for name, one in defaults.items()}


def _analyse() -> None:
    """What PostgreSQL's autovacuum would have done by now."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            options = connection.execution_options(isolation_level="AUTOCOMMIT")
            options.exec_driver_sql("VACUUM ANALYZE")


def _databases(stack: ExitStack, folder: str, only: str | None) -> Iterator[str]:
    if only != "postgresql":
        yield f"sqlite:///{Path(folder, 'bench.sqlite3')}"
    if only == "sqlite":
        return
    server = stack.enter_context(postgres.running())
    postgres.create(server, "bench")
    yield postgres.address(server, "bench")


def _time(client: FlaskClient, url: str) -> float:
    taken = []
    for _ in range(7):
        began = time.perf_counter()
        response = client.get(url)
        taken.append(time.perf_counter() - began)
        if response.status_code != 200:
            raise SystemExit(f"{url}: {response.status}\n{response.get_data(as_text=True)[:2000]}")
    _say(f"{url}: {statistics.median(taken):.3f} s, first {taken[0]:.3f}")
    return round(statistics.median(taken), 4)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
