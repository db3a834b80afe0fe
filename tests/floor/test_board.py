"""The live board: figures and goods, nobody's name, and one reading for all who look."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from sqlalchemy import event

from store import stock
from store.db import transaction
from store.floor.board import SLOTS_A_SECOND, Turns
from store.floor.now import Kept
from tests.conftest import Clock
from tests.world import World


def test_the_board_says_what_goes_on_and_names_nobody(
    world: World, app: Flask, clock: Clock
) -> None:
    milk, bread = world.item(on_hand=1), world.item("bread", on_hand=9)
    lin, staff = world.member(funds="100"), world.client_for(world.staff())
    world.buy(lin, milk)
    guest = world.visitor()
    guest.get(bread.path)
    form = {"code": bread.code, "quantity": "3", "seen_minor": str(bread.price_minor)}
    assert guest.post("/basket/lines", form).status_code == 303
    with app.app_context(), transaction():
        stock.open_task("oversold", world.location, bread.id)

    page = staff.get("/desk/live")
    assert page.status_code == 200 and 'http-equiv="refresh"' in page.text
    for said in ("3 pieces", "Passes not scanned yet", "Sold more than there was", "Oat milk"):
        assert said in page.text, said
    part = staff.get("/desk/live/part").text
    for hidden in (lin.name, lin.email, str(lin.name).split()[0]):
        assert hidden not in part

    # As an event: answered at once, and not again to whoever has seen it.
    asking = {"Accept": "text/event-stream"}
    answer = staff.get("/desk/live/part", headers=asking)
    assert answer.mimetype == "text/event-stream" and answer.text.startswith("retry: ")
    assert "data: <dl" in answer.text and answer.text.endswith("\n\n")
    mark = answer.text.partition("id: ")[2].partition("\n")[0]
    again = staff.get("/desk/live/part", headers=asking | {"Last-Event-ID": mark})
    assert "data:" not in again.text and again.text.startswith("retry: ")
    unchanged = staff.get("/desk/live/part", headers={"If-None-Match": f'"{mark}"'})
    assert unchanged.status_code == 304
    assert staff.get("/desk/live/part", headers=asking | {"Last-Event-ID": "\xff" * 90}).data

    # Who looks at it asks who they are, where they stand, and nothing else.
    asked: list[str] = []
    engine = app.extensions["shop_engine"]
    event.listen(engine, "before_cursor_execute", lambda *them: asked.append(them[2]))
    for _ in range(20):
        staff.get("/desk/live/part", headers=asking)
    assert not [each for each in asked[20:] if "UNION ALL" in each]
    assert sum("UNION ALL" in each for each in asked) <= 2
    # A shopper has no board, a guest is asked who they are.
    assert world.client_for(lin).get("/desk/live/part").status_code == 403
    assert world.visitor().get("/desk/live/part", headers=asking).status_code == 303
    assert world.faults() == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_has_waited_since_yesterday_says_so(world: World, clock: Clock) -> None:
    staff, milk = world.client_for(world.staff()), world.item(on_hand=1)
    world.buy(world.member(funds="100"), milk)
    today = staff.get("/desk/live/part").text
    assert "since 18:30" in today, today
    clock.tick(days=1)
    assert "since 15 Mar 2027, 18:30" in staff.get("/desk/live/part").text


def test_those_who_look_come_back_one_after_another() -> None:
    """Few come back soon; many come back later, so that no second has more than its share."""
    turns = Turns(lambda: 100.0)
    assert [turns.next_s(), turns.next_s()] == pytest.approx([2.0, 2.0 + 1 / SLOTS_A_SECOND])
    later = [turns.next_s() for _ in range(300)]
    assert 17 < later[-1] < 17.2 and later == sorted(later)
    for _ in range(5000):
        latest = turns.next_s()
    assert latest == 30
    # Those of the lane come in bunches, no more of them in a second.
    together = Turns(lambda: 100.1, 40, 0.5)
    moments = [round(together.next_s() + 100.1, 6) for _ in range(200)]
    assert {each * 2 % 1 for each in moments} == {0} and min(moments) >= 102.1
    assert max(moments.count(each) for each in moments) <= 20


def test_one_asks_and_all_others_get_the_last_answer() -> None:
    gate, asked = threading.Event(), []

    def ask() -> int:
        asked.append(1)
        if len(asked) > 1:
            assert gate.wait(10)
        return len(asked)

    kept = Kept(ask, 0.0)
    assert kept.get() == 1
    slow = threading.Thread(target=kept.get)
    slow.start()
    while len(asked) < 2:
        pass
    assert [kept.get() for _ in range(5)] == [1] * 5
    gate.set()
    slow.join()
    assert len(asked) == 2
