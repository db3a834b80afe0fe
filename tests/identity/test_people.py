"""What each role may do, the owner's page about people, and the first owner."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from store.db import db
from store.identity import PERMISSIONS, Member, allows, current, find, first_owner, members, needs
from store.identity.members import LastOwner
from tests.identity.conftest import PASSWORD, Browser

Open = Callable[..., Browser]


def role_of(app: Flask, who: str) -> str:
    with app.app_context():
        found = find(who)
        return found.role if found else "nobody"


def test_staff_serve_and_owners_also_see_and_manage(context: None) -> None:
    shopper, staff, owner = (Member(role=role) for role in ("shopper", "staff", "owner"))
    for permission in (
        "check_exit",
        "refund",
        "print_labels",
        "receive_stock",
        "sell",
        "edit_items",
        "change_prices",
        "see_people",
        "desk",
    ):
        assert [allows(one, permission) for one in (None, shopper, staff, owner)] == [
            False, False, True, True,
        ]  # fmt: skip
    for permission in ("see_sales", "see_log", "manage_staff"):
        assert [allows(one, permission) for one in (None, shopper, staff, owner)] == [
            False, False, False, True,
        ]  # fmt: skip
    assert not allows(owner, "anything else")
    assert set(PERMISSIONS) == {"shopper", "staff", "owner"}


def test_a_view_that_needs_a_permission(app: Flask, browser: Open, people: dict[str, int]) -> None:
    @needs("refund")
    def guarded() -> str:
        member = current()
        return member.name if member else ""

    app.add_url_rule("/guarded", "guarded", guarded)
    guest, anna, mei = browser(), browser(), browser()
    anna.sign_in("anna@shop.example")
    mei.sign_in("13800138000")
    assert guest.get("/guarded").headers["Location"] == "/sign-in?next=/guarded"
    assert anna.get("/guarded").status_code == 403
    assert mei.get("/guarded").text == "Mei"


@pytest.mark.parametrize("who", ["anna@shop.example", "13800138000"])
def test_only_owners_reach_the_people(
    app: Flask, browser: Open, people: dict[str, int], who: str
) -> None:
    person = browser()
    person.sign_in(who)
    assert person.get("/owner/people").status_code == 403
    own = people["anna"] if who.startswith("anna") else people["mei"]
    for path in (f"{own}/role", f"{own}/disable", f"{own}/enable", f"{own}/password"):
        answer = person.post(f"/owner/people/{path}", page="/me", role="owner")
        assert answer.status_code == 403
    assert person.post("/owner/people", page="/me", identifier="x@shop.example", role="owner") \
        .status_code == 403  # fmt: skip
    assert role_of(app, who) in ("shopper", "staff") and role_of(app, "x@shop.example") == "nobody"


def test_an_owner_adds_somebody_with_a_password_that_is_shown_once(
    app: Flask, browser: Open, people: dict[str, int]
) -> None:
    olga = browser()
    olga.sign_in("olga@shop.example")
    answer = olga.post(
        "/owner/people", page="/me", identifier="tom@shop.example", name="Tom", role="staff"
    )
    shown = re.search(r"\b(?:[0-9a-z]{4}-){3}[0-9a-z]{4}\b", answer.text)
    assert shown and answer.headers["Cache-Control"] == "no-store"
    assert shown[0] not in olga.get("/owner/people").text
    tom = browser("198.51.100.1")
    assert tom.sign_in("tom@shop.example", shown[0]).status_code == 303
    assert role_of(app, "tom@shop.example") == "staff"


def test_a_shopper_becomes_staff_and_keeps_the_password(
    app: Flask, browser: Open, people: dict[str, int]
) -> None:
    olga = browser()
    olga.sign_in("olga@shop.example")
    olga.post("/owner/people", page="/me", identifier="Anna@shop.example", role="staff")
    assert role_of(app, "anna@shop.example") == "staff"
    assert browser().sign_in("anna@shop.example").status_code == 303
    olga.post(f"/owner/people/{people['anna']}/role", page="/me", role="shopper")
    assert role_of(app, "anna@shop.example") == "shopper"
    bad = olga.post("/owner/people", page="/me", identifier="neither", role="staff")
    assert bad.status_code == 422 and "e-mail address or a phone number" in bad.text
    odd = olga.post("/owner/people", page="/me", identifier="x@shop.example", role="god")
    assert odd.status_code == 422 and role_of(app, "x@shop.example") == "nobody"


def test_a_role_taken_away_is_gone_at_the_next_page(
    app: Flask, browser: Open, people: dict[str, int]
) -> None:
    olga, other = browser(), browser("198.51.100.1")
    olga.sign_in("olga@shop.example")
    olga.post(f"/owner/people/{people['mei']}/role", page="/me", role="owner")
    other.sign_in("13800138000")
    assert other.get("/owner/people").status_code == 200
    olga.post(f"/owner/people/{people['mei']}/role", page="/me", role="staff")
    assert other.get("/owner/people").status_code == 403


def test_a_forgotten_password_is_replaced_by_the_owner(
    browser: Open, people: dict[str, int]
) -> None:
    olga, anna = browser(), browser("198.51.100.1")
    olga.sign_in("olga@shop.example")
    anna.sign_in("anna@shop.example")
    assert "anna@shop.example" in olga.get("/owner/people?who=ANNA@shop.example").text
    answer = olga.post(f"/owner/people/{people['anna']}/password", page="/me")
    shown = re.search(r"\b(?:[0-9a-z]{4}-){3}[0-9a-z]{4}\b", answer.text)
    assert shown and not anna.is_signed_in()
    assert anna.sign_in("anna@shop.example", PASSWORD).status_code == 403
    assert anna.sign_in("anna@shop.example", shown[0]).status_code == 303


def test_the_last_owner_stays(app: Flask, browser: Open, people: dict[str, int]) -> None:
    olga = browser()
    olga.sign_in("olga@shop.example")
    for path in ("disable", "role"):
        answer = olga.post(f"/owner/people/{people['olga']}/{path}", page="/me", role="shopper")
        assert answer.status_code == 409 and "only owner" in answer.text
    assert role_of(app, "olga@shop.example") == "owner" and olga.is_signed_in()
    assert olga.post("/owner/people/999999/disable", page="/me").status_code == 404


def test_two_owners_cannot_close_each_other(app: Flask, people: dict[str, int]) -> None:
    with app.app_context():
        members.set_role(people["mei"], "owner")
    together = threading.Barrier(2)

    def close(name: str) -> str:
        with app.app_context():
            together.wait(10)
            try:
                members.disable(people[name])
            except LastOwner:
                return "kept"
            return "closed"

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(close, ["mei", "olga"]))
    assert told == ["closed", "kept"]


@pytest.mark.usefixtures("context")
def test_the_first_owner_is_made_once_with_a_password_of_its_own() -> None:
    made = first_owner()
    assert made is not None
    owner = find(made[0])
    assert owner is not None and owner.role == "owner" and len(made[1]) == 19
    assert first_owner() is None
    assert db.session.query(Member).count() == 1


def test_two_processes_that_open_at_once_make_one_owner(app: Flask) -> None:
    together = threading.Barrier(2)

    def open_shop(_: int) -> Any:
        with app.app_context():
            together.wait(10)
            return first_owner()

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(open_shop, range(2)))
    assert sum(one is not None for one in made) == 1
    with app.app_context():
        assert db.session.query(Member).count() == 1
