"""Who may do what: every route of the shop, each kind of visitor, and the answer they get.

A route that is not in the table (routes.py) fails the first test: whoever adds one says there whom
it serves. The API's own routes ask for tokens (tests/api/test_access.py); here they are tried with
the cookies of people who are signed in, which open nothing there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from store import ids, sales
from store.db import Base, db
from store.identity import passwords
from store.payment import attempts, topups
from store.payment.gateways.simulated import Simulated
from store.sales.paying import paying
from tests.shape.routes import ROLES, ROUTES, WITH_PROOF_OF_THEIR_OWN
from tests.world import Somebody, Thing, Visitor, World


@dataclass
class Cast:
    """The people, what they own, and a browser for one of them."""

    world: World
    people: dict[str, Somebody]
    item: Thing
    values: dict[str, object]

    def path(self, example: str) -> str:
        return example.format(**self.values)

    def browser(self, role: str) -> Visitor:
        return self.world.visitor() if role == "guest" else self.world.client_for(self.people[role])


@pytest.fixture(autouse=True)
def _cheap_passwords() -> Iterator[None]:
    passwords.set_hasher(passwords.QUICK)
    yield
    passwords.set_hasher(passwords.STRONG)


@pytest.fixture
def cast(world: World, app: Flask) -> Cast:
    people = {
        "shopper": world.member("Lin", funds="100"), "other": world.member("Mei"),
        "staff": world.staff(), "owner": world.owner(), "leaver": world.staff(),
    }  # fmt: skip
    milk, lin = world.item(on_hand=10), people["shopper"]
    sale = world.buy(lin, milk)
    with app.app_context():
        wanted = attempts.Wanted(lin.id, 500, "CNY", ids.new(), "never")
        top_up = topups.top_up(wanted, Simulated(b"k"), most_minor=1000).id
        buy = sales.Buy(lin.id, world.location, "CNY", (sales.Line(milk.id, 1),), ids.new(),
                        means="simulated")  # fmt: skip
        attempt = paying.pay(paying.Paying(buy, Simulated(b"k"), wish="never"))
    values: dict[str, object] = {
        "sale": sale.id, "paying": attempt, "top_up": top_up, "gtin": milk.gtin,
        "code": milk.code, "item": milk.id, "member": people["leaver"].id,
    }  # fmt: skip
    return Cast(world, people, milk, values)


def rules(app: Flask) -> dict[str, str]:
    """Every route by its endpoint and method."""
    return {
        f"{rule.endpoint} {method}": rule.rule
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    }


def test_every_route_is_in_the_table(app: Flask) -> None:
    assert sorted(rules(app)) == sorted(ROUTES)


# Who may what is asked before a database is; that each page opens on both, other tests see.
SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@SQLITE
@pytest.mark.parametrize("role", ROLES)
def test_each_route_answers_each_visitor_as_the_table_says(cast: Cast, role: str) -> None:
    browser, wrong = cast.browser(role), {}
    for key, (example, expected) in ROUTES.items():
        path = cast.path(example)
        get = key.endswith("GET")
        answer = browser.get(path, buffered=True) if get else browser.post(path)
        if answer.status_code != expected[ROLES.index(role)]:
            wrong[key] = (answer.status_code, expected[ROLES.index(role)])
        if answer.status_code == 303 and role == "guest" and expected[1] != 303:
            assert urlsplit(answer.location).path == "/sign-in"
    assert wrong == {}
    assert cast.world.faults() == []


# What is not mine


def as_seen(answer: TestResponse, *hidden: object) -> tuple[int, str]:
    """An answer without what differs from request to request by itself."""
    page = re.sub(r'name="csrf" value="\w+"', "", answer.text)
    for one in hidden:
        page = page.replace(str(one), "ID")
    return answer.status_code, page


def test_not_mine_looks_like_not_there(cast: Cast) -> None:
    browser, nobodys = cast.browser("other"), ids.new()
    for example in ("/sales/{}", "/sales/{}/pass.svg", "/me/top-up/{}", "/pay/{}"):
        for mine in (cast.values["sale"], cast.values["top_up"], cast.values["paying"]):
            theirs = as_seen(browser.get(example.format(mine)), mine)
            assert theirs == as_seen(browser.get(example.format(nobodys)), nobodys)
            assert theirs[0] == 404
    posted = [browser.post(f"/me/top-up/{one}/checks") for one in (cast.values["top_up"], nobodys)]
    assert as_seen(posted[0], cast.values["top_up"]) == as_seen(posted[1], nobodys)


def test_what_is_others_cannot_be_changed(cast: Cast) -> None:
    lin, mei = cast.browser("shopper"), cast.browser("other")
    lin.post("/basket/lines", code=cast.item.code, quantity="2", seen_minor="0")
    line = re.search(r'name="line_id" value="(\d+)"', lin.get("/basket").text)
    device = re.findall(r"/me/devices/(\d+)/end", mei.get("/me/devices").text)
    assert line
    answers = [mei.post("/basket/quantity", line_id=one, quantity="9") for one in (line[1], "999")]
    assert as_seen(answers[0]) == as_seen(answers[1])
    for number in range(1, 12):
        if str(number) not in device:
            mei.post(f"/me/devices/{number}/end")
    assert lin.get("/me").status_code == 200, "another shopper has ended this sign-in"
    assert re.search(r'value="2"|>2<', lin.get("/basket").text)
    assert cast.world.faults() == []


# Forms that are not ours


def everything(app: Flask) -> dict[str, list[Any]]:
    """All rows of all tables. When a sign-in was seen last, and how often somebody tried, is no
    part of the books."""
    kept = {}
    with app.app_context():
        for table in Base.metadata.sorted_tables:
            left_out = {"seen_at"} if table.name == "sign_ins" else set()
            columns = ", ".join(
                f'"{one.name}"' for one in table.columns if one.name not in left_out
            )
            rows = db.session.execute(text(f'SELECT {columns} FROM "{table.name}"'))
            kept[table.name] = sorted(map(repr, rows))
    return kept


@SQLITE
def test_no_form_is_taken_without_its_token(cast: Cast, app: Flask) -> None:
    owner, stranger = cast.browser("owner"), cast.browser("shopper")
    posts = [
        cast.path(example)
        for key, (example, _) in ROUTES.items()
        if key.endswith("POST") and not key.startswith(WITH_PROOF_OF_THEIR_OWN)
    ]
    assert len(posts) > 25
    before = everything(app)
    tokens = ("", "x", "é", stranger._csrf, owner._csrf[:-1], owner._csrf + "0")
    origins = ("https://evil.example", "null", "http://localhost:1", "http://localhost.evil")
    for number, path in enumerate(posts):
        # Every form is tried with none and one of each kind, the first with all.
        for token in tokens if number == 0 else ("", tokens[number % len(tokens)]):
            answer = owner.client.post(path, data={"csrf": token})
            assert answer.status_code == 403 and "form_expired" in answer.text, (path, token)
        for origin in origins if number == 0 else (origins[number % len(origins)],):
            answer = owner.client.post(path, data={"csrf": owner._csrf}, headers={"Origin": origin})
            assert answer.status_code == 403, (path, origin)
        # A token in the address is none: addresses are kept and passed on.
        answer = owner.client.post(f"{path}?csrf={owner._csrf}")
        assert answer.status_code == 403, path
    assert everything(app) == before


@SQLITE
def test_other_methods_are_not_known(cast: Cast) -> None:
    owner = cast.browser("owner")
    for key, (example, _) in ROUTES.items():
        for method in ("PUT", "DELETE", "PATCH"):
            answer = owner.client.open(cast.path(example), method=method)
            assert answer.status_code == 405, (key, method)


# Looking changes nothing

MOST_PAGES = 250
_LINK = re.compile(r'(?:href|src|action|formaction)="([^"#]+)"')


@pytest.mark.parametrize("role", ROLES)
def test_looking_at_everything_changes_nothing(cast: Cast, app: Flask, role: str) -> None:
    """Every page of the table, and whatever it links to, also where a link is a form's: what a
    program that fetches links ahead may do by itself."""
    browser = cast.browser(role)
    before = everything(app)
    waiting = [cast.path(example) for key, (example, _) in ROUTES.items() if key.endswith("GET")]
    waiting += [cast.path(example) for key, (example, _) in ROUTES.items() if "api" not in key]
    seen: set[str] = set()
    while waiting and len(seen) < MOST_PAGES:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        answer = browser.get(path, buffered=True)
        assert answer.status_code < 500, path
        found = [answer.location] if answer.location else []
        if answer.mimetype == "text/html" and not found:
            found = _LINK.findall(answer.text)
        for link in found:
            there = urlsplit(
                urljoin(f"http://localhost{path}", unquote(link.replace("&amp;", "&")))
            )
            if there.netloc == "localhost" and not there.path.startswith("/static/"):
                waiting.append(there._replace(scheme="", netloc="").geturl())
    assert len(seen) > 60
    after = everything(app)
    # That staff looked at a person, or at a list of them, is what the log is for.
    looked = [act for act in after.pop("acts") if "person.seen" in act or "persons.listed" in act]
    assert len(looked) == len(everything(app)["acts"]) and before.pop("acts") == []
    assert bool(looked) == (role in ("staff", "owner"))
    assert after == before
