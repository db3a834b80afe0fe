"""The express lane answers as the views do, or leaves it to them."""

from __future__ import annotations

import re
import time
from io import BytesIO
from queue import SimpleQueue
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder

from store import ids, labels, stock
from store.db import transaction
from store.sales.express import Express
from store.web import behind_proxies
from tests.world import Somebody, Thing, Visitor, World

Answered = tuple[int, list[tuple[str, str]], bytes]


@pytest.fixture
def lin(world: World) -> Somebody:
    return world.member(funds="1000")


@pytest.fixture
def milk(world: World) -> Thing:
    milk = world.item(price="12.50", on_hand=0)
    world.stock(milk, 40)
    return milk


class Lanes:
    """One browser's requests, by the lane or by the views alone."""

    def __init__(self, app: Flask, visitor: Visitor) -> None:
        self.app = app
        self.lane: Express = app.extensions["express"]
        self.lane.open()
        self.views: Any = app.wsgi_app
        cookie = visitor.client.get_cookie("visit")
        self.secret = cookie.value if cookie else ""

    def environ(self, path: str, body: str | None = None, **more: Any) -> dict[str, Any]:
        path, _, query = path.partition("?")
        environ = EnvironBuilder(path, query_string=query).get_environ()
        environ["HTTP_COOKIE"] = f"visit={self.secret}"
        if body is not None:
            environ |= {
                "REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/x-www-form-urlencoded",
                "CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body.encode()),
            }  # fmt: skip
        return environ | more

    def by_views(self, environ: dict[str, Any]) -> Answered:
        said: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *raised: Any) -> Any:
            said.append((status, headers))

        body = b"".join(self.views(environ, start))
        status, headers = said[0]
        return int(status[:3]), sorted(headers), body

    def ask(self, environ: dict[str, Any]) -> Answered:
        """As the server asks: the lane, and the views where it passes on."""
        return self._ask(environ)[0]

    def express(self, environ: dict[str, Any]) -> Answered:
        """By the lane alone."""
        answer, passed_on = self._ask(environ)
        assert not passed_on, "left to the views"
        return answer

    def leaves(self, environ: dict[str, Any]) -> bool:
        """Whether the lane leaves this to the views."""
        return self._ask(environ)[1]

    def _ask(self, environ: dict[str, Any]) -> tuple[Answered, bool]:
        way = _Way(self, environ)
        if not self.lane.later(environ, way):
            way.pass_on()
        answer, passed_on = way.answered.get(timeout=30)
        if isinstance(answer, BaseException):
            raise answer
        return answer, passed_on


class _Way:
    """What the server is to a request: it may be answered once, from any thread."""

    def __init__(self, lanes: Lanes, environ: dict[str, Any]) -> None:
        self.lanes, self.environ = lanes, environ
        self.answered: SimpleQueue[tuple[Any, bool]] = SimpleQueue()

    def __call__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.answered.put(((status, sorted(headers), body), False))

    def pass_on(self) -> None:
        try:
            self.answered.put((self.lanes.by_views(self.environ), True))
        except BaseException as error:
            self.answered.put((error, True))


@pytest.fixture
def lanes(app: Flask, world: World, lin: Somebody) -> Lanes:
    return Lanes(app, world.client_for(lin))


def without_key(answered: Answered) -> Answered:
    status, headers, body = answered
    return status, headers, re.sub(rb'name="key" value="[^"]{20}"', b"", body)


def form(lanes: Lanes, thing: Thing, **more: str) -> str:
    csrf = ids.mac(str(lanes.lane._shop["SECRET_KEY"]).encode(), "csrf", lanes.secret, length=26)
    fields = {"csrf": csrf, "code": thing.code, "quantity": "1", "seen_minor": "1250",
              "at": "MAIN", "label": "", "key": ids.new(), "again": "1"}  # fmt: skip
    return urlencode({name: value for name, value in (fields | more).items() if value != "-"})


def sticker(lanes: Lanes, thing: Thing) -> str:
    """What stands behind `l=` on a sticker of this thing."""
    new = labels.NewLabel(thing.id, 1250, "CNY")
    with lanes.app.app_context(), transaction():
        _, (label_id,) = labels.record([new], "L7160", stock.location("MAIN").id, made_by=None)
    return labels.text_for(label_id, str(lanes.lane._shop["SECRET_KEY"]))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"HTTP_ACCEPT_LANGUAGE": "zh-CN,zh;q=0.9"},
        {"HTTP_ACCEPT_LANGUAGE": "de"},
        {"wsgi.url_scheme": "https", "HTTP_HOST": "shop.example", "secure": True},
        {"by_label": True},
    ],
)
def test_a_page_is_the_views_page_header_by_header(
    lanes: Lanes, milk: Thing, more: dict[str, Any]
) -> None:
    if more.get("secure"):
        lanes.lane._shop["BASE_URL"] = "https://shop.example"  # type: ignore[index]
        more = more | {"HTTP_COOKIE": f"__Host-visit={lanes.secret}"}
    if more.get("by_label"):
        more = {"QUERY_STRING": f"l={sticker(lanes, milk)}"}
    lanes.by_views(lanes.environ(milk.path, **more))  # It is rendered, and kept.
    seen = lanes.by_views(lanes.environ(milk.path, **more))
    assert seen[0] == 200
    by_lane = lanes.express(lanes.environ(milk.path, **more))
    assert set(by_lane[1]) ^ set(seen[1]) == set()
    assert without_key(by_lane) == without_key(seen)


def test_an_item_without_a_gtin_too(lanes: Lanes, world: World) -> None:
    pear = world.item("pear", price="3", on_hand=0)
    world.stock(pear, 2)
    lanes.by_views(lanes.environ(pear.path))
    seen = lanes.by_views(lanes.environ(pear.path))
    assert without_key(lanes.express(lanes.environ(pear.path))) == without_key(seen)


def test_what_changed_is_never_shown_from_before(
    lanes: Lanes, world: World, milk: Thing, lin: Somebody
) -> None:
    lanes.ask(lanes.environ(milk.path))
    world.price(milk, "13.75")
    assert b"13" in lanes.ask(lanes.environ(milk.path))[2]
    world.buy(lin, milk)
    assert b"39 on this shelf" in lanes.ask(lanes.environ(milk.path))[2]
    world.buy(lin, (milk, 36))
    assert b"Last 3 on this shelf" in lanes.ask(lanes.environ(milk.path))[2]
    for left in (b"Last 2 on", b"Last one on", b"Sold out"):
        world.buy(lin, milk)
        assert left in lanes.ask(lanes.environ(milk.path))[2]


def test_a_sold_out_page_too_and_it_knows_at_once_what_is_elsewhere(
    lanes: Lanes, world: World, milk: Thing, lin: Somebody
) -> None:
    world.buy(lin, (milk, 40))
    mill = world.place("MILL", "Mill Lane")

    def same_by_both() -> bytes:
        lanes.by_views(lanes.environ(milk.path))
        seen = lanes.by_views(lanes.environ(milk.path))
        by_lane = lanes.express(lanes.environ(milk.path))
        assert without_key(by_lane) == without_key(seen)
        return by_lane[2]

    assert b"Mill Lane" not in same_by_both()
    world.stock(milk, 3, at=mill)
    assert b"Collect at Mill Lane" in same_by_both()
    world.zone((5000, "5"))
    assert b"Deliver" in same_by_both()
    world.buy(lin, (milk, 3), at=mill)
    assert b"Mill Lane" not in same_by_both()


def test_what_is_unusual_is_left_to_the_views(lanes: Lanes, milk: Thing) -> None:
    lanes.ask(lanes.environ(milk.path))
    assert not lanes.leaves(lanes.environ(milk.path))
    for more in (
        {"HTTP_COOKIE": ""}, {"HTTP_COOKIE": "visit=short"}, {"HTTP_ACCEPT": "application/json"},
        {"QUERY_STRING": "quantity=2"}, {"QUERY_STRING": "linkType=all"},
        {"QUERY_STRING": "l=%00"}, {"QUERY_STRING": "lang=zh"}, {"REQUEST_METHOD": "HEAD"},
        {"HTTP_HOST": "a b"}, {"HTTP_HOST": ""}, {"PATH_INFO": milk.path + "/10/A"},
        {"PATH_INFO": "/01/00000000000000"}, {"PATH_INFO": milk.path + "/"},
        {"HTTP_COOKIE": f'visit={lanes.secret}; note="\\000"'},
    ):  # fmt: skip
        assert lanes.leaves(lanes.environ(milk.path, **more)), more


def test_a_buy_is_the_views_buy(lanes: Lanes, world: World, milk: Thing, lin: Somebody) -> None:
    body = form(lanes, milk)
    status, headers, _ = lanes.express(lanes.environ("/sales", body))
    assert status == 303
    # The same key by the other lane is the same sale, and the answer the same to the letter.
    assert lanes.by_views(lanes.environ("/sales", body))[:2] == (status, headers)
    assert (world.left(milk), world.balance(lin)) == (39, 98_750)
    assert world.faults() == []


def test_a_refusal_is_shown_as_ever_and_asked_for_once(
    lanes: Lanes, world: World, milk: Thing, lin: Somebody
) -> None:
    status, _, page = lanes.ask(lanes.environ("/sales", form(lanes, milk, seen_minor="9")))
    assert status == 409
    assert b"12" in page
    world.buy(lin, (milk, 39))
    too_many = form(lanes, milk, quantity="2")
    by_lane = lanes.ask(lanes.environ("/sales", too_many))
    by_view = lanes.by_views(lanes.environ("/sales", too_many))
    assert by_lane[0] == by_view[0] == 409
    assert (world.left(milk), world.balance(lin)) == (1, 51_250)
    assert world.faults() == []


def test_a_form_that_is_not_ours_is_left_to_the_views(
    lanes: Lanes, world: World, milk: Thing, lin: Somebody
) -> None:
    good = form(lanes, milk)
    bad: list[tuple[str, dict[str, Any]]] = [
        (form(lanes, milk, csrf="0" * 26), {}),
        (form(lanes, milk, csrf="-"), {}),
        (form(lanes, milk, quantity="0"), {}),
        (form(lanes, milk, quantity="100"), {}),
        (form(lanes, milk, quantity="٣"), {}),
        (form(lanes, milk, seen_minor=str(2**63)), {}),
        (form(lanes, milk, key="short"), {}),
        (form(lanes, milk, code="NOWHERE"), {}),
        (form(lanes, milk, at="NOWHERE"), {}),
        (good + "&note=%00", {}),
        (good, {"HTTP_ORIGIN": "https://evil.example"}),
        (good, {"CONTENT_TYPE": "text/plain"}),
        (good, {"CONTENT_LENGTH": "9999"}),
        (good, {"CONTENT_LENGTH": "600"}),
        (good, {"CONTENT_LENGTH": "-1"}),
        (good, {"HTTP_COOKIE": f"visit={'x' * 43}"}),
        (good, {"QUERY_STRING": "at=NOWHERE"}),
    ]
    for body, more in bad:
        assert lanes.leaves(lanes.environ("/sales", body, **more)), (body, more)
        # And the view still has the whole form to read.
        assert lanes.ask(lanes.environ("/sales", body, **more))[0] < 500
        assert world.left(milk) == 40, (body, more)
    assert (world.left(milk), world.balance(lin)) == (40, 100_000)


def test_the_views_get_the_form_that_the_lane_has_looked_at(
    lanes: Lanes, world: World, milk: Thing
) -> None:
    body = form(lanes, milk) + "&note=hello"
    assert lanes.ask(lanes.environ("/sales", body))[0] == 303
    assert world.left(milk) == 39


def test_buys_that_wait_are_settled_together_and_each_gets_its_own_answer(
    lanes: Lanes, world: World, milk: Thing, lin: Somebody
) -> None:
    """Whoever hands a buy in goes on; answers come when they are there."""
    ways = [_Way(lanes, lanes.environ("/sales", form(lanes, milk))) for _ in range(30)]
    dear = _Way(lanes, lanes.environ("/sales", form(lanes, milk, quantity="50")))
    for way in (*ways, dear):
        assert lanes.lane.later(way.environ, way)
    answers = [way.answered.get(timeout=30) for way in ways]
    assert {answer[0] for answer, _ in answers} == {303}
    assert len({dict(answer[1])["Location"] for answer, _ in answers}) == 30
    assert dear.answered.get(timeout=30)[0][0] == 409
    assert (world.left(milk), world.balance(lin)) == (10, 62_500)
    assert world.faults() == []


def test_an_answer_that_cannot_be_given_stops_nobody_else(
    lanes: Lanes, world: World, milk: Thing
) -> None:
    class Gone(_Way):
        def __call__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            raise BaseException("the server could not take it")

    lanes.by_views(lanes.environ(milk.path))
    for lost in (lanes.environ(milk.path), lanes.environ("/sales", form(lanes, milk))):
        assert lanes.lane.later(lost, Gone(lanes, lost))
    until = time.monotonic() + 20
    while world.left(milk) == 40 and time.monotonic() < until:
        time.sleep(0.01)
    lanes.by_views(lanes.environ(milk.path))
    assert lanes.express(lanes.environ(milk.path))[0] == 200
    assert lanes.express(lanes.environ("/sales", form(lanes, milk)))[0] == 303
    assert world.left(milk) == 38
    assert world.faults() == []


def test_behind_a_proxy_it_sees_the_shops_own_address(
    app: Flask, lanes: Lanes, milk: Thing
) -> None:
    app.config |= {"PROXIES": 1, "BASE_URL": "https://shop.example"}
    lanes.lane = Express(app.extensions["shop_engine"], app.config, app.app_context)
    lanes.lane.open()
    lanes.views = behind_proxies(app.wsgi_app, 1)
    said = {
        "HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_HOST": "shop.example",
        "HTTP_X_FORWARDED_FOR": "192.0.2.7", "HTTP_COOKIE": f"__Host-visit={lanes.secret}",
    }  # fmt: skip
    lanes.by_views(lanes.environ(milk.path, **said))
    seen = lanes.by_views(lanes.environ(milk.path, **said))
    by_lane = lanes.express(lanes.environ(milk.path, **said))
    assert without_key(by_lane) == without_key(seen)
    assert "https://shop.example/" in dict(by_lane[1])["Link"]
