"""Cards of members: read at a till, the sale stands in the member's name; the account stays shut,
and a number of an older list is of whoever proves the address beside it."""

from __future__ import annotations

import html
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select, text, update

from store import clock, ids
from store.db import db, transaction
from store.errors import Invalid
from store.identity import member_cards
from store.identity.card_models import MemberCard
from store.identity.models import Identifier
from tests.races.crowd import at_once, inside, token_of
from tests.sales.test_member_code import sales
from tests.sales.test_till_pages import code_of, pay, scan, scanned
from tests.world import Somebody, Visitor, World


@pytest.fixture
def till(world: World) -> Visitor:
    return world.client_for(world.staff())


def prove(app: Flask, member: Somebody) -> None:
    """The member has read a code that was sent to their address."""
    with app.app_context(), transaction() as session:
        theirs = Identifier.member_id == member.id
        session.execute(update(Identifier).where(theirs).values(proven_at=clock.now()))


def holder(app: Flask, number: str) -> int | None:
    with app.app_context():
        found = member_cards.held_by(number)
        return found.id if found else None


def test_a_card_from_the_till_to_the_sale_and_to_its_end(world: World, till: Visitor) -> None:
    lin, milk = world.member(funds="20", name="Lin Wei"), world.item(price="12.50", on_hand=5)
    _, who = scanned(till, code_of(world, lin))
    page = till.get("/desk/till/cards", query_string=who).text
    assert "The number on the card" in page
    assert till.post("/desk/till/cards", who, card="29-0012 345a").status_code == 303
    assert "290012345A" in till.get("/desk/till/cards", query_string=who).text

    # The next day: no phone, the card among the goods, paid in cash.
    scan(till, milk.code)
    answer = till.post("/desk/till/lines", code="29 0012345a")
    assert answer.location.endswith(f"/desk/till?member={lin.id}")
    page = till.get(answer.location).text
    assert "Lin Wei" in page and 'value="account"' not in page and "20.00" not in page
    pay(till, page, "cash", member=str(lin.id))
    assert sales(world) == [(lin.id, "cash")] and world.balance(lin) == 2000
    assert till.get("/desk/till", query_string={"who": "290012345A"}).status_code == 303
    scanned_anywhere = till.get("/desk/anything", query_string={"code": "290012345A"})
    assert scanned_anywhere.location.endswith(f"/desk/till?member={lin.id}")

    # Lost: the member ends it on the phone.
    phone = world.client_for(lin)
    assert "290012345A" in phone.get("/me/signs").text
    with world.app.app_context():
        card = db.session.scalar(select(MemberCard.id))
    other = world.client_for(world.member())
    assert other.post(f"/me/signs/cards/{card}/end").status_code == 404
    for _ in range(2):  # Tapped twice.
        assert phone.post(f"/me/signs/cards/{card}/end").status_code == 303
    assert holder(world.app, "290012345A") is None
    assert "290012345A" not in phone.get("/me/signs").text
    assert "Gave a member a card" in html.unescape(
        world.client_for(world.owner()).get("/owner/log").text
    )
    assert world.faults() == []


def test_what_is_refused_says_why_and_changes_nothing(world: World, till: Visitor) -> None:
    lin, mo, milk = world.member(), world.member(), world.item()
    # Without the member's own code there is no card, and nobody sees another's.
    page = till.get("/desk/till/cards", query_string={"member": lin.id}).text
    assert 'name="card"' not in page
    assert till.post("/desk/till/cards", member=lin.id, card="290012345A").status_code == 403
    _, who = scanned(till, code_of(world, lin))
    for wrong, said in (
        ("12", "4 to 40 letters and digits"), ("会员卡一二三", "4 to 40 letters and digits"),
        ("", "4 to 40 letters and digits"), (milk.code, "the code of goods"),
    ):  # fmt: skip
        answer = till.post("/desk/till/cards", who, card=wrong)
        assert answer.status_code == 422 and said in html.unescape(answer.text), wrong
    assert till.post("/desk/till/cards", who, card="K-1001").status_code == 303
    assert till.post("/desk/till/cards", who, card="K1001").status_code == 303  # Again: the same.
    _, his = scanned(till, code_of(world, mo))
    answer = till.post("/desk/till/cards", his, card="k 1001")
    assert answer.status_code == 409 and "somebody else's" in html.unescape(answer.text)
    for number in range(member_cards.MOST - 1):
        till.post("/desk/till/cards", who, card=f"MORE{number}")
    assert till.post("/desk/till/cards", who, card="ONE-TOO-MANY").status_code == 409
    with world.app.app_context():
        assert db.session.scalar(select(func.count(MemberCard.id))) == member_cards.MOST
    assert holder(world.app, "K-1001") == lin.id


def test_an_older_list_names_nobody_until_the_address_is_proven(
    world: World, app: Flask, runner: FlaskCliRunner, tmp_path: Path, till: Visitor
) -> None:
    lin = world.member()
    file = tmp_path / "cards.csv"
    file.write_text(
        f"card,member,name\n10023,{lin.email},Lin\n2900456,+86 139 1234 5678,Somebody\n"
        f"10023,other@example.com,Twice\n9,{lin.email},Short\nK77,nobody,Bad\n",
        encoding="utf-8",
    )
    said = runner.invoke(args=["members", "cards", str(file)])
    assert said.exit_code == 0 and said.stdout.splitlines()[-1] == "2"
    assert "row 5:" in said.stderr and "row 6:" in said.stderr and "2 rows were left" in said.stderr
    assert runner.invoke(args=["members", "cards", str(file)]).stdout.splitlines()[-1] == "0"

    with app.app_context(), transaction() as session:
        session.execute(update(Identifier).values(proven_at=None))
    assert holder(app, "10023") is None
    assert "Nobody is known by this." in till.get("/desk/till", query_string={"who": "10023"}).text
    prove(app, lin)
    assert holder(app, "10023") == lin.id
    page = world.client_for(lin).get("/me/signs").text
    assert "10023" in page and "2900456" not in page
    with pytest.raises(Invalid):
        member_cards.read("\ud800" * 5)


def test_an_api_till_names_a_member_by_card_and_a_number_stays_an_id(
    world: World, app: Flask
) -> None:
    lin, mo, bread, staff = world.member(), world.member(), world.item(on_hand=5), world.staff()
    with app.app_context():
        member_cards.give(lin.id, f"000{mo.id}", staff.id)
    token = token_of(world, staff)

    def sell(member: str) -> int:
        body = {
            "member": member, "location": "MAIN", "payment": {"method": "cash"},
            "lines": [{"item": bread.code, "quantity": 1}],
        }  # fmt: skip
        head = {"Authorization": f"Bearer {token}", "Idempotency-Key": ids.new()}
        return app.test_client().post("/api/v1/sales", json=body, headers=head).status_code

    assert sell(f"card:000{mo.id}") == 201
    assert sell(f"000{mo.id}") == 201
    assert sell("card:9999") == 404
    assert [member for member, _ in sales(world)] == [lin.id, mo.id]


def test_without_its_index_a_card_would_be_of_several(world: World, app: Flask) -> None:
    with app.app_context(), transaction() as session:
        session.execute(text("DROP INDEX uq_member_cards_live"))
    people, staff = [world.member() for _ in range(3)], world.staff()
    with app.app_context():
        given = [member_cards.give(one.id, "K-5000", staff.id) for one in people]
        assert len({card.member_id for card in given}) == 3


def test_two_tills_that_give_one_card_at_once_give_it_once(world: World, app: Flask) -> None:
    people, staff = [world.member() for _ in range(6)], world.staff()
    jobs = [
        inside(app, lambda one=one: member_cards.give(one.id, "K-5000", staff.id))  # type: ignore[misc]
        for one in people
    ]
    outcomes = at_once(jobs)
    codes = [getattr(one, "code", "given") for one in outcomes]
    assert sorted(codes) == ["card_taken"] * 5 + ["given"], outcomes
    given = outcomes[codes.index("given")]
    assert isinstance(given, MemberCard) and holder(app, "K5000") == given.member_id
