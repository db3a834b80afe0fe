"""The board's lane answers as the view does, lets those wait who have seen the newest, and tells
nobody anything who may not see it any more."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.test import EnvironBuilder

from store import clock, identity, stock
from store.db import transaction
from store.floor import board_views, viewers
from store.floor import lane as lanes
from store.floor.lane import Lane
from store.identity.models import SignIn
from tests.world import Visitor, World

Answered = tuple[int, list[tuple[str, str]], bytes]
EVENTS = {"HTTP_ACCEPT": "text/event-stream", "SERVER_PROTOCOL": "HTTP/1.1"}


class Ask:
    """One request, as the server hands it to the lane; what the view says if it is passed on."""

    def __init__(self, app: Flask, environ: dict[str, Any]) -> None:
        self.app, self.environ, self.passed_on = app, environ, False
        self._answers: SimpleQueue[Answered | BaseException] = SimpleQueue()
        lane: Lane = app.extensions["board"]
        if not lane.later(environ, self):
            self.pass_on()

    def __call__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self._answers.put((status, sorted(headers), body))

    def pass_on(self) -> None:
        self.passed_on = True
        try:
            self._answers.put(by_view(self.app, self.environ))
        except BaseException as error:
            self._answers.put(error)

    def answer(self, within_s: float = 20) -> Answered:
        found = self._answers.get(timeout=within_s)
        if isinstance(found, BaseException):
            raise found
        return found

    def waits(self, for_s: float) -> bool:
        try:
            self._answers.put(self.answer(for_s))
        except Empty:
            return True
        return False


def by_view(app: Flask, environ: dict[str, Any]) -> Answered:
    said: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], *raised: object) -> Any:
        said.append((status, headers))

    body = b"".join(app.wsgi_app(environ, start))
    return int(said[0][0][:3]), sorted(said[0][1]), body


def counting(monkeypatch: pytest.MonkeyPatch, where: Any, name: str) -> list[object]:
    """Each call of this function from now on."""
    calls: list[object] = []
    function = getattr(where, name)

    def counted(*arguments: Any, **named: Any) -> Any:
        calls.append(arguments)
        return function(*arguments, **named)

    monkeypatch.setattr(where, name, counted)
    return calls


def looks(visitor: Visitor, query: str = "", **more: Any) -> dict[str, Any]:
    environ = EnvironBuilder(lanes.PATH, query_string=query).get_environ()
    cookie = visitor.client.get_cookie("visit")
    return environ | {"HTTP_COOKIE": f"visit={cookie.value if cookie else ''}"} | more


def mark_of(answer: Answered) -> str:
    found = re.search(rb"id: (\w+)", answer[2])
    assert found, answer
    return found[1].decode()


def without_turn(answer: Answered) -> Answered:
    """When and on what each comes back is each one's own; the time of day is the server's."""
    body = re.sub(rb"retry: \d+", b"retry: -", answer[2])
    own = ("Content-Length", "Date", "Connection")
    return answer[0], [pair for pair in answer[1] if pair[0] not in own], body


@pytest.fixture
def ask(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Ask]]:
    monkeypatch.setattr(lanes, "LOOK_S", 0.05)
    lane: Lane = app.extensions["board"]
    lane.open()
    yield lambda environ: Ask(app, environ)
    lane.close()


def test_the_lane_says_what_the_view_says(
    world: World, app: Flask, ask: Callable[..., Ask]
) -> None:
    world.item(on_hand=2)
    staff, shopper = world.client_for(world.staff()), world.client_for(world.member())
    guest = world.visitor()
    guest.get("/")
    mark = mark_of(ask(looks(staff, **EVENTS)).answer())
    same = [
        looks(staff), looks(staff, "at=MAIN"), looks(staff, HTTP_IF_NONE_MATCH=f'"{mark}"'),
        looks(staff, HTTP_IF_NONE_MATCH='"000000000000000000000000"'),
        looks(staff, **EVENTS), looks(staff, "at=MAIN", **EVENTS | {"SERVER_PROTOCOL": "HTTP/2"}),
        looks(staff, **EVENTS, HTTP_ACCEPT_LANGUAGE="zh"), looks(staff, HTTP_ACCEPT_LANGUAGE="zh"),
        looks(staff, **EVENTS, HTTP_LAST_EVENT_ID="\xff" * 90),
    ]  # fmt: skip
    for environ in same:
        asked = ask(dict(environ))
        answer = without_turn(asked.answer())
        assert not asked.passed_on, environ
        assert answer == without_turn(by_view(app, dict(environ))), environ
    # Who may not look, and whatever is not plain, is the view's.
    for environ, status in (
        (looks(shopper), 403), (looks(guest, **EVENTS), 303), (looks(staff, "at=M%41IN"), 200),
        (looks(staff, HTTP_IF_NONE_MATCH=f'W/"{mark}"'), 304),
        (looks(staff, REQUEST_METHOD="HEAD"), 200), (looks(staff, HTTP_HOST="a b"), 200),
    ):  # fmt: skip
        asked = ask(environ)
        assert asked.answer()[0] == status and asked.passed_on, environ
    assert world.faults() == []


def test_who_has_seen_the_newest_waits_until_there_is_a_newer_one(
    world: World, app: Flask, ask: Callable[..., Ask], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many wait, it is asked for once and made ready once; and nobody is told it again."""
    people = [world.client_for(world.staff()) for _ in range(2)]
    milk, lin = world.item(on_hand=9), world.member(funds="100")
    world.buy(lin, milk)
    mark = mark_of(ask(looks(people[0], **EVENTS)).answer())
    rendered = counting(monkeypatch, board_views, "render_template")
    asked = counting(monkeypatch, identity, "rights_by_visit")
    waiting = [ask(looks(each, **EVENTS, HTTP_LAST_EVENT_ID=mark)) for each in people]
    assert waiting[0].waits(0.4) and waiting[1].waits(0.1)
    assert len(asked) <= 2 and not rendered, "nothing for each who waits"
    with app.app_context(), transaction():
        stock.open_task("oversold", world.location, milk.id)
    answers = [each.answer() for each in waiting]
    assert without_turn(answers[0]) == without_turn(answers[1])
    assert b"Sold more than there was" in answers[0][2] and mark_of(answers[0]) != mark
    assert len(rendered) == 1
    late = ask(looks(people[0], **EVENTS, HTTP_LAST_EVENT_ID=mark)).answer(1)
    assert mark_of(late) == mark_of(answers[0]), "who has not seen it is told at once"


def test_a_stream_ends_within_seconds_of_the_sign_in_or_the_right(
    world: World, app: Flask, ask: Callable[..., Ask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewers, "RIGHTS_S", 0.2)
    out, fewer, stays = world.staff(), world.staff(), world.staff()
    visitors = [world.client_for(each) for each in (out, fewer, stays)]
    waiting = []
    for each in visitors:
        mark = mark_of(ask(looks(each, **EVENTS)).answer())
        waiting.append(ask(looks(each, **EVENTS, HTTP_LAST_EVENT_ID=mark)))
    assert all(each.waits(0.2) for each in waiting)
    with app.app_context(), transaction() as session:
        mine = SignIn.member_id == out.id
        session.execute(update(SignIn).where(mine).values(ended_at=clock.now()))
        session.execute(
            update(identity.Member).where(identity.Member.id == fewer.id).values(role="shopper")
        )
    assert waiting[0].answer(5)[0] == 303 and waiting[1].answer(5)[0] == 403
    assert waiting[2].waits(0.2), "the others wait on"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nobody_waits_for_ever_and_only_so_many_wait(
    world: World, app: Flask, ask: Callable[..., Ask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "WAITS_S", 1.0)
    monkeypatch.setattr(lanes, "MOST_WAITING", 3)
    people = [world.client_for(world.staff()) for _ in range(3)]
    mark = mark_of(ask(looks(people[0], **EVENTS)).answer())
    again = {"HTTP_LAST_EVENT_ID": mark, **EVENTS}
    waiting = [ask(looks(people[0], **again)) for _ in range(lanes.MOST_OF_ONE + 1)]
    # One browser takes no more than its share; beyond all places nobody waits.
    assert b"nothing new" in waiting[-1].answer(0.8)[2]
    waiting[-1] = ask(looks(people[1], **again))
    assert b"nothing new" in ask(looks(people[2], **again)).answer(0.8)[2]
    for each in waiting:
        status, _, body = each.answer(5)
        assert status == 200 and re.fullmatch(rb"retry: \d{4}\n: nothing new\n\n", body)
    # A process that ends lets all of them go at once.
    last = ask(looks(people[0], **again))
    app.extensions["board"].close()
    assert b"nothing new" in last.answer(0.8)[2]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_where_the_database_is_away_nobody_is_told_anything(
    world: World, app: Flask, ask: Callable[..., Ask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewers, "RIGHTS_S", 0.2)
    staff = world.client_for(world.staff())
    mark = mark_of(ask(looks(staff, **EVENTS)).answer())
    waits = ask(looks(staff, **EVENTS, HTTP_LAST_EVENT_ID=mark))
    assert waits.waits(0.1)

    def away(digests: object) -> None:
        raise RuntimeError("no answer")

    monkeypatch.setattr(identity, "rights_by_visit", away)
    before = time.monotonic()
    assert waits.answer(5) and waits.passed_on and time.monotonic() - before < 2
    other = ask(looks(staff))
    assert other.answer(5)[0] == 200 and other.passed_on, "the lane goes on, by the view"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_hundreds_who_look_cost_a_fraction_of_what_the_view_takes(
    world: World, app: Flask, ask: Callable[..., Ask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "MOST_OF_ONE", lanes.MOST_WAITING)
    staff = world.client_for(world.staff())
    mark = mark_of(ask(looks(staff, **EVENTS)).answer())
    by_view(app, looks(staff))
    polls = [looks(staff, HTTP_IF_NONE_MATCH=f'"{mark}"') for _ in range(300)]
    began = time.process_time()
    for each in polls:
        by_view(app, each)
    view_s, began = time.process_time() - began, time.process_time()
    for each in polls:
        assert ask(each).answer()[0] == 304
    lane_s = time.process_time() - began
    assert lane_s < view_s / 2, f"{lane_s:.3f} s in the lane, {view_s:.3f} s by the view"

    # Twenty looks at nothing new, for all who wait, take less than asking once for each.
    waiting = [ask(looks(staff, **EVENTS, HTTP_LAST_EVENT_ID=mark)) for _ in range(300)]
    began = time.process_time()
    assert waiting[-1].waits(1.0)
    took_s = time.process_time() - began
    assert took_s < view_s, f"{took_s:.3f} s for all who wait, {view_s:.3f} s by the view"
