"""Settling 100,000 sales of sellers under one roof, none of which is divided yet.

    python -m bench.settlement [--sales 100000] [--only sqlite]

Fills an empty, migrated database with a day of sales (two lines each, 1,000 items of 20 sellers,
one sale of a hundred given back), whose events all wait in the outbox, and settles the day: every
line is divided and booked, and goes into one of 20 settlements. Then the audit has to be clean.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

from flask_migrate import upgrade
from sqlalchemy import func, insert, select, text

from store import catalogue, clock, create_app, identity, ids, outbox, sellers, stock
from store.catalogue.owners import put_owners
from store.db import Base, db, transaction
from store.payment.ledger import row_of, shop_account, shopper_account
from store.payment.models import Transfer
from store.reports.oracle import sellers as oracle_sellers
from store.sales.models import Refund, RefundLine, Sale, SaleLine
from store.sellers import settling
from store.sellers.models import Settlement, Share
from store.sellers.shares import catch_up
from tests import postgres

SELLERS, ITEMS, PRICE, CHUNK = 20, 1_000, 1_999, 20_000
Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sales", type=int, default=100_000)
    parser.add_argument("--only", choices=("sqlite", "postgresql"), help="default: both")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="oneshelf-bench-"))
        for kind, url in _databases(stack, folder, options.only):
            app = create_app({"DATABASE_URL": url, "INSTANCE": folder, "SECRET_KEY": "bench"})
            with app.app_context():
                upgrade()
                print(f"\nsettlement of {options.sales:,} sales ({kind})", flush=True)
                for name, seconds in measure(options.sales, SELLERS, ITEMS).items():
                    print(f"  {name:<42} {seconds:8.1f} s", flush=True)


def measure(sales: int, many_sellers: int, items: int) -> dict[str, float]:
    """Fill the shop and settle the day; seconds. Raises where the audit finds anything."""
    fill(sales, many_sellers, items)
    began = time.perf_counter()
    catch_up()
    booked = time.perf_counter()
    made = settling.settle()
    ended = time.perf_counter()
    faults = [
        name for name, _, query in oracle_sellers.RULES
        if db.session.execute(text(query)).scalar_one()
    ]  # fmt: skip
    found = {
        "divided and booked": booked - began,
        "gathered, summed, to be paid out": ended - booked,
        "in all": ended - began,
        "audit of sellers": time.perf_counter() - ended,
    }
    entries = db.session.scalar(select(func.count()).select_from(Share))
    settled = db.session.scalar(select(func.sum(Settlement.entries)))
    if faults or len(made) != many_sellers or settled != entries or (entries or 0) < 2 * sales:
        raise RuntimeError(f"{faults}: {len(made)} settlements, {settled} of {entries} entries")
    return found


def fill(sales: int, many_sellers: int, items: int) -> None:
    """Yesterday's sales, with their events."""
    now = clock.now()
    clock.set_now(now - timedelta(days=3))
    try:
        made = [
            sellers.add(f"S{at}", sellers.Agreed(1500 + at, fee_bp=60), names={"en": f"S{at}"})
            for at in range(many_sellers)
        ]
        with transaction():
            place = stock.add_location("BENCH", "Bench").id
            lin = identity.add_member("bench@example.com", "long-enough-1", name="Lin").id
            goods = [
                catalogue.add_item(names={"en": f"Item {at}"}, tax_rate_bp=1300).id
                for at in range(items)
            ]
            put_owners([(item, made[at % len(made)].id) for at, item in enumerate(goods)])
            accounts = shopper_account(lin, "CNY"), shop_account("takings", "CNY")
    finally:
        clock.set_now(None)
    for first in range(0, sales, CHUNK):
        with transaction() as session:
            own = session.connection()
            for table, rows in _day(
                range(first, min(first + CHUNK, sales)), goods, lin, place, accounts, now
            ).items():
                own.execute(insert(table), rows)


def _day(
    numbers: range, goods: list[int], member: int, place: int, accounts: tuple[int, int],
    now: datetime,
) -> dict[type[Base], list[Row]]:  # fmt: skip
    """The rows of so many sales; one of a hundred was given back."""
    rows: dict[type[Base], list[Row]] = {
        table: [] for table in (Sale, SaleLine, Refund, RefundLine, Transfer, outbox.Outbox)
    }
    for number in numbers:
        sale_id, at = ids.new(), now - timedelta(days=2) + timedelta(milliseconds=number)
        back = number % 100 == 0
        of = {"total_minor": 3 * PRICE, "tax_minor": 690}
        rows[Sale].append(of | {
            "id": sale_id, "member_id": member, "key": f"k{number}", "contents": "",
            "means": "account", "location_id": place, "channel": "shelf", "currency": "CNY",
            "state": "refunded" if back else "paid", "sold_by": None, "fulfilment": "taken",
            "created_at": at,
        })  # fmt: skip
        lines = [
            {"position": position, "item_id": goods[(number * factor) % len(goods)],
             "quantity": many, "total_minor": many * PRICE, "tax_minor": many * 230}
            for position, factor, many in ((1, 1, 1), (2, 7, 2))
        ]  # fmt: skip
        rows[SaleLine] += [
            line | {"sale_id": sale_id, "names": {"en": "Item"}, "unit_minor": PRICE,
                    "tax_rate_bp": 1300, "kind": "goods",
                    "quantity_refunded": line["quantity"] if back else 0}
            for line in lines
        ]  # fmt: skip
        rows[Transfer].append(row_of(*accounts, 3 * PRICE, "CNY", "charge", at, sale_id=sale_id))
        rows[outbox.Outbox].append(_event("sale.paid", sale_id, at))
        if back:
            refund_id = ids.new()
            rows[Refund].append(of | {"id": refund_id, "sale_id": sale_id, "reason": "",
                                      "made_by": member, "created_at": at})  # fmt: skip
            rows[RefundLine] += [line | {"refund_id": refund_id} for line in lines]
            rows[outbox.Outbox].append(_event("sale.refunded", refund_id, at))
    return {table: some for table, some in rows.items() if some}


def _event(topic: str, subject: str, at: datetime) -> Row:
    return {"topic": topic, "subject": subject, "body": {}, "created_at": at, "next_at": at,
            "failures": 0, "error": ""}  # fmt: skip


def _databases(stack: ExitStack, folder: str, only: str | None) -> Iterator[tuple[str, str]]:
    if only != "postgresql":
        yield "sqlite", f"sqlite:///{folder}/bench.sqlite3"
    if only != "sqlite":
        try:
            server = stack.enter_context(postgres.running())
        except postgres.Unavailable as error:
            print(f"no PostgreSQL: {error}", file=sys.stderr)
            return
        postgres.create(server, "bench")
        yield "postgresql", postgres.address(server, "bench")


if __name__ == "__main__":
    main()
