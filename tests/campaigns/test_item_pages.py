"""The card of a campaign on item pages: for whom it is, by the view; for all others the express
lane answers as before, with its one statement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import event

from store import campaigns
from store.campaigns import item_cards
from store.db import shop_engine
from store.membership import consents
from tests.campaigns.making import many, rows, started, step
from tests.conftest import Clock
from tests.sales.test_express import Lanes, without_key
from tests.world import World

HEADING = b"Pears are here"


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_c: Any, _d: Any, text: str, *_more: Any) -> None:
        asked.append(text)

    with app.app_context():
        engine = shop_engine()
    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


def test_a_card_on_an_item_page_costs_nobody_else_anything(
    world: World, app: Flask, clock: Clock
) -> None:
    lin, mei = many(world, app, 2, "page")
    bo, milk = world.member(), world.item(price="12.50", on_hand=40)
    lanes = {one.id: Lanes(app, world.client_for(one)) for one in (lin, mei, bo)}
    guest = world.client_for(bo)
    guest.client.delete_cookie("visit")

    def page(who: int) -> tuple[int, Any, bytes]:
        return lanes[who].ask(lanes[who].environ(milk.path))

    def is_free(who: int) -> None:
        """The lane answers as the view does, header by header, and asks nothing but its prepared
        statement, which goes to the driver by itself."""
        environ = lanes[who].environ
        seen = lanes[who].by_views(environ(milk.path))
        with statements(app) as asked:
            by_lane = lanes[who].express(environ(milk.path))
        assert asked == [] and HEADING not in by_lane[2]
        assert without_key(by_lane) == without_key(seen)

    page(bo.id)
    for one in (lin, mei, bo):
        is_free(one.id)

    with app.app_context():
        made = started(world, channel="page", days=7)
        campaigns.work()
    assert lanes[bo.id].leaves(lanes[bo.id].environ(milk.path)), "once it is looked up"
    is_free(bo.id)
    clock.tick(seconds=item_cards.ASK_AGAIN.total_seconds() + 1)
    with statements(app) as asked:
        assert HEADING not in page(bo.id)[2]
    assert len([text for text in asked if "campaign_members" in text]) == 1, asked
    is_free(bo.id)
    assert HEADING not in guest.get(milk.path).data

    for _ in range(2):
        shown = page(lin.id)[2]
        assert HEADING in shown and b"agreed to offers on our pages" in shown
        assert b"hole-" not in shown and b"&lt;aside" not in shown
    with app.app_context():
        states = {member: row.state for member, row in rows(made).items()}
        assert states == {lin.id: "told", mei.id: "queued"}
        consents.stop(mei.id, "page", place="account", language="en")
    assert HEADING not in page(mei.id)[2], "who ended it sees no card from then on"

    phone = world.client_for(lin)
    dismissal = f"/me/campaigns/{made}/dismissals"
    label = f"{milk.path}?l=ABC"
    assert HEADING in phone.get(label).data and label.encode() in phone.get(label).data
    for to, back in (("//evil.example", "/"), (milk.path, milk.path)):
        assert phone.post(dismissal, back="item", next=to).location == back
    assert HEADING not in page(lin.id)[2]
    is_free(lin.id)


def test_when_it_ends_pages_are_as_before_and_who_is_held_out_sees_nothing(
    world: World, app: Flask
) -> None:
    people, milk = many(world, app, 8, "page"), world.item(price="12.50", on_hand=40)
    lanes = {one.id: Lanes(app, world.client_for(one)) for one in people}
    with app.app_context():
        made = started(world, channel="page", days=7, held_percent=50)
        campaigns.work()
        held = {member for member, row in rows(made).items() if row.held}
    assert held and len(held) < len(people)
    for one in people:
        shown = HEADING in lanes[one.id].ask(lanes[one.id].environ(milk.path))[2]
        assert shown == (one.id not in held)
    with app.app_context():
        step(made, "pause")
    for one in people:
        lanes[one.id].ask(lanes[one.id].environ(milk.path))
        assert not lanes[one.id].leaves(lanes[one.id].environ(milk.path))
    with app.app_context():
        step(made, "resume")
    assert any(lanes[one.id].leaves(lanes[one.id].environ(milk.path)) for one in people)
    with app.app_context():
        step(made, "end")
        for one in people:
            assert HEADING not in lanes[one.id].by_views(lanes[one.id].environ(milk.path))[2]
        assert world.faults() == []
