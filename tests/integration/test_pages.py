"""The page of feeds: what waits, and what can be done about it."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask

from tests.conftest import Clock
from tests.integration.feeding import numbers, said, send
from tests.world import World


def test_staff_decide_what_waits(app: Flask, world: World, clock: Clock) -> None:
    milk, sam = world.item(on_hand=3), world.staff()
    clock.tick(hours=1)
    with app.app_context():
        entry = {"item": milk.code, "location": "MAIN", "at": said(clock.now)}
        send(entry | {"id": "a<b", "change": -5}, entry | {"id": "2", "change": 0},
             entry | {"id": "3", "count": 8, "at": said(clock.now - timedelta(hours=2))},
             entry | {"id": "4", "item": "NOPE", "count": 1})  # fmt: skip
        short, old, unknown = numbers()
        (refused,) = numbers("refused")
    browser = world.client_for(sam)
    page = browser.get("/desk/feeds").text
    assert "a&lt;b" in page and "Fewer are left here" in page and "cannot be read" in page
    assert page.count("Apply</button>") == 3 and page.count("Set aside</button>") == 4
    assert browser.post(f"/desk/feeds/{old}/apply").status_code == 303
    assert "Done." in browser.get("/desk/feeds").text
    assert world.left(milk) == 8 + 3
    browser.post(f"/desk/feeds/{short}/apply")
    assert world.left(milk) == 6
    browser.post(f"/desk/feeds/{unknown}/apply")
    assert "Not applied: Nothing here has this code" in browser.get("/desk/feeds").text
    for number in (unknown, refused, unknown):
        browser.post(f"/desk/feeds/{number}/dismiss")
    assert "Nothing to decide" in browser.get("/desk/feeds").text
    everything = browser.get("/desk/feeds?show=all&source=erp").text
    assert everything.count("feed-entry") == 4 and sam.name in everything
    assert browser.get("/desk/feeds?show=x&before=x&source=%00").status_code in (200, 422)
    assert world.faults() == []
