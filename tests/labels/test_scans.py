"""Scans of labels: counted in memory, added up in few rows, never for a label that is not there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from store import clock as clock_
from store.db import db, transaction
from store.labels import NewLabel, by_person, record, scans, text_for
from store.labels.models import LabelScan
from store.labels.scans import Scans
from tests.conftest import Clock
from tests.races.crowd import at_once, inside
from tests.world import World

TODAY = date(2027, 3, 15)
_numbers = count(1)
ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.fixture
def made(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Scans]:
    """What another process would count; it writes when a test says so."""
    monkeypatch.setattr(scans, "FLUSH_S", 3600.0)
    return lambda: Scans(app.extensions["shop_engine"], app.app_context)


def _label(world: World, **item: Any) -> tuple[Any, str]:
    item.setdefault("code", f"THING{next(_numbers)}")
    thing = world.item("tea", gtin=None, **item)
    with world.app.app_context(), transaction():
        _, (label,) = record(
            [NewLabel(thing.id, 500, "CNY", "A1")], "L7160", world.location, made_by=None
        )
    return thing, label


def _rows(app: Flask) -> list[tuple[Any, ...]]:
    with app.app_context():
        table = LabelScan
        query = select(table.months, table.day, table.label_id, table.scans, table.looks,
                       table.baskets).order_by(table.months, table.day, table.label_id)  # fmt: skip
        return [tuple(row) for row in db.session.execute(query)]


def _flushed(app: Flask, counts: Scans) -> int:
    with app.app_context():
        return counts.flush()


def test_each_day_and_month_is_added_up_and_unknown_labels_fill_nothing(
    world: World, app: Flask, made: Callable[[], Scans]
) -> None:
    _, label = _label(world)
    counts, other = made(), made()
    for _ in range(3):
        counts.opened(label, "a", TODAY)
    counts.opened(label, "b", TODAY)
    counts.opened(label, None, TODAY + timedelta(days=20))
    counts.opened("NOSUCHXX", "b", TODAY)
    other.opened(label, "c", TODAY)
    other.put_in_basket(label, TODAY)
    assert _rows(app) == []
    for one in (counts, other, counts):
        _flushed(app, one)
    day, march, april = 20892, 20878, 20909
    assert _rows(app) == [
        (0, day, label, 5, 3, 1), (0, day + 20, label, 1, 1, 0),
        (1, march, label, 5, 3, 1), (1, april, label, 1, 1, 0),
    ]  # fmt: skip


def test_what_cannot_be_written_is_counted_on(
    world: World, app: Flask, made: Callable[[], Scans], monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    _, label = _label(world)
    counts = made()
    counts.opened(label, "a", TODAY)

    def broken(some: object) -> None:
        raise OperationalError("INSERT", {}, Exception("locked"))

    with monkeypatch.context() as patched:
        patched.setattr(scans, "add", broken)
        assert _flushed(app, counts) == 0
    said = [record for record in caplog.records if record.name == scans.__name__]
    assert [record.exc_info for record in said] == [None]
    counts.opened(label, "a", TODAY)
    _flushed(app, counts)
    assert [row[3:] for row in _rows(app)] == [(2, 1, 0), (2, 1, 0)]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_two_processes_add_to_the_same_rows(
    world: World, app: Flask, made: Callable[[], Scans], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the negative control: where each writes what it has seen, counts are lost."""
    labels = [_label(world)[1] for _ in range(3)]

    def one_process() -> None:
        counts = made()
        for _ in range(5):
            for label in labels:
                counts.opened(label, "a", TODAY)
            with app.app_context():
                counts.flush()

    assert at_once([inside(app, one_process)] * 4) == [None] * 4
    assert [row[3] for row in _rows(app)] == [20] * 6

    def overwriting(some: Any) -> None:
        with transaction() as session:
            for (label, day), (many, *_rest) in some:
                known = session.get(LabelScan, (0, day, label))
                assert known is not None
                known.scans = before.setdefault(label, known.scans) + many

    before: dict[str, int] = {}
    monkeypatch.setattr(scans, "add", overwriting)
    assert at_once([inside(app, one_process)] * 4) == [None] * 4
    assert [row[3] for row in _rows(app)][:3] != [40] * 3


def test_the_item_page_counts_people_and_asks_for_no_statement_more(
    world: World, app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scans, "FLUSH_S", 3600.0)
    tea, label = _label(world, code="TEA9")
    with app.app_context():
        said = text_for(label, app.config["SECRET_KEY"])
        counts = scans.scans_of(app.extensions["shop_engine"], app.app_context)
    url = f"/i/{tea.code}?l={said}"
    phone = world.visitor()
    phone.get(url)
    seen: list[str] = []

    @event.listens_for(app.extensions["shop_engine"], "before_cursor_execute")
    def _heard(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        seen.append(statement)

    phone.get(url)
    assert not [one for one in seen if "label_scans" in one], "nothing is written on the way"
    phone.client.head(url)
    phone.get(url, headers={"Sec-Purpose": "prefetch;prerender"})
    phone.get(url, headers={"User-Agent": ROBOT})
    phone.get(f"{url}&quantity=3")
    phone.get(f"/i/{tea.code}?l={said[:-1]}{'0' if said[-1] != '0' else '1'}")
    _, strange = _label(world, code="CAKE9")
    with app.app_context():
        phone.get(f"/i/{tea.code}?l={text_for(strange, app.config['SECRET_KEY'])}")
    world.client_for(world.staff()).get(url)
    world.visitor().get(url)
    phone.post("/basket/lines", code=tea.code, quantity="1", seen_minor=str(tea.price_minor),
               label=said, key="a-key-of-mine")  # fmt: skip
    _flushed(app, counts)
    assert [row[2:] for row in _rows(app)] == [(label, 3, 2, 1)] * 2


def test_machines_are_known_by_what_they_say() -> None:
    phone = {"REQUEST_METHOD": "GET", "HTTP_USER_AGENT": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0)"}
    assert by_person(phone)
    for more in (
        {"REQUEST_METHOD": "HEAD"}, {"HTTP_PURPOSE": "prefetch"}, {"HTTP_SEC_PURPOSE": "prefetch"},
        {"HTTP_USER_AGENT": ROBOT}, {"HTTP_USER_AGENT": "curl/8.5.0"},
        {"HTTP_USER_AGENT": "WhatsApp/2.23 link preview"},
    ):  # fmt: skip
        assert not by_person(phone | more)


def test_days_of_long_ago_go_and_months_stay(
    world: World, app: Flask, clock: Clock, made: Callable[[], Scans]
) -> None:
    _, label = _label(world)
    counts = made()
    with app.app_context():
        today = clock_.day_of(clock_.now(), app.config["TIME_ZONE"])
        counts.opened(label, "a", today)
        counts.opened(label, "a", today - timedelta(days=scans.KEPT_DAYS + 1))
        counts.flush()
        assert scans.sweep() == 1
    assert [row[0] for row in _rows(app)] == [0, 1, 1]
