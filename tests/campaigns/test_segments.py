"""Segments as an owner makes them: counted before they are kept, refused where they say nothing."""

from __future__ import annotations

import re

from flask import Flask

from store import outbox
from store.catalogue import categories
from store.reports.customers import segments
from store.reports.customers.segments import Segment
from store.sales import Line
from store.sales.basket import basket
from store.sales.basket.basket_rows import Holder
from tests.conftest import Clock
from tests.world import World


def test_a_segment_is_counted_before_it_is_kept(world: World, app: Flask, clock: Clock) -> None:
    owner, lin, mei = world.owner(), world.member(funds="900"), world.member(funds="900")
    milk, jam = world.item("oat-milk", on_hand=99), world.item("jam", on_hand=99)
    for _ in range(3):
        world.buy(lin, milk)
    world.buy(mei, (jam, 2), channel="web")
    with app.app_context():
        outbox.work()
        goods = {one.code: one.id for one in categories()}
    world.buy(mei, milk)  # Waits in the outbox still, and counts all the same.
    desk = world.client_for(owner)

    def many(**form: str) -> int:
        answer = desk.post("/owner/segments/preview", form)
        assert answer.status_code == 200, answer.text
        found = re.search(r"<strong>(\d+) member", answer.text)
        assert found, answer.text
        return int(found[1])

    assert many(least_times="1") == 2
    assert many(least_times="3", days="7") == 1
    assert many(channel="web") == 1
    assert many(category=str(next(iter(goods.values()))), days="1") in (1, 2)
    assert many(least="25", place="MAIN") == sum(
        total >= 2500 for total in (3 * milk.price_minor, 2 * jam.price_minor + milk.price_minor)
    )
    assert many(quiet_days="2") == 0
    clock.tick(days=2)
    assert many(quiet_days="2") == 2
    assert many(days="2") == 0

    # What cannot be is told, and nothing is kept.
    for bad in (
        {}, {"days": "0"}, {"days": "x"}, {"days": "99999"}, {"left_days": "31"},
        {"least": "-1"}, {"least": "1.234"}, {"least_times": "5", "most_times": "4"},
        {"category": "999"}, {"channel": "fax"}, {"least_times": "1", "name": "x" * 61},
        {"least_times": "1", "name": ""},
    ):  # fmt: skip
        assert desk.post("/owner/segments", {"name": "A", **bad}).status_code == 422, bad
    assert desk.post("/owner/segments", {"name": "A", "place": "NONE"}).status_code == 404
    name = "<b>Good & loyal</b>"
    assert desk.post("/owner/segments", {"name": name, "least_times": "3"}).status_code == 303
    page = desk.get("/owner/segments").text
    assert "&lt;b&gt;Good &amp; loyal&lt;/b&gt;" in page and "bought 3 times or more" in page
    (end,) = re.findall(r'action="(/owner/segments/\d+/end)"', page)
    assert desk.post(end).status_code == 303
    assert "Good" not in desk.get("/owner/segments").text


def test_what_was_left_in_a_basket_counts_until_something_is_bought(
    world: World, app: Flask, clock: Clock
) -> None:
    lin, mei, milk = world.member(funds="900"), world.member(funds="900"), world.item(on_hand=99)
    with app.app_context():
        left = Segment(world.currency, left_days=3)
        for who in (lin, mei):
            basket.add(Holder(who.id, None), Line(milk.id, 1), world.location, world.currency)
        assert segments.members(left) == []  # They are in the shop still.
        clock.tick(hours=2)
        assert segments.members(left) == [lin.id, mei.id]
        world.buy(mei, milk)
        assert segments.members(left) == [lin.id]
        clock.tick(days=4)
        assert segments.members(left) == []
        assert world.faults() == []
