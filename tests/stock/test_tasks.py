"""Tasks: a shopper finds a shelf empty, staff see it in their queue, one takes it, it is done."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from store import stock
from store.db import transaction
from store.stock import tasks
from tests.world import World


def report(world: World, code: str) -> int:
    return world.visitor().post("/shelf-reports", code=code, at="MAIN").status_code


def test_a_guest_tells_of_an_empty_shelf_and_the_stock_stays(world: World) -> None:
    milk = world.item(on_hand=3)
    guest = world.visitor()
    page = guest.get(milk.path).text
    assert 'action="/shelf-reports"' in page
    answer = guest.post("/shelf-reports", code=milk.code, at="MAIN", next=milk.path)
    assert answer.status_code == 303
    thanks = guest.get(answer.location).text
    assert "The staff have been told" in thanks and f'href="{milk.path}"' in thanks
    assert world.left(milk) == 3
    staff = world.client_for(world.staff())
    queue = staff.get("/desk/tasks").text
    assert "Shelf is empty" in queue and "the book says 3" in queue
    assert 'aria-label="1 waits"' in staff.get("/desk/sales").text
    assert world.faults() == []


def test_the_same_word_twice_is_one_task(world: World) -> None:
    milk, bread = world.item(on_hand=3), world.item("bread")
    assert [report(world, milk.code) for _ in range(3)] == [303, 303, 303]
    assert report(world, bread.code) == 303
    queue = world.client_for(world.staff()).get("/desk/tasks").text
    assert queue.count('class="work"') == 2
    assert "said 3 times" in queue


def test_one_visitor_cannot_fill_the_queue(world: World) -> None:
    goods = [world.item(name) for name in ("oat-milk", "bread")]
    guest = world.visitor()
    answers = [
        guest.post("/shelf-reports", code=goods[turn % 2].code, at="MAIN").status_code
        for turn in range(14)
    ]
    assert answers == [303] * 12 + [429] * 2


@pytest.mark.parametrize("form", [{"code": "NOTHING"}, {"at": "NOWHERE"}, {"code": ""}])
def test_a_word_about_nothing_opens_nothing(world: World, form: dict[str, str]) -> None:
    milk = world.item(on_hand=3)
    answer = world.visitor().post("/shelf-reports", {"code": milk.code, "at": "MAIN"} | form)
    assert answer.status_code in (404, 422)
    assert "Nothing to do here" in world.client_for(world.staff()).get("/desk/tasks").text


def test_one_takes_it_another_sees_who_and_it_is_done_once(world: World) -> None:
    milk = world.item(on_hand=3)
    report(world, milk.code)
    sam, mei = world.member("Sam", role="staff"), world.member("Mei", role="staff")
    first, second = world.client_for(sam), world.client_for(mei)
    path = re.search(r'action="(/desk/tasks/\d+)/takings', first.get("/desk/tasks").text)
    assert path
    for _ in range(2):
        assert first.post(f"{path[1]}/takings").status_code == 303
    assert "Sam sees to it" in second.get("/desk/tasks").text
    assert second.post(f"{path[1]}/takings").status_code == 409
    assert first.post(f"{path[1]}/returns").status_code == 303
    assert second.post(f"{path[1]}/takings").status_code == 303
    for _ in range(2):
        assert first.post(f"{path[1]}/ends").status_code == 303
    page = first.get("/desk/tasks").text
    assert "Done lately" in page and "Nothing to do here" in page
    assert second.post(f"{path[1]}/takings").status_code == 404


def test_what_is_done_can_be_asked_for_again(world: World, app: Flask) -> None:
    milk = world.item(on_hand=3)
    mill = world.place("MILL")
    with app.app_context():
        with transaction():
            first = stock.open_task("count", world.location, milk.id)
            assert stock.open_task("count", world.location, milk.id) == first
            assert stock.open_task("count", mill, milk.id) != first
            assert stock.open_task("count", world.location) != first
            assert stock.open_task("oversold", world.location, milk.id) != first
        with transaction():
            stock.close_tasks(("count",), world.location, [milk.id], None)
        with transaction():
            assert stock.open_task("count", world.location, milk.id) != first
        assert len(tasks.open_tasks(world.location)) == 3
        with pytest.raises(ValueError, match="no kind"), transaction():
            stock.open_task("whatever", world.location)


def test_the_tasks_of_another_place_are_not_counted_here(world: World, app: Flask) -> None:
    milk, mill = world.item(), world.place("MILL", "Mill Street")
    with app.app_context(), transaction():
        stock.open_task("count", mill, milk.id)
    staff = world.client_for(world.staff())
    assert "Nothing to do here" in staff.get("/desk/tasks").text
    assert "Count this" in staff.get("/desk/tasks?at=MILL").text
