"""The member's code: scanned at a till, a sale stands in its owner's name and their account pays.
A picture of it, a made-up one or somebody else's opens nothing."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from store import clock, ids, ticks
from store.db import db, transaction
from store.identity import member_codes
from store.identity.models import Member
from store.sales.models import Sale
from tests.sales.test_till_pages import code_of, pay, scan, scanned
from tests.world import Thing, Visitor, World


@pytest.fixture
def milk(world: World) -> Thing:
    return world.item(price="12.50", on_hand=5)


@pytest.fixture
def till(world: World) -> Visitor:
    return world.client_for(world.staff())


def key_of(world: World) -> bytes:
    return str(world.app.config["SECRET_KEY"]).encode()


def sales(world: World) -> list[tuple[int | None, str]]:
    with world.app.app_context():
        rows = db.session.execute(select(Sale.member_id, Sale.means).order_by(Sale.id))
        return [(row[0], row[1]) for row in rows]


def test_the_phone_shows_a_code_that_the_till_reads(
    world: World, till: Visitor, milk: Thing
) -> None:
    lin = world.member(funds="20")
    phone = world.client_for(lin)
    assert "data-pass=" in phone.get("/me/code").text
    told = phone.get("/me/code.svg?ahead=6").json
    assert told and told["state"] == "live" and len(told["codes"]) == 7
    assert told["codes"][0]["from"] <= told["now"] < told["codes"][0]["until"]
    assert phone.get("/me/code.svg?ahead=7").status_code == 422
    assert phone.get("/me/code.svg").mimetype == "image/svg+xml"

    # Scanned in the middle of a basket, read by a hand scanner with another keyboard's layout.
    scan(till, milk.code)
    _, who = scanned(till, f"httpÖ--shop-desk-till_code´{code_of(world, lin).lower()}")
    assert who["member"] == str(lin.id)
    page = till.get("/desk/till", query_string=who).text
    assert "20.00" in page and 'value="account"' in page
    assert "Shop account" in pay(till, page, "account", **who)
    assert sales(world) == [(lin.id, "account")]
    assert world.balance(lin) == 750
    assert world.faults() == []


def test_a_name_that_is_typed_has_the_sale_but_not_the_account(
    world: World, till: Visitor, milk: Thing
) -> None:
    lin = world.member(funds="20")
    page = scan(till, milk.code, member=str(lin.id))
    assert 'value="account"' not in page and "20.00" not in page
    said = html.unescape(pay(till, page, "account", member=str(lin.id)))
    assert "To pay from the account, scan the code on the member's phone." in said
    assert (sales(world), world.balance(lin)) == ([], 2000)
    pay(till, said, "cash", member=str(lin.id))
    assert sales(world) == [(lin.id, "cash")]


@pytest.mark.parametrize(
    ("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_a_picture_of_it_is_worthless_within_a_minute(
    world: World, till: Visitor, steps: int, good: bool
) -> None:
    lin = world.member(name="Lin")
    page, who = scanned(till, code_of(world, lin, steps))
    assert ("member" in who) == good
    assert ("That code is not live. Ask for the page itself, not a picture." in page) != good


def test_a_code_that_this_shop_did_not_make_says_so(world: World, till: Visitor) -> None:
    lin, gone = world.member(), world.member()
    with world.app.app_context(), transaction() as session:
        session.get_one(Member, gone.id).disabled_at = clock.now()
    step = ticks.step_at(clock.now())
    real = code_of(world, lin)
    for code in (
        member_codes.text_for(lin.id, step, b"another shop"),
        real.replace(f"M{lin.id}.", f"M{lin.id + 1}."),
        real[:-1] + ("0" if real[-1] != "0" else "1"),
        code_of(world, gone),
        member_codes.text_for(10**17, step, key_of(world)),
    ):
        page, who = scanned(till, code)
        assert who == {} and "This is not a member's code of this shop." in page
    assert not member_codes.is_code(real + "A") and not member_codes.is_code("M0" + real[2:])
    assert not member_codes.is_code(real + " " * 1000)


def test_a_proof_is_of_one_seller_one_member_and_a_little_while(
    world: World, till: Visitor, milk: Thing
) -> None:
    lin, mo, other = world.member(funds="50"), world.member(funds="50"), world.staff()
    page, who = scanned(till, code_of(world, lin))
    scan(till, milk.code)
    second = world.client_for(other)
    scan(second, milk.code)
    for screen, said in (
        (till, who | {"member": str(mo.id)}),
        (second, who),
        (till, who | {"shown": "1." + "0" * 16}),
        (till, who | {"shown": ""}),
    ):
        page = screen.get("/desk/till", query_string=said).text
        assert 'value="account"' not in page
        pay(screen, page, "account", **said)
    now, seller, key = clock.now(), 7, ids.secret().encode()
    kept = member_codes.proof(lin.id, seller, now, key)
    late = now + member_codes.PROOF_FOR
    assert member_codes.proven(kept, lin.id, seller, now, key)
    assert not member_codes.proven(kept, lin.id, seller, late, key)
    early = ticks.starts_at(ticks.step_at(now)) - timedelta(microseconds=1)
    assert not member_codes.proven(kept, lin.id, seller, early, key)
    assert (sales(world), world.balance(lin), world.balance(mo)) == ([], 5000, 5000)


def test_the_field_of_the_desk_leads_from_a_code_to_the_till(world: World, till: Visitor) -> None:
    lin = world.member(name="Lin Wei")
    answer = till.post("/desk", code=f"https://shop.example/desk/till?code={code_of(world, lin)}")
    assert re.search(r"/desk/till\?code=", answer.location)
    again = till.get(answer.location)
    assert again.status_code == 303
    assert "Lin Wei" in till.get(again.location).text
    # Who is not staff cannot find out whose code it is.
    assert world.client_for(world.member()).get(answer.location).status_code == 403
