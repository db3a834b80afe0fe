"""What waits on the floor: one list out of what the rooms hold, taken by one person at a time."""

from __future__ import annotations

import pytest

from store import stock
from store.db import transaction
from store.floor import work
from store.identity import rights
from store.stock import tasks, transit
from store.stock.tasks import TaskTaken
from tests.conftest import Clock
from tests.world import World


def kinds(page: str) -> list[str]:
    """The kinds on the list, in its order."""
    return [part.partition('"')[0] for part in page.split('data-work="')[1:]]


def test_one_list_by_urgency_out_of_what_the_rooms_hold(world: World, clock: Clock) -> None:
    """A shopper takes the last one, another finds a shelf empty, goods come from another place. A
    colleague takes one thing; nobody else does, until a time is over."""
    milk, bread = world.item(on_hand=1), world.item("bread")
    mill = world.place("MILL")
    world.stock(bread, 3, mill)
    world.buy(world.member(funds="100"), milk)
    staff, cashier = world.staff(), world.member(role="staff")
    first, mei = world.client_for(staff), world.client_for(world.member(role="staff"))
    with world.app.app_context():
        with transaction():
            stock.open_task("count", world.location, bread.id)
            stock.open_task("shelf_empty", world.location, bread.id)
            stock.open_task("count", mill, bread.id)
            slip = transit.open_transfer(mill, world.location, staff.id, key="from-the-mill")
        rights.give(cashier.id, {"refund"})
    page = first.get("/desk/waiting").text
    assert kinds(page) == ["shelf_empty", "sold_out", "count"] and slip
    assert 'href="/desk/tasks?at=MAIN"' in page

    assert first.post("/desk/waiting/count/takings").status_code == 303
    assert "You see to it" in first.get("/desk/waiting").text
    assert mei.post("/desk/waiting/count/takings").status_code == 409
    assert "sees to it" in mei.get("/desk/waiting").text
    # At the other place it is anybody's, and once more by the same person is no matter.
    assert mei.post("/desk/waiting/count/takings?at=MILL").status_code == 303
    assert first.post("/desk/waiting/count/takings").status_code == 303
    # Who gives back what is another's changes nothing.
    assert mei.post("/desk/waiting/count/returns").status_code == 303
    assert mei.post("/desk/waiting/count/takings").status_code == 409
    clock.tick(minutes=31)
    assert mei.post("/desk/waiting/count/takings").status_code == 303
    assert first.post("/desk/waiting/count/takings").status_code == 409

    # Who may not do it does not see it, and cannot take it.
    till = world.client_for(cashier)
    assert kinds(till.get("/desk/waiting").text) == []
    assert till.post("/desk/waiting/count/takings").status_code == 403
    assert till.post(f"/desk/waiting/{'x' * 300}/takings").status_code == 404
    assert world.faults() == []


def test_what_came_later_is_not_kept_by_whoever_took_the_earlier(
    world: World, clock: Clock
) -> None:
    bread = world.item("bread")
    first, second = world.staff().id, world.member(role="staff").id
    with world.app.app_context():
        with transaction():
            task = stock.open_task("count", world.location, bread.id)
            tasks.take_task(task, first)
            work.take("count", world.location, first, clock.now)
        clock.tick(minutes=5)
        with pytest.raises(TaskTaken), transaction():
            tasks.take_task(task, second)
        with transaction():
            work.take("count", world.location, second, clock.now)
        # A single task comes back after its time, too.
        clock.tick(minutes=26)
        assert tasks.open_tasks(world.location)[0].taken_by is None
        with transaction():
            tasks.take_task(task, second)
        assert tasks.open_tasks(world.location)[0].taken_by == second
