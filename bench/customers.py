"""The owner's customers over a million sale lines, and over a real year against the file.

    python -m bench customers      (or: python -m bench.customers [--sales 300000] [--only sqlite])

The million lines are those of `sales_page`: a year, 100,000 members. The real year is the file of
`real_year`: every invoice a sale of its customer, every cancelled one a refund of the customer's
last sale before it; what the page says of it must be what `by_hand` adds up without the shop.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, insert, select

from store import clock, create_app, ids, reports
from store.catalogue.models import Item
from store.db import db, transaction
from store.identity.models import Member
from store.reports.calendar import date_of
from store.reports.customers import customers
from store.reports.customers.customer_models import Cohort
from store.sales.models import Refund, RefundLine, Sale, SaleLine
from store.stock.models import Location

from . import real_year, sales_page

SELLER = 1
PAGES = {
    "the last twelve months": "/owner/customers",
    "this year": "/owner/customers?period=this_year",
    "last year": "/owner/customers?period=last_year",
    "all": "/owner/customers?period=all",
    "the cohorts as CSV": "/owner/customers.csv?table=cohorts&period=all",
    "one customer": "/owner/customers/2",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sales", type=int, default=300_000)
    parser.add_argument("--only", choices=("sqlite", "postgresql"), help="default: both")
    options = parser.parse_args()
    results: dict[str, Any] = {}
    wrong = False
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="oneshelf-bench-"))
        for url in sales_page._databases(stack, folder, options.only):
            app = create_app({"DATABASE_URL": url, "INSTANCE": folder, "SECRET_KEY": "bench"})
            results[url.partition("+")[0].partition(":")[0]] = _measured(app, options.sales)
    if real_year.FILE.exists():
        results["a real year"], wrong = _real()
    print(json.dumps(results, indent=2))
    if wrong:
        sys.exit(1)


def _measured(app: Flask, sales: int) -> dict[str, Any]:
    with app.app_context():
        upgrade()
        sales_page.fill(sales)
        began = time.perf_counter()
        reports.rebuild()
        summed = time.perf_counter() - began
        sales_page._analyse()
        lines = db.session.scalar(select(func.count()).select_from(SaleLine))
        cohorts = db.session.scalar(select(func.count()).select_from(Cohort))
        db.session.remove()
    client = app.test_client()
    client.set_cookie("visit", sales_page.COOKIE, domain="localhost")
    pages = {name: _time(client, url) for name, url in PAGES.items()}
    return {"lines": lines, "cohort rows": cohorts, "summed up in s": round(summed, 1),
            "pages: by the clock, of the processor": pages}  # fmt: skip


def _time(client: Any, url: str) -> tuple[float, float]:
    """Medians of seven: seconds by the clock, and of this process's time."""
    taken = []
    for _ in range(7):
        began = time.perf_counter(), time.process_time()
        answer = client.get(url)
        taken.append((time.perf_counter() - began[0], time.process_time() - began[1]))
        if answer.status_code != 200:
            raise SystemExit(f"{url}: {answer.status}\n{answer.get_data(as_text=True)[:2000]}")
    middle = [round(statistics.median(each), 3) for each in zip(*taken, strict=True)]
    print(f"{url}: {middle[0]} s, {middle[1]} s of the processor", file=sys.stderr, flush=True)
    return middle[0], middle[1]


def _real() -> tuple[str, bool]:
    found = list(real_year.rows())
    with tempfile.TemporaryDirectory() as folder:
        app = create_app({"INSTANCE": folder, "CURRENCY": "GBP", "TIME_ZONE": "UTC"})
        with app.app_context():
            upgrade()
            clock.set_now(datetime(2011, 12, 31, tzinfo=UTC))
            live(found, "GBP")
            said, wanted = shown("2010-12", "2011-12"), by_hand(found, "2010-12", "2011-12")
            clock.set_now(None)
            db.session.remove()
    wrong = [name for name in wanted._fields if getattr(said, name) != getattr(wanted, name)]
    return ("agrees with the file" if not wrong else f"differs: {', '.join(wrong)}"), bool(wrong)


class Invoice(NamedTuple):
    """What an invoice of the file comes to, for one customer (or nobody)."""

    number: str
    customer: int | None
    at: datetime
    minor: int
    is_return: bool

    @property
    def channel(self) -> str:
        """The file has none: every third invoice stands for one from the web."""
        return "web" if int(self.number.strip("CA")) % 3 == 0 else "shelf"


def invoices(found: Iterable[real_year.Row]) -> Iterator[Invoice]:
    """In the order of the file; adjustments and what is no price are left out."""
    sums: dict[tuple[str, str], list[Any]] = {}
    for row in found:
        if row.kind in ("sold", "return"):
            of = sums.setdefault((row.invoice, row.customer), [row.at, 0, row.kind == "return"])
            of[1] += abs(row.quantity) * row.minor
    for (number, customer), (at, minor, is_return) in sums.items():
        yield Invoice(number, int(customer) if customer else None, at, minor, is_return)


class Figures(NamedTuple):
    """What the page says of some months, in plain numbers."""

    months: list[tuple[Any, ...]]
    cohorts: dict[str, tuple[int, list[int], int]]
    groups: dict[str, int]
    shoppers: int


def shown(first: str, last: str) -> Figures:
    """What the shop says."""
    found = customers.overview(customers.read({"from": first, "to": last}))
    return Figures(
        [(_name(one.first), one.new, one.shoppers, one.sales, one.total_minor, one.all_sales,
          one.all_minor) for one in found.months],
        {_name(one.first): (one.size, list(one.shoppers), one.so_far_minor)
         for one in found.cohorts},
        {one.code: one.shoppers for one in found.groups}, found.shoppers,
    )  # fmt: skip


def by_hand(
    found: Iterable[real_year.Row], first: str, last: str, hours: int = 0
) -> Figures:  # fmt: skip
    """The same added up without the shop, whose clock is so many hours ahead."""
    bought: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    whole: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    where: dict[int, set[str]] = defaultdict(set)
    for one in invoices(found):
        if one.is_return and (one.customer is None or one.customer not in bought):
            continue
        month = f"{one.at + timedelta(hours=hours):%Y-%m}"
        signed = (0, -one.minor) if one.is_return else (1, one.minor)
        for of in [whole[month]] + ([bought[one.customer][month]] if one.customer else []):
            of[0] += signed[0]
            of[1] += signed[1]
        if one.customer and not one.is_return and first <= month <= last:
            where[one.customer].add(one.channel)
    begun = {customer: min(of) for customer, of in bought.items()}
    names = [month for month in sorted(whole) if first <= month <= last]
    months = []
    for month in names:
        mine = {each: of[month] for each, of in bought.items() if month in of}
        months.append((
            month, sum(begun[each] == month and of[0] > 0 for each, of in mine.items()),
            sum(of[0] > 0 for of in mine.values()), sum(of[0] for of in mine.values()),
            sum(of[1] for of in mine.values()), *whole[month],
        ))  # fmt: skip
    cohorts = {}
    for start in names:
        those = [of for each, of in bought.items() if begun[each] == start]
        since = [month for month in names if month >= start][: customers.MOST_MONTHS + 1]
        came = [sum(month in of and of[month][0] > 0 for of in those) for month in since]
        brought = sum(each[1] for of in those for each in of.values())
        cohorts[start] = (came[0], came, brought)
    both = {each for each, of in where.items() if len(of) == 2}
    groups = {"both": len(both)}
    for code, channel in (("shop", "shelf"), ("web", "web")):
        groups[code] = sum(of == {channel} for of in where.values())
    return Figures(months, cohorts, groups, len(where))


def live(found: Iterable[real_year.Row], currency: str) -> None:
    """The invoices as rows of sales and refunds, summed up."""
    at = datetime(2010, 11, 30, tzinfo=UTC)
    sold, lines, back, back_lines = list[Any](), list[Any](), list[Any](), list[Any]()
    people, last = set[int](), dict[int, Any]()
    for one in invoices(found):
        if one.is_return and (one.customer is None or one.customer not in last):
            continue
        row = {"id": ids.new(), "total_minor": one.minor, "tax_minor": 0, "created_at": one.at}
        line = {"position": 1, "item_id": 1, "quantity": 1, "total_minor": one.minor,
                "tax_minor": 0}  # fmt: skip
        if one.is_return:
            back.append(row | {"sale_id": last[one.customer or 0], "made_by": one.customer})
            back_lines.append(line | {"refund_id": row["id"]})
            continue
        sold.append(row | {
            "member_id": one.customer, "key": row["id"], "contents": "", "location_id": 1,
            "channel": one.channel, "currency": currency,
            "means": "account" if one.customer is not None else "cash",
            "sold_by": None if one.customer is not None else SELLER,
        })  # fmt: skip
        lines.append(line | {"sale_id": row["id"], "names": {"en": "Goods"}, "tax_rate_bp": 0,
                             "unit_minor": one.minor})  # fmt: skip
        if one.customer is not None:
            people.add(one.customer)
            last[one.customer] = row["id"]
    with transaction() as session:
        add = session.execute
        add(insert(Location), [{"id": 1, "code": "MAIN", "name": "Gift shop", "created_at": at}])
        add(insert(Item), [{"id": 1, "code": "GOODS", "names": {"en": "Goods"}, "tax_rate_bp": 0,
                            "descriptions": {}, "created_at": at, "updated_at": at}])  # fmt: skip
        add(insert(Member), [{"id": each, "name": "", "created_at": at}
                             for each in (SELLER, *sorted(people))])  # fmt: skip
        model: Any
        for model, rows in ((Sale, sold), (SaleLine, lines), (Refund, back),
                            (RefundLine, back_lines)):  # fmt: skip
            if rows:
                add(insert(model), rows)
    reports.rebuild()


def _name(first: int) -> str:
    return date_of(first).isoformat()[:7]


if __name__ == "__main__":
    main()
