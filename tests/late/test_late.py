"""What staff did without a network is taken once, in their name, as of its own time; and a refusal
leaves it to be decided."""

from __future__ import annotations

import ast
import inspect
import textwrap
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from store import clock, late, logbook
from store.db import db, transaction
from store.late import acts
from store.late.keepable import KEEPABLE
from store.late.models import LateAct
from store.stock import slips
from store.stock.models import Movement
from tests.conftest import Clock
from tests.world import Somebody, Thing, Visitor, World

WORDS = Path(__file__).parents[2] / "templates/late/words.html"


class Device:
    """A device of the desk, which keeps what is done on it and tells it later."""

    def __init__(self, world: World, whose: Somebody) -> None:
        self.visitor: Visitor = world.client_for(whose)
        self.person = str(self.visitor.get("/desk/kept/start").get_json(force=True)["person"])

    def tell(
        self, path: str, key: str, /, *, minutes: float = 0, ask: str = "later", **fields: Any
    ) -> TestResponse:
        """An act of so many minutes ago. The device's own clock is ten years slow."""
        now = 1_480_000_000_000
        told = {"late_key": key.ljust(16, "0"), "late_person": self.person, "late_ask": ask}
        if ask == "later":
            told |= {"late_at": str(now - round(minutes * 60_000)), "late_now": str(now)}
        return self.visitor.post(path, fields | told)

    def stock(self, verb: str, key: str, item: Thing, /, **fields: Any) -> TestResponse:
        return self.tell(f"/desk/stock/{verb}", key, code=item.code, at="MAIN", **fields)


@pytest.fixture
def sam(world: World) -> Somebody:
    return world.staff()


@pytest.fixture
def device(world: World, sam: Somebody, clock: Clock) -> Device:
    return Device(world, sam)


def outcome(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.get_json(force=True)["outcome"])


def many(app: Flask, table: type[Any]) -> int:
    with app.app_context():
        return int(db.session.scalar(select(func.count()).select_from(table)) or 0)


def test_an_act_is_done_once_however_often_it_is_told(
    world: World, app: Flask, device: Device, sam: Somebody, clock: Clock
) -> None:
    milk = world.item(on_hand=10)
    goods: dict[str, Any] = {"quantity": "5", "seen": "0"}
    first = device.stock("receipts", "one", milk, minutes=30, **goods)
    assert outcome(first) == "done"
    assert first.get_json(force=True)["said"] == [["good", "5 came in. Now there are 15."]]
    clock.tick(minutes=5)
    again = device.stock("receipts", "one", milk, minutes=35, **goods)
    assert outcome(again) == "known" and "booked already" in again.text
    assert world.left(milk) == 15
    # By hand, from the page itself: the same key is the same act.
    by_hand = device.stock("receipts", "one", milk, ask="", **goods)
    assert by_hand.status_code == 303
    assert "This was booked already" in device.visitor.get("/desk").text
    assert world.left(milk) == 15 and many(app, LateAct) == 1
    with app.app_context():
        (act,) = db.session.scalars(select(logbook.Act).where(logbook.Act.member_id == sam.id))
        moved = db.session.scalars(select(Movement.at).where(Movement.member_id == sam.id)).one()
        assert act.done_at is not None and round((act.at - act.done_at).total_seconds()) == 1800
        assert moved == act.done_at, "it came in then"
    assert "told later" in world.client_for(world.owner()).get("/owner/log").text
    assert device.visitor.get("/desk/kept").text.count("arrived") >= 1
    # Another key is another act, and another content under the key is refused.
    assert outcome(device.stock("receipts", "two", milk, **goods | {"quantity": "1"})) == "done"
    other = device.stock("receipts", "two", milk, **goods | {"quantity": "2"})
    assert other.status_code == 409 and "kept_key_reused" in other.text
    assert world.left(milk) == 16
    assert world.faults() == []


def test_without_a_key_a_form_is_a_form(world: World, app: Flask, device: Device) -> None:
    milk = world.item(on_hand=1)
    fields = {"code": milk.code, "at": "MAIN", "quantity": "5", "seen": "0", "again": "1"}
    for _ in range(2):
        assert device.visitor.post("/desk/stock/receipts", fields).status_code == 303
    assert world.left(milk) == 11 and many(app, LateAct) == 0


def test_a_refusal_leaves_the_key_free(
    world: World, app: Flask, device: Device, sam: Somebody
) -> None:
    milk = world.item(on_hand=2)
    gone: dict[str, Any] = {"quantity": "3", "why": "damaged", "key": "key-of-the-page"}
    refused = device.stock("write-offs", "gone", milk, **gone)
    assert refused.status_code == 409 and "out_of_stock" in refused.text
    assert (world.left(milk), many(app, LateAct)) == (2, 0)
    # What came after it in the same request's session is untouched by it.
    assert device.visitor.get("/desk").status_code == 200
    assert many(app, LateAct) == 0
    world.stock(milk, 1)
    assert outcome(device.stock("write-offs", "gone", milk, **gone)) == "done"
    assert (world.left(milk), many(app, LateAct)) == (0, 1)
    # A form that comes to nothing without a refusal is not done, either.
    with app.app_context(), transaction():
        slip = slips.open_slip("count", world.location, sam.id)
    scan = device.tell(f"/desk/slips/{slip}/scans", "scan", code="NOTHING", key="key-of-the-page")
    assert outcome(scan) == "undone" and "NOTHING" in scan.text
    assert many(app, LateAct) == 1


def test_nobody_tells_in_anothers_name_or_without_the_right(
    world: World, app: Flask, device: Device
) -> None:
    milk, kim = world.item(on_hand=1), Device(world, world.staff())
    kim.person = device.person
    fields: dict[str, Any] = {"quantity": "5", "seen": "0"}
    refused = kim.stock("receipts", "one", milk, **fields)
    assert refused.status_code == 409 and "kept_by_another" in refused.text
    # Each has keys of their own.
    kim.person = Device(world, world.staff()).person
    assert kim.stock("receipts", "one", milk, **fields).status_code == 409
    shopper = world.client_for(world.member())
    told = {"late_key": "k" * 16, "late_person": "", "code": milk.code, "at": "MAIN"} | fields
    assert shopper.post("/desk/stock/receipts", told).status_code == 409
    assert world.visitor().post("/desk/stock/receipts", told).status_code == 303
    assert (world.left(milk), many(app, LateAct)) == (1, 0)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"late_key": "short"}, 422, "invalid"),
        ({"late_key": "k" * 65}, 422, "invalid"),
        ({"late_key": "k" * 15 + "'"}, 422, "invalid"),
        ({"late_ask": "soon"}, 422, "invalid"),
        ({"late_at": "1", "late_now": ""}, 422, "invalid"),
        ({"late_at": "-5", "late_now": "5"}, 422, "invalid"),
        ({"late_at": "0", "late_now": str(49 * 3_600_000)}, 409, "kept_too_long"),
        ({"late_at": "0", "late_now": "9" * 15}, 409, "kept_too_long"),
        # A clock that was put back meanwhile: done now, at the latest.
        ({"late_at": "9" * 15, "late_now": "0"}, 200, "done"),
    ],
)
def test_what_a_device_says_is_read_strictly(
    world: World, device: Device, fields: dict[str, str], status: int, code: str
) -> None:
    milk = world.item(on_hand=1)
    told = {"late_key": "k" * 16, "late_person": device.person, "late_ask": "later"} | fields
    form = {"code": milk.code, "at": "MAIN", "quantity": "5", "seen": "0"} | told
    answer = device.visitor.post("/desk/stock/receipts", form)
    assert answer.status_code == status and code in answer.text
    assert world.left(milk) == (6 if status == 200 else 1)


def test_a_count_is_of_its_own_moment(
    world: World, app: Flask, device: Device, clock: Clock
) -> None:
    lin, milk = world.member(funds="1000"), world.item(on_hand=10)
    clock.tick(minutes=60)
    world.buy(lin, (milk, 2))
    said = device.stock("counts", "first", milk, minutes=30, counted="9").get_json(force=True)
    assert ["info", "9 were there then. Goods came or went since: now there are 7."] in said["said"]
    assert world.left(milk) == 7, "nine were there when two had not been sold yet"
    # Older than that count: somebody has looked since.
    older = device.stock("counts", "older", milk, minutes=40, counted="4")
    assert older.status_code == 409 and "count_overtaken" in older.text
    # Newer than that count, told after it.
    assert outcome(device.stock("counts", "newer", milk, minutes=10, counted="9")) == "done"
    assert world.left(milk) == 7, "the book was right then"
    world.buy(lin, (milk, 7))
    gone = device.stock("counts", "gone", milk, minutes=5, counted="3")
    assert gone.status_code == 409 and "count_overtaken" in gone.text
    assert world.left(milk) == 0 and world.faults() == []


def test_goods_before_a_count_were_seen_by_it(
    world: World, app: Flask, device: Device, clock: Clock
) -> None:
    milk = world.item(on_hand=10)
    clock.tick(minutes=60)
    assert outcome(device.stock("counts", "count", milk, minutes=20, counted="15")) == "done"
    came: dict[str, Any] = {"quantity": "5", "seen": "0", "minutes": 30}
    asks = device.stock("receipts", "came", milk, **came)
    assert asks.status_code == 409 and 'name="again"' in asks.text and world.left(milk) == 15
    gone: dict[str, Any] = {"quantity": "5", "why": "theft", "key": "key-of-the-page"}
    assert device.stock("write-offs", "gone", milk, minutes=30, **gone).status_code == 409
    assert outcome(device.stock("receipts", "came", milk, again="1", **came)) == "done"
    assert outcome(device.stock("write-offs", "gone", milk, minutes=10, **gone)) == "done"
    assert world.left(milk) == 15 and world.faults() == []


def test_a_slip_counts_by_the_book_of_the_scans_moment(
    world: World, app: Flask, device: Device, sam: Somebody, clock: Clock
) -> None:
    lin, milk = world.member(funds="100"), world.item(on_hand=10)
    with app.app_context(), transaction():
        slip = slips.open_slip("count", world.location, sam.id)
    clock.tick(minutes=60)
    world.buy(lin, milk)
    scans = f"/desk/slips/{slip}/scans"
    fields: dict[str, Any] = {"code": milk.code, "quantity": "10", "how": "set"}
    assert outcome(device.tell(scans, "scan", minutes=5, key="0123456789", **fields)) == "done"
    assert outcome(device.tell(f"/desk/counts/{slip}/approvals", "done", minutes=4)) == "done"
    assert world.left(milk) == 9 and world.faults() == []


def test_each_that_is_kept_commits_once_and_has_a_name(app: Flask) -> None:
    words = WORDS.read_text("utf-8")
    for endpoint in sorted(KEEPABLE):
        view = inspect.unwrap(app.view_functions[endpoint])
        room = inspect.getmodule(view)
        assert room is not None
        source = textwrap.dedent(inspect.getsource(view))
        called = {one.func.id for one in ast.walk(ast.parse(source))
                  if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)}  # fmt: skip
        own = [getattr(room, name) for name in called if name.startswith("_") and name != "_"]
        source += "".join(inspect.getsource(inspect.unwrap(one)) for one in own)
        assert source.count("with transaction()") == 1, endpoint
        assert f"'{endpoint}'" in words, endpoint


def test_a_shop_may_keep_nothing(world: World, app: Flask, device: Device) -> None:
    desk = world.client_for(world.staff())
    milk = world.item()
    page = f"/desk/stock?code={milk.code}"
    assert "data-late" in desk.get(page).text and "data-keep=" in desk.get(page).text
    app.config["DESK_OFFLINE_HOURS"] = 0
    assert "data-late" not in desk.get(page).text
    assert desk.get("/desk/kept").status_code == 200
    assert device.stock("counts", "late", milk, minutes=1, counted="3").status_code == 409
    # A page that was open still sends a key with what is done now.
    assert outcome(device.stock("counts", "now", milk, ask="now", counted="3")) == "done"


def test_old_keys_are_swept(world: World, app: Flask, device: Device, sam: Somebody) -> None:
    milk = world.item()
    assert outcome(device.stock("counts", "old", milk, counted="3")) == "done"
    with app.app_context():
        assert late.sweep() == 0
        with transaction() as session:
            for row in session.scalars(select(LateAct)):
                row.arrived_at = clock.now() - timedelta(days=acts.KEPT_DAYS + 1)
        assert late.sweep() == 1
