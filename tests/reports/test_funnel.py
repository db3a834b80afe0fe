"""Labels as a funnel: every step is the plain sum of what was counted and sold, dead ones are those
that stand and that nobody scanned."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, select, update

from store import outbox, reports
from store.db import db, transaction
from store.labels import scans
from store.labels.models import Label, LabelScan, PrintJob
from store.reports.calendar import day_number, zone
from store.reports.funnel import funnel, funnel_counts
from store.sales.models import SaleLine
from store.stock.work_models import Task
from tests.conftest import Clock
from tests.reports.shop import Shop, Sold
from tests.reports.test_today import _signed_in

NOW = datetime(2026, 11, 3, 15, 20, tzinfo=UTC)
DAY = timedelta(days=1)
LABELS = {f"L{number:07}": 1 + number % 12 for number in range(24)}
"""Label: item. The second twelve are a later printing of the same items, at other places."""


def _print(shop: Shop) -> None:
    with transaction() as session:
        session.execute(insert(PrintJob), [
            {"id": job, "sheet": "L7160", "location_id": job, "count": 12, "handed": 11,
             "created_at": NOW - 200 * DAY, "handed_at": NOW - 200 * DAY}
            for job in (1, 2)
        ])  # fmt: skip
        session.execute(insert(Label), [
            {"id": label, "item_id": item, "location_id": 1 + at // 12, "job_id": 1 + at // 12,
             "shelf": "A1", "price_minor": 500, "currency": "CNY", "position": at % 12,
             "printed_at": NOW - 200 * DAY, "revoked_at": NOW if at == 3 else None}
            for at, (label, item) in enumerate(LABELS.items())
        ])  # fmt: skip


def _sell(shop: Shop, chance: random.Random, many: int, days: int) -> list[tuple[Sold, int, str]]:
    """Sales of which some lines say a label: (sale, line, label)."""
    begun, found = len(shop.sold), []
    shop.trade(chance, NOW - days * DAY, NOW, many)
    for sale in (one for one in shop.sold[begun:] if not one.refund):
        for position, line in enumerate(sale.lines, 1):
            mine = [label for label, item in LABELS.items() if item == line[0]]
            # Some say a label of another item: nothing of theirs was sold.
            label = chance.choice([*mine, "", "L0000005"])
            if label:
                found.append((sale, position, label))
                with transaction() as session:
                    session.execute(
                        update(SaleLine)
                        .where(SaleLine.sale_id == sale.id, SaleLine.position == position)
                        .values(label_id=label)
                    )
    return found


def _scan(app: Flask, chance: random.Random) -> list[tuple[str, Any, str]]:
    """(label, day, phone) of scans in a year; labels 20 and on are scanned by nobody of late."""
    counts, found = scans.Scans(app.extensions["shop_engine"], app.app_context), []
    for _ in range(300):
        label = chance.choice(list(LABELS)[:20])
        day = NOW.astimezone(zone()).date() - chance.randrange(300) * DAY
        phone = f"{day}{chance.randrange(3)}"
        counts.opened(label, phone, day)
        found.append((label, day, phone))
    counts.opened("L0000021", "x", NOW.date() - 40 * DAY)
    found.append(("L0000021", NOW.date() - 40 * DAY, "x"))
    counts.flush()
    return found


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_every_step_is_the_sum_of_scans_and_sales(
    app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scans, "FLUSH_S", 3600.0)
    clock.set(NOW)
    with app.app_context():
        shop, chance = Shop(), random.Random(3)
        shop.open()
        _print(shop)
        sold = _sell(shop, chance, 60, 200)
        scanned = _scan(app, chance)
        outbox.work()
        sold += _sell(shop, chance, 30, 20)
        for rolled_up in (False, True):
            for question in (
                {"period": "this_year"}, {"from": "2026-09-12", "to": "2026-11-03"},
                {"period": "last_month", "location": "L2"},
                {"period": "this_year", "item": "ITEM3"},
            ):  # fmt: skip
                _check(reports.read(question), sold, scanned)
            assert not any(reports.differences().values())
            outbox.work()
            assert not outbox.pending() or not rolled_up
        with transaction() as session:
            session.execute(update(SaleLine).values(label_id=None))
        assert reports.differences()["label_sales"] > 0
        reports.rebuild()
        assert not any(reports.differences().values())


def _check(filters: Any, sold: Any, scanned: Any) -> None:
    places = dict(zip(LABELS, [1] * 12 + [2] * 12, strict=True))

    def wanted(label: str) -> bool:
        return (not filters.location or places[label] == filters.location.id) and (
            not filters.item or LABELS[label] == filters.item.id
        )

    opened = Counter(
        label for label, day, _ in scanned if filters.first <= day <= filters.last and wanted(label)
    )
    phones = Counter(
        label for label, day, _ in {*scanned} if filters.first <= day <= filters.last
        and wanted(label)
    )  # fmt: skip
    sales: dict[str, set[str]] = {}
    units: Counter[str] = Counter()
    money: Counter[str] = Counter()
    for sale, position, label in sold:
        line = sale.lines[position - 1]
        day = sale.at.astimezone(zone()).date()
        if (
            LABELS[label] == line[0]
            and filters.first <= day <= filters.last
            and sale.currency == filters.currency
            and wanted(label)
        ):
            sales.setdefault(label, set()).add(sale.id)
            units[label] += line[1]
            money[label] += line[2]
    lines = {one.id: one.steps for one in funnel.page_of(funnel.Asked(filters), None)}
    for label in LABELS:
        expected = funnel_counts.Steps(
            opened[label], phones[label], 0, len(sales.get(label, ())), units[label], money[label]
        )
        assert lines.get(label, funnel_counts.Steps()) == expected, (filters, label)
    found = funnel.funnel(funnel.Asked(filters))
    assert found.steps.scans == sum(opened.values())
    assert found.steps.total_minor == sum(money.values())
    assert sum(one.steps.sales for one in found.categories) == found.steps.sales
    for label, some in sales.items():
        row = db.session.execute(select(Label.id, Label.item_id).where(Label.id == label)).one()
        listed = funnel_counts.sales_of(filters, row, None, 999)
        assert {one.sale_id for one in listed} == some
        days = funnel_counts.series_of(filters, label)
        assert sum(steps.units for _, steps in days) == units[label]
        assert sum(steps.scans for _, steps in days) == opened[label]


def test_dead_ones_are_shown_and_staff_are_asked_to_look(
    app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scans, "FLUSH_S", 3600.0)
    clock.set(NOW)
    with app.app_context():
        shop = Shop()
        shop.open()
        _print(shop)
        today = day_number(NOW.astimezone(zone()).date())
        with transaction() as session:
            # 1: lately; 2: exactly 30 days ago; 4: a year ago; 3 is out of use; 0 much, never paid.
            session.execute(insert(LabelScan), [
                {"months": 0, "day": today - ago, "label_id": f"L000000{at}", "scans": many,
                 "looks": many, "baskets": 0}
                for at, ago, many in ((1, 29, 1), (2, 30, 1), (4, 365, 1), (0, 1, 9))
            ])  # fmt: skip
            session.execute(insert(LabelScan), [
                {"months": 1, "day": day_number(NOW.date().replace(day=1)), "scans": 9,
                 "label_id": "L0000000", "looks": 9, "baskets": 0}
            ])  # fmt: skip
        asked = funnel.Asked(reports.read({"period": "this_month"}), "dead")
        dead = {one.id for one in funnel.page_of(asked, None)}
        # Of the first job the last label was never handed out.
        assert dead == set(LABELS) - {
            "L0000000", "L0000001", "L0000003", "L0000011", "L0000023"
        }  # fmt: skip
        found = funnel.funnel(asked)
        assert (found.dead, found.unpaid, found.standing) == (19, 1, 21)
        unpaid = funnel.page_of(asked._replace(which="unpaid"), None)
        assert [one.id for one in unpaid] == ["L0000000"]
        # A later printing at the same place takes its place.
        with transaction() as session:
            session.execute(update(Label).where(Label.id == "L0000014").values(location_id=1))
        assert "L0000002" not in {one.id for one in funnel.page_of(asked, None)}
    owner = _signed_in(app, "owner", 100)
    page = owner.get("/owner/labels?which=dead").text
    assert page.count('name="label"') == 18 and "L0000002" not in page
    token = page.split('name="csrf" value="')[1].split('"')[0]
    answer = owner.post("/desk/labels/dead", data={"csrf": token, "label": ["L0000004", "NOSUCH"]})
    assert answer.status_code == 303
    with app.app_context():
        tasks = db.session.execute(select(Task.kind, Task.item_id, Task.location_id)).all()
        assert tasks == [("dead_label", LABELS["L0000004"], 1)]
    assert owner.post("/desk/labels/dead", data={"csrf": token}).status_code == 422
    assert "Sales from this label" in owner.get("/owner/labels/L0000004").text
    assert owner.get("/owner/labels/L9999999").status_code == 404
    assert "L0000000" in owner.get("/owner/labels.csv?which=unpaid").text
    assert owner.get("/owner/labels.xlsx").status_code == 200
    assert owner.get("/owner/labels?sort=luck").status_code == 422
