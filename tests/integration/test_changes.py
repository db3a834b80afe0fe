"""The change feed: another system rebuilds the levels from it, and nothing is ever skipped."""

from __future__ import annotations

import csv
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import text

from store import catalogue, clock, integration, outbox, stock
from store.db import db, transaction
from store.integration import changes
from store.stock.models import Level
from tests.races.crowd import at_once, inside
from tests.world import World

pytestmark = pytest.mark.usefixtures("context")


def follow() -> None:
    outbox.work()
    integration.follow()


class Copy:
    """Another system that keeps a copy, page by page."""

    def __init__(self) -> None:
        self.after, self.levels, self.topics = 0, Counter[tuple[str, str]](), Counter[str]()

    def read(self, limit: int = 3) -> None:
        db.session.rollback()
        while found := integration.changes_after(self.after, limit):
            self.after = found[-1].id
            for told in integration.tell(found):
                self.topics[told["topic"]] += 1
                if told["topic"] == "stock.moved":
                    data = told["data"]
                    self.levels[data["item"], data["location"]] += data["change"]


def levels() -> dict[tuple[str, str], int]:
    db.session.rollback()
    rows = db.session.query(catalogue.Item.code, stock.Location.code, Level.on_hand).filter(
        Level.item_id == catalogue.Item.id, Level.location_id == stock.Location.id
    )
    return {(row[0], row[1]): row[2] for row in rows}


def live_a_little(world: World) -> None:
    lin, sam, east = world.member(funds="500"), world.staff(), world.place("EAST")
    milk, bread = world.item(on_hand=20), world.item("bread", on_hand=5, at=east)
    receipt = world.buy(lin, (milk, 3))
    world.refund(receipt, sam)
    world.price(milk, "3.00")
    with transaction():
        stock.transfer(milk.id, 4, world.location, east)
        stock.count_to(bread.id, east, 7, member_id=None)
        catalogue.archive_item(bread.id)


def test_another_system_rebuilds_the_levels_exactly(world: World) -> None:
    copy = Copy()
    live_a_little(world)
    follow()
    copy.read()
    assert dict(copy.levels) == levels()
    assert copy.topics == {
        "stock.moved": 7, "sale.paid": 1, "sale.refunded": 1, "price.changed": 3, "item.changed": 3,
    }  # fmt: skip
    world.buy(world.member(funds="500"), world.item("coffee", on_hand=9))
    follow()
    follow()
    copy.read(limit=1)
    assert {key: many for key, many in copy.levels.items() if many} == levels()
    assert world.faults() == []


def test_what_is_told_of_a_sale_and_its_refund(world: World) -> None:
    milk, sam = world.item(on_hand=20, price="10.00"), world.staff()
    receipt = world.buy(world.member(funds="500"), (milk, 3))
    refund = world.refund(receipt, sam)
    follow()
    db.session.rollback()
    paid, refunded = integration.tell(
        integration.changes_after(0, 9, ["sale.paid", "sale.refunded"])
    )
    assert paid["data"]["total"] == {"amount": "30.00", "minor": 3000, "currency": "CNY"}
    assert paid["data"]["lines"][0]["item"] == milk.code
    assert (refunded["data"]["refund"], refunded["data"]["sale"]) == (refund, receipt.id)
    assert refunded["data"]["lines"][0]["quantity"] == 3


def test_many_sell_at_once_and_no_movement_is_skipped(app: Flask, world: World) -> None:
    milk, stop = world.item(on_hand=0), threading.Event()

    def receive() -> None:
        for _ in range(12):
            with transaction():
                stock.receive(milk.id, world.location, 1)

    def worker() -> None:
        while not stop.is_set():
            integration.follow()

    watcher = threading.Thread(target=inside(app, worker))
    watcher.start()
    assert [one for one in at_once([inside(app, receive)] * 4) if one is not None] == []
    stop.set()
    watcher.join()
    follow()
    copy = Copy()
    copy.read(limit=500)
    assert dict(copy.levels) == levels() == {(milk.code, "MAIN"): 48}


@pytest.mark.parametrize("careful", [True, False])
def test_a_late_commit_is_waited_for(
    app: Flask, world: World, careful: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One takes an id, another takes the next one and commits first. Without the look at who is
    still at work the first one's movement would never be told."""
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time: ids are given out in the order of commits")
    milk, bread = world.item(on_hand=0), world.item("bread", on_hand=0)
    monkeypatch.setattr(changes, "PATIENCE_S", 0.05)
    if not careful:
        monkeypatch.setattr(changes, "_WRITERS", text("SELECT 'x' WHERE :table = ''"))
    first_wrote, second_done = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction():
            stock.receive(milk.id, world.location, 1)
            first_wrote.set()
            second_done.wait(20)

    thread = threading.Thread(target=inside(app, slow))
    thread.start()
    first_wrote.wait(20)
    with transaction():
        stock.receive(bread.id, world.location, 1)
    follow()
    second_done.set()
    thread.join()
    follow()
    copy = Copy()
    copy.read()
    told = {item for item, _ in copy.levels}
    assert told == ({milk.code, bread.code} if careful else {bread.code})


def test_files_out(world: World, runner: FlaskCliRunner, tmp_path: Path) -> None:
    live_a_little(world)
    sums: Counter[tuple[str, str]] = Counter()
    for kind, many in (("movements", 7), ("sales", 1)):
        file = tmp_path / f"{kind}.csv"
        result = runner.invoke(args=["integration", "export", kind, str(file)])
        assert result.stdout.strip() == str(many), result.output
        rows: list[dict[str, Any]] = list(csv.DictReader(file.open(encoding="utf-8-sig")))
        assert len(rows) == many
        for row in rows if kind == "movements" else ():
            sums[row["item"], row["location"]] += int(row["change"].lstrip("'"))
    assert dict(sums) == levels()
    later = (clock.now() + timedelta(days=1)).isoformat()
    empty = runner.invoke(args=["integration", "export", "sales", str(file), "--since", later])
    assert empty.stdout.strip() == "0"
    wrong = runner.invoke(args=["integration", "export", "sales", str(file), "--since", "x"])
    assert wrong.exit_code == 1


def test_what_is_told_of_an_item_says_from_which_age_it_is(world: World) -> None:
    beer = world.item("beer", on_hand=4, least_age=18)
    with transaction():
        hamper = catalogue.add_item(
            names={"en": "Hamper"}, price_minor=900, currency="CNY", tax_rate_bp=1300,
            parts={beer.id: 1},
        )  # fmt: skip
        code = hamper.code
    milk = world.item(on_hand=1)
    follow()
    db.session.rollback()
    told = [each["data"] for each in integration.tell(
        integration.changes_after(0, 99, ["item.changed"])
    )]  # fmt: skip
    ages = {each["item"]: each["least_age"] for each in told}
    assert (ages[beer.code], ages[code], ages[milk.code]) == (18, 18, 0)
