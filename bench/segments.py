"""Segments of members over a million sale lines, on SQLite and on PostgreSQL.

    python -m bench segments      (or: python -m bench.segments --sales 300000 --only sqlite)

The shop is that of the sales page; each segment is counted by the shop's own code, the median of
five, in seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, insert, select

from bench import sales_page
from store import clock, create_app, ids, reports
from store.db import db
from store.reports.customers import segments
from store.reports.customers.segments import Segment
from store.sales.models import Basket, BasketLine, SaleLine

LIMIT_S = 1.0
ASKED = {
    "everybody who bought": {"least_times": 1},
    "3 times or more in 90 days": {"days": 90, "least_times": 3},
    "for 500 or more in the year": {"days": 365, "least_minor": 50_000},
    "before, and nothing for 60 days": {"quiet_days": 60},
    "a category of the year": {"days": 365, "category_id": 1},
    "a category at one place, on the web": {
        "days": 365, "category_id": 2, "location_id": 1, "channel": "web"},
    "left in the basket": {"left_days": 14},
    "all of it": {
        "days": 365, "least_times": 2, "least_minor": 10_000, "category_id": 1, "location_id": 1,
        "channel": "shelf", "quiet_days": 14},
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sales", type=int, default=300_000)
    parser.add_argument("--only", choices=("sqlite", "postgresql"), help="default: both")
    options = parser.parse_args()
    results = {}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="oneshelf-bench-"))
        for url in sales_page._databases(stack, folder, options.only):
            app = create_app({"DATABASE_URL": url, "INSTANCE": folder, "SECRET_KEY": "bench"})
            kind = url.partition("+")[0].partition(":")[0]
            results[kind] = measure(app, options.sales)
    print(json.dumps(results, indent=2))
    slow = {kind: one["slowest"] for kind, one in results.items() if one["slowest"] > LIMIT_S}
    if slow:
        sys.exit(f"slower than {LIMIT_S} s: {slow}")


def measure(app: Flask, sales: int) -> dict[str, Any]:
    with app.app_context():
        upgrade()
        sales_page.fill(sales)
        _leave_baskets()
        reports.rebuild()
        sales_page._analyse()
        lines = db.session.scalar(select(func.count()).select_from(SaleLine))
        found = {name: _time(Segment("CNY", **wanted)) for name, wanted in ASKED.items()}  # type: ignore[arg-type]
        db.session.remove()
    return {"lines": lines, "slowest": max(one[0] for one in found.values()),
            "seconds and members": found}  # fmt: skip


def _leave_baskets() -> None:
    """A fifth of the shoppers have something in their basket, left there in the last month."""
    now = clock.now()
    left = [
        {"id": ids.new(), "member_id": one, "location_id": 1, "key": str(one),
         "updated_at": now - timedelta(hours=one % 720)}
        for one in range(1, sales_page.SHOPPERS, 5)
    ]  # fmt: skip
    lines = [
        {"basket_id": one["id"], "item_id": 1, "quantity": 1, "seen_minor": 100} for one in left
    ]
    with db.engine.begin() as connection:
        connection.execute(insert(Basket), left)
        connection.execute(insert(BasketLine), lines)


def _time(segment: Segment) -> tuple[float, int]:
    taken, many = [], 0
    for _ in range(5):
        began = time.perf_counter()
        (many,) = segments.count(segment)
        taken.append(time.perf_counter() - began)
    return round(statistics.median(taken), 4), many


if __name__ == "__main__":
    main()
