"""A walk along the shelves: each label that is scanned is right, or its fault is named."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from store import catalogue, stock
from store.catalogue.items import archive_item, edit_item
from store.db import db, transaction
from store.labels import NewLabel, record, text_for, walks
from store.labels.models import BadSticker, Label
from store.labels.stickers import said_now
from store.stock import tasks
from tests.world import Thing, Visitor, World


@pytest.fixture
def staff(world: World) -> Visitor:
    return world.client_for(world.staff())


class Shop:
    """A shop with two shelves and a warehouse, and staff on a walk."""

    def __init__(self, world: World, staff: Visitor) -> None:
        self.world, self.staff = world, staff
        begun = staff.post("/desk/walks", at="MAIN", key="key-of-this-walk")
        again = staff.post("/desk/walks", at="MAIN", key="key-of-this-walk")
        assert begun.location == again.location and begun.location
        self.path = begun.location

    def label(self, item: Thing, shelf: str = "", place: int | None = None) -> str:
        """A new sticker of the item as it is now, and the shelf that it stands on; answers its
        address."""
        at = place or self.world.location
        with self.world.app.app_context(), transaction() as session:
            if shelf:
                stock.put_on_shelf(item.id, at, shelf)
            said = session.scalar(select(said_now()).where(catalogue.Item.id == item.id))
            new = NewLabel(item.id, item.price_minor, "CNY", shelf, said)
            label_id = record([new], "L7160", at, made_by=None)[1][0]
        key = str(self.world.app.config["SECRET_KEY"])
        return f"http://localhost{item.path}?l={text_for(label_id, key)}"

    def scan(self, text: str, shelf: str = "", key: str = "") -> tuple[str, str]:
        """Answers the verdict and the shelf that the page is at now."""
        self.scans = getattr(self, "scans", 0) + 1
        page = self.staff.post(
            f"{self.path}/scans", code=text, shelf=shelf, key=key or f"scan-{self.scans:08}"
        )
        assert page.status_code == 200, page.text
        found = re.search(r'data-verdict="(\w+)"', page.text)
        at = re.search(r'name="shelf" value="([^"]*)" form="walk-scan"', page.text)
        assert found and at
        return found[1], at[1]

    def result(self) -> list[str]:
        page = self.staff.get(f"{self.path}?result=1").text
        return re.findall(r'<span class="row-name">([^<]+)</span>', page)

    def open_tasks(self) -> list[str]:
        with self.world.app.app_context():
            return sorted(task.kind for task in tasks.open_tasks(self.world.location))


def test_every_fault_of_a_label_is_named_and_what_is_right_is_green(
    world: World, staff: Visitor
) -> None:
    shop, app = Shop(world, staff), world.app
    mill = world.place("MILL")
    milk, tea, jam = (world.item(name) for name in ("oat-milk", "tea", "jam"))
    honey, soap = world.item("honey"), world.item("soap")
    of_milk, of_tea = shop.label(milk, "A1"), shop.label(tea, "A1")
    of_jam, of_honey = shop.label(jam, "B2"), shop.label(honey, "A1")
    old, mills, gone = shop.label(milk), shop.label(tea, place=mill), shop.label(soap, "A1")
    with app.app_context(), transaction():
        archive_item(soap.id)
        edit_item(tea.id, names={"en": "Another tea"})
    staff.post(f"/desk/labels/{old.rpartition('=')[2][:8]}/revoke")
    world.price(honey, "99.00")

    assert shop.scan(of_milk) == ("good", "A1"), "the first label says which shelf it is"
    assert shop.scan(of_tea, "A1") == ("changed", "A1")
    assert shop.scan(of_honey, "A1") == ("changed", "A1")
    assert shop.scan(of_jam, "A1") == ("wrong_shelf", "A1")
    assert shop.scan(of_jam, "B2") == ("good", "B2"), "carried to its own, or I am there now"
    swapped = of_jam.replace(jam.path, milk.path)
    for text, verdict in (
        (old, "revoked"), (mills, "elsewhere"), (gone, "retired"), (swapped, "swapped"),
        (f"http://localhost{milk.path}?l=MADE00UP00000", "foreign"),
        (f"http://localhost{milk.path}", "foreign"), ("https://evil.example/pay", "foreign"),
        ("http://[", "unknown"), (milk.code, "no_label"), ("nothing at all", "unknown"),
    ):  # fmt: skip
        assert shop.scan(text, "A1") == (verdict, "A1"), text
    assert shop.scan(f"https://id.gs1.org/01/{milk.gtin}", "A1")[0] == "no_label"
    assert {"Old label: price", "Old label: name"} <= {*shop.result()}
    with app.app_context():
        kinds = sorted(one.kind for one in db.session.query(BadSticker))
    assert kinds == [
        "foreign", "foreign", "moved", "retired", "revoked", "swapped",
    ]  # fmt: skip
    # Typed as it stands behind l=, in whatever case, it is the label all the same.
    assert shop.scan(of_jam.rpartition("=")[2].lower(), "B2")[0] == "good"
    assert world.faults() == []


def test_a_request_that_is_repeated_is_written_down_once_and_a_walk_ends_once(
    world: World, staff: Visitor
) -> None:
    shop, milk = Shop(world, staff), world.item("oat-milk")
    of_milk = shop.label(milk, "A1")
    forged = f"http://localhost{milk.path}?l=MADE00UP00000"
    for _ in range(2):
        assert shop.scan(of_milk, key="the-same-key-1") == ("good", "A1")
        assert shop.scan(forged, "A1", key="the-same-key-2") == ("foreign", "A1")
    assert shop.result() == ["Not our label"]
    with world.app.app_context():
        assert [one.times for one in db.session.query(BadSticker)] == [1]

    # It hung on A1, and hangs on B2 as well: each label is printed once.
    tea = world.item("tea")
    of_tea = shop.label(tea)
    assert shop.scan(of_tea, "A1")[0] == "good"
    assert shop.scan(of_tea, "B2")[0] == "copied"

    for wrong, code in (({"code": ""}, 422), ({"code": "x" * 1001}, 422), ({"key": "short"}, 422),
                        ({"shelf": "x" * 41}, 422)):  # fmt: skip
        form = {"code": of_milk, "shelf": "A1", "key": "another-key"} | wrong
        assert staff.post(f"{shop.path}/scans", form).status_code == code, wrong
    assert staff.post(f"{shop.path}/ends").status_code == 303
    assert staff.post(f"{shop.path}/ends").status_code == 303
    over = staff.post(f"{shop.path}/scans", code=of_milk, shelf="A1", key="after-the-end")
    assert over.status_code == 409
    assert staff.post(f"{shop.path}/shelves", shelf="A1").status_code == 409
    assert "Seen on two shelves" in shop.result()


def test_a_shelf_that_is_done_says_what_is_missing_and_what_to_refill(
    world: World, staff: Visitor
) -> None:
    shop, app = Shop(world, staff), world.app
    house = world.place("STORE", kind="warehouse")
    milk, tea = world.item("oat-milk"), world.item("tea", on_hand=0)
    jam = world.item("jam", on_hand=0)
    of_milk, of_tea = shop.label(milk, "A1"), shop.label(tea, "A1")
    shop.label(jam, "A1")
    world.stock(tea, 5, at=house)

    assert staff.post(f"{shop.path}/shelves", shelf="Z9").status_code == 422
    shop.scan(of_milk)
    assert staff.post(f"{shop.path}/shelves", shelf="A1").status_code == 303
    assert shop.result().count("Label is missing") == 2
    assert shop.open_tasks() == ["refill"], "tea is sold out here, and the warehouse has some"
    # Found after all: it is missing no longer, and its task is not opened twice.
    assert shop.scan(of_tea, "A1")[0] == "good"
    assert staff.post(f"{shop.path}/shelves", shelf="A1").status_code == 303
    assert sorted(shop.result()) == ["Label is missing", "Refill"]
    with app.app_context():
        (task,) = tasks.open_tasks(world.location)
        assert task.times == 1

    # Nothing stands behind a label that is right: somebody goes and looks.
    assert staff.post(f"{shop.path}/empties", item=str(milk.id), shelf="A1").status_code == 303
    assert shop.open_tasks() == ["refill", "shelf_empty"]
    assert staff.post(f"{shop.path}/empties", item="999999").status_code == 404

    # The list leads to the studio, with just these.
    with app.app_context():
        (walk,) = walks.listed(world.location, ended=False)
        assert walks.to_print(walk.id) == [jam.id]
    studio = staff.get(f"/desk/labels?walk={walk.id}").text
    assert re.findall(r'name="item" value="(\d+)" checked', studio) == [str(jam.id)]
    printed = staff.post(
        "/desk/labels/jobs", sheet="L7160", copies="1", skip="0", key="from-the-walk", all="1",
        walk=str(walk.id),
    )  # fmt: skip
    assert printed.status_code == 303
    with app.app_context():
        newest = db.session.scalars(select(Label).order_by(Label.job_id.desc())).first()
        assert newest is not None and newest.item_id == jam.id
    assert world.faults() == []
