from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import delete, func, select, update

from store import outbox, reports
from store.db import db, transaction
from store.reports import rollup
from store.reports.models import Reckoning, Takings, TakingsOfItem, TakingsOfMember
from store.reports.reading import open_books
from tests.conftest import Clock
from tests.reports.shop import Shop

NOW = datetime(2026, 11, 3, 15, 20, tzinfo=UTC)


@pytest.fixture
def shop(app: Flask, clock: Clock) -> Iterator[Shop]:
    clock.set(NOW)
    with app.app_context():
        opened = Shop()
        opened.open()
        yield opened


def _total(**question: str) -> int:
    return reports.takings(reports.read({"period": "today"} | question)).figures.total_minor


def test_a_sale_is_in_the_figures_before_any_worker_runs(shop: Shop) -> None:
    shop.sell(NOW, (1, 2, 900))
    assert _total() == 900
    assert db.session.scalar(select(func.count()).select_from(Takings)) == 0


def test_an_event_counts_once_however_often_the_worker_runs(shop: Shop) -> None:
    shop.sell(NOW, (1, 2, 900), (2, 1, 100))
    assert outbox.work() == 1
    assert outbox.work() == 0
    assert _total() == 1000
    assert not any(reports.differences().values())


def test_a_worker_that_dies_in_the_middle_leaves_nothing_half_done(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.sell(NOW, (1, 2, 900))
    whole = rollup._adding_named
    done: list[object] = []

    def dies(*arguments: Any) -> Any:
        if len(done) == 2:
            raise MemoryError("killed here")
        done.append(arguments)
        return whole(*arguments)

    monkeypatch.setattr(rollup, "_adding_named", dies)
    outbox.work()
    assert len(done) == 2, "it had written something"
    assert _total() == 900
    assert not any(reports.differences().values())
    monkeypatch.setattr(rollup, "_adding_named", whole)
    with transaction() as session:
        session.execute(update(outbox.Outbox).values(next_at=NOW))
    assert outbox.work() == 1
    assert _total() == 900
    assert not any(reports.differences().values())


def test_two_workers_at_once_count_each_event_once(app: Flask, shop: Shop) -> None:
    shop.trade(random.Random(4), NOW - timedelta(days=40), NOW, 60)

    def work() -> None:
        with app.app_context():
            outbox.work()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    outbox.work()
    assert outbox.pending() == 0
    assert not any(reports.differences().values())


def test_another_time_zone_is_right_at_once_and_fast_after_the_next_sale(
    app: Flask, shop: Shop
) -> None:
    shop.sell(NOW - timedelta(hours=31), (1, 1, 500))
    outbox.work()
    assert _total(period="yesterday") == 500
    app.config["TIME_ZONE"] = "Pacific/Auckland"
    assert _total(period="yesterday") == 0, "there it is the fourth of November already"
    assert _total(**{"period": "dates", "from": "2026-11-02", "to": "2026-11-02"}) == 500
    shop.sell(NOW, (1, 1, 70))
    outbox.work()
    assert db.session.scalar(select(Reckoning.time_zone)) == "Pacific/Auckland"
    assert _total(period="today") == 70
    assert not any(reports.differences().values())


def test_summing_up_anew_gives_the_same_rows(shop: Shop) -> None:
    shop.trade(random.Random(5), NOW - timedelta(days=400), NOW, 50)
    while outbox.work():
        pass
    shop.sell(NOW, (1, 1, 1))
    kept = [_rows(model) for model in (Takings, TakingsOfItem, TakingsOfMember)]
    reports.rebuild()
    assert [_rows(model) for model in (Takings, TakingsOfItem, TakingsOfMember)] == kept
    assert not any(reports.differences().values()), "what waits goes on waiting"


@pytest.mark.parametrize("model", [Takings, TakingsOfItem, TakingsOfMember])
@pytest.mark.parametrize("months", [0, 1, 12])
def test_a_figure_that_was_tampered_with_is_found(shop: Shop, model: Any, months: int) -> None:
    if model is Takings and months:
        pytest.skip("takings by hour have rows of days only")
    shop.trade(random.Random(6), NOW - timedelta(days=90), NOW, 10)
    outbox.work()
    table = model.__table__
    with transaction() as session:
        change = update(table).values(total_minor=table.c.total_minor + 1)
        if "months" in table.c:
            change = change.where(table.c.months == months)
        session.execute(change)
    assert reports.differences()[table.name] > 0


def test_a_charge_without_its_sale_is_found(shop: Shop) -> None:
    shop.sell(NOW, (1, 1, 500))
    assert reports.differences()["ledger"] == 0
    with transaction() as session:
        shop._move(session, "charge", "nothing", 5, "CNY", NOW)
    assert reports.differences()["ledger"] == 1


def _rows(model: Any) -> list[tuple[object, ...]]:
    table = model.__table__
    return sorted(tuple(row) for row in db.session.execute(select(table)))


def test_sums_that_an_upgrade_emptied_are_there_again_when_the_worker_starts(
    shop: Shop, runner: FlaskCliRunner
) -> None:
    shop.sell(NOW, (1, 2, 900))
    outbox.work()
    with transaction() as session:
        session.execute(delete(Takings))
        session.execute(update(Reckoning).values(time_zone=""))
    assert _total() == 900, "read from the sales meanwhile"
    assert runner.invoke(args=["outbox", "work"]).exit_code == 0
    assert open_books().usable
    assert _total() == 900
    assert not any(reports.differences().values())
