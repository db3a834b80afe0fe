"""Stickers that are not what they should be: who scans one is warned, and staff find it listed."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from store.catalogue.items import archive_item
from store.db import db, transaction
from store.labels import Label, NewLabel, Sighting, bad_stickers, record, text_for
from store.labels.models import BadSticker
from store.labels.sightings import Sightings
from store.stock import tasks
from tests.world import Thing, Visitor, World


@pytest.fixture
def staff(world: World) -> Visitor:
    return world.client_for(world.staff())


def sticker(world: World, item: Thing, place: int | None = None, shelf: str = "A1") -> str:
    """A new label of the item; answers its id."""
    with world.app.app_context(), transaction():
        new = NewLabel(item.id, item.price_minor, "CNY", shelf)
        return record([new], "L7160", place or world.location, made_by=None)[1][0]


def behind(world: World, label_id: str) -> str:
    return text_for(label_id, str(world.app.config["SECRET_KEY"]))


def listed(staff: Visitor, at: str = "MAIN") -> list[str]:
    page = staff.get(f"/desk/labels/bad?at={at}").text
    return re.findall(r'<h2 class="work-name">([^<]+)</h2>', page)


def rows(app: Flask) -> list[tuple[str, int, str | None]]:
    with app.app_context():
        found = db.session.query(BadSticker).order_by(BadSticker.id)
        return [(one.kind, one.times, one.how) for one in found]


def end(staff: Visitor, app: Flask, how: str, at: int = 1) -> TestResponse:
    """See to the bad sticker that was listed as this one."""
    with app.app_context():
        ids = list(db.session.scalars(select(BadSticker.id).order_by(BadSticker.id)))
    number = ids[at - 1] if at <= len(ids) else 10**6
    return staff.post(f"/desk/labels/bad/{number}/ends", how=how)


def test_whoever_scans_a_wrong_sticker_is_warned_and_staff_see_it_on_the_list(
    world: World, staff: Visitor
) -> None:
    milk, honey = world.item("oat-milk"), world.item("honey")
    right, old, other = (sticker(world, milk), sticker(world, milk), sticker(world, honey))
    gone = sticker(world, honey)
    shopper = world.visitor()
    assert "warned" not in shopper.get(f"{milk.path}?l={behind(world, right)}").text
    assert listed(staff) == []

    staff.post(f"/desk/labels/{old}/revoke")
    for said in ("MADE00UP00000", "MADE00UP00001", behind(world, old), behind(world, other)):
        page = shopper.get(f"{milk.path}?l={said}")
        assert page.status_code == 200 and "warned" in page.text, said
    with world.app.app_context(), transaction():
        archive_item(honey.id)
    assert shopper.get(f"{honey.path}?l={behind(world, gone)}").status_code == 404
    assert listed(staff) == [
        "Item is sold no more", "Label of another item", "Out of use", "Not our label",
    ]  # fmt: skip
    # However many texts are made up, an item has one row; the second is counted, and written later.
    assert rows(world.app)[0] == ("foreign", 1, None)
    assert "Wrong labels" in staff.get("/desk/labels").text
    assert "A label is wrong" in staff.get("/desk/tasks").text
    # A guest's next scan of the same within the minute writes nothing more.
    shopper.get(f"{milk.path}?l=MADE00UP00002")
    assert rows(world.app)[0] == ("foreign", 1, None)
    assert world.faults() == []


def test_each_way_out_does_what_it_says_and_closes_the_task(world: World, staff: Visitor) -> None:
    app, milk = world.app, world.item("oat-milk")
    moved, copied = sticker(world, milk), sticker(world, milk)
    seen = [
        Sighting("moved", world.location, milk.id, moved, shelf="B2"),
        Sighting("copied", world.location, milk.id, copied),
        Sighting("foreign", world.location, milk.id),
    ]

    def report(*which: Sighting) -> None:
        with app.app_context(), transaction():
            for one in which:
                bad_stickers.report(one)

    def in_use(label_id: str) -> bool:
        with app.app_context():
            return db.session.get_one(Label, label_id).revoked_at is None

    report(*seen, seen[0])
    assert rows(app) == [("moved", 2, None), ("copied", 1, None), ("foreign", 1, None)]
    assert end(staff, app, "no such way").status_code == 422
    assert end(staff, app, "right", at=99).status_code == 404
    for how in ("right", "removed"):  # The first one counts.
        assert end(staff, app, how).status_code == 303
    assert in_use(moved)
    report(seen[0])  # It was found to be right there.
    assert rows(app)[0] == ("moved", 2, "right") and len(rows(app)) == 3
    with app.app_context():
        assert [task.kind for task in tasks.open_tasks(world.location)] == ["bad_sticker"]

    assert end(staff, app, "removed", at=2).status_code == 303
    assert in_use(copied), "the other one of the two stays"
    report(seen[1])
    printed = end(staff, app, "replaced", at=4)
    assert printed.location and f"q={milk.code}" in printed.location
    assert f'value="{milk.id}" checked' in staff.get(printed.location).text
    assert not in_use(copied)
    assert end(staff, app, "replaced", at=3).status_code == 303
    with app.app_context():
        assert tasks.open_tasks(world.location) == []
    assert "printed anew" in staff.get("/desk/labels/bad?ended=1").text
    # Nothing is refused halfway: of a place elsewhere nothing was listed or closed.
    mill = world.place("MILL")
    report(seen[0]._replace(location_id=mill))
    assert listed(staff, "MILL") == ["Belongs elsewhere"]
    assert listed(staff) == []


def test_a_flood_of_made_up_addresses_writes_little(world: World) -> None:
    known, milk = Sightings(), world.item("oat-milk")
    with world.app.app_context():
        for number in range(300):
            known.saw(Sighting("foreign", world.location, None, text=f"{number}"))
            known.saw(Sighting("foreign", world.location, milk.id))
        db.session.rollback()
        assert db.session.query(BadSticker).count() <= 12
