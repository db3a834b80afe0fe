"""A person sees what is held about them, takes it along, and goes: nothing names them afterwards,
and the books are whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select, text

from store import identity, ids, payment, post, privacy, sales
from store.db import Base, connection, db, transaction
from store.identity import Member, members, passwords
from store.privacy import retention
from store.privacy.holdings import CLEARED, GOES, SECTIONS, STAYS
from store.sales.orders import fulfilment
from store.sales.returns.returns import Wish, cancel, declare
from tests.conftest import Clock
from tests.world import PASSWORD, Somebody, World

NAME, MAIL, PHONE = "Xanthippe Quillfeather", "xanthippe@quill.example", "+8613912345678"


@pytest.fixture(autouse=True)
def _cheap_passwords() -> Iterator[None]:
    passwords.set_hasher(passwords.QUICK)
    yield
    passwords.set_hasher(passwords.STRONG)


def test_every_table_says_what_becomes_of_it_when_a_person_goes() -> None:
    tables = Base.metadata.tables
    dealt_with = {name for name, _ in GOES} | {name for name, _, _ in CLEARED} | STAYS
    assert set(tables) - {"members"} - dealt_with == set(), "say in privacy/holdings.py"
    assert dealt_with <= set(tables)
    for section in SECTIONS:
        assert {*section.columns, *section.by} <= set(tables[section.table].c.keys())


def _traces(app: Flask) -> list[str]:
    """Every place in the database that holds a part of who this person is."""
    needles = ("xanthippe", "quill", "13912345678", "feather", "lane 7")
    found = []
    with app.app_context():
        for table in Base.metadata.sorted_tables:
            columns = ", ".join(f'CAST("{one.name}" AS TEXT)' for one in table.columns)
            for row in db.session.execute(text(f'SELECT {columns} FROM "{table.name}"')):
                said = " ".join(str(cell) for cell in row if cell is not None).casefold()
                found += [f"{table.name}: {one}" for one in needles if one in said]
    return found


@pytest.fixture
def lived(world: World, app: Flask) -> Somebody:
    """Somebody who has left something everywhere, and whose business is done."""
    world.zone((50_000, "5"))
    her, staff = world.member(NAME, funds="500", email=MAIL), world.staff()
    milk = world.item(on_hand=50, price="10")
    desk, phone = world.client_for(staff), world.client_for(her)
    first, second = world.buy(her, milk), world.buy(her, milk)
    desk.post(f"/desk/sales/{first.id}/refunds", reason=f"{NAME} called", key=ids.new())
    phone.post("/basket/lines", code=milk.code, quantity="2", seen_minor="0")
    order = world.order(her, milk)
    with app.app_context():
        fulfilment.cancel(order.id, made_by=her.id, member_id=her.id, reason=f"{NAME} says no")
        wish = Wish(second.id, [sales.Part(1, 1)], "pick_up", NAME, ids.new(), "Quill Lane 7")
        cancel(declare(her.id, wish), her.id)
        with transaction() as session:
            payment.deposit(her.id, 100, world.currency, "cash", note=f"from {NAME}")
            post.put("receipt", second.id, MAIL, "en")
            identity.issue_token(members.by_id(her.id), [], f"{NAME}'s till")
            for statement in (
                "INSERT INTO identifiers (member_id, kind, value) VALUES (:who, 'phone', :phone)",
                "UPDATE identifiers SET proven_at = 1 WHERE member_id = :who",
                "INSERT INTO identifier_changes (member_id, kind, value, what, at) "
                "VALUES (:staff, 'phone', :phone, 'moved', 0)",
                "INSERT INTO codes (id, visit, kind, value, mark, tries, sent, created_at,"
                " expires_at) VALUES ('c', 'v', 'phone', :phone, 'm', 0, 'sent', 0, 0)",
            ):
                given = {"who": her.id, "staff": staff.id, "phone": PHONE}
                names = {name: given[name] for name in re.findall(r":(\w+)", statement)}
                session.execute(text(statement), names)
    return her


def test_who_goes_leaves_no_trace_and_the_books_are_whole(
    lived: Somebody, world: World, app: Flask
) -> None:
    assert len({trace.partition(":")[0] for trace in _traces(app)}) > 7
    phone = world.client_for(lived)
    told = json.loads(phone.get("/me/privacy.json").text)
    assert told["account"][0]["name"] == NAME and len(told["sales"]) == 3
    assert {one["value"] for one in told["signs"]} == {MAIL, PHONE}
    assert sorted(len(one["lines"]) for one in told["sales"]) == [1, 1, 2]
    page = phone.get("/me/privacy").text
    for section in re.findall(r'href="(/me/privacy/\w+)"', page):
        assert phone.get(section).status_code == 200, section
    before = _sums(app)

    asks = phone.get("/me/privacy/erasure").text
    assert "Your account holds" in asks
    assert phone.post("/me/privacy/erasure", word="no").status_code == 422
    refused = phone.post("/me/privacy/erasure", word="erase")
    assert refused.status_code == 409 and "erasure_blocked" in refused.text
    assert _sums(app) == before and len(_traces(app)) > 7, "a refusal changes nothing"

    gone = phone.post("/me/privacy/erasure", word=" Erase ", forfeit="1")
    assert (gone.status_code, gone.location) == (303, "/")
    assert _traces(app) == []
    assert phone.get("/me").status_code == 303, "the sign-in is gone"
    stranger = world.visitor()
    assert stranger.post("/sign-in", identifier=MAIL, password=PASSWORD).status_code == 403
    after = _sums(app)
    assert after["sales"] == before["sales"] and after["refunds"] == before["refunds"]
    assert after["balance"] == 0
    assert world.faults() == []
    again = world.member("Somebody else", email=MAIL)
    assert again.id != lived.id, "the address is free for whoever has it now"
    office = world.client_for(world.owner())
    for page in ("/owner/sales", "/desk/sales", "/owner/people", "/owner/log"):
        assert office.get(page).status_code == 200
    with app.app_context():
        privacy.erase(lived.id)  # Again changes nothing.
        members.enable(lived.id)
        row = db.session.get_one(Member, lived.id)
        assert row.erased_at is not None and row.disabled_at is not None


def _sums(app: Flask) -> dict[str, int]:
    queries = {
        "sales": "SELECT COALESCE(SUM(total_minor), 0) FROM sales",
        "refunds": "SELECT COALESCE(SUM(total_minor), 0) FROM refunds",
        "balance": "SELECT COALESCE(SUM(balance_minor), 0) FROM accounts",
    }
    with app.app_context():
        return {name: int(connection().execute(text(query)).scalar() or 0)
                for name, query in queries.items()}  # fmt: skip


def test_what_is_open_must_be_ended_first(world: World, app: Flask, clock: Clock) -> None:
    milk, staff = world.item(on_hand=50, price="10"), world.staff()
    lin = world.member("Lin", funds="10")
    sale = world.buy(lin, milk)
    with app.app_context():
        assert privacy.blocks(staff.id) == ["works_here"]
        assert privacy.blocks(lin.id) == []
        wish = Wish(sale.id, [sales.Part(1, 1)], "shop", "", ids.new())
        number = declare(lin.id, wish)
        assert privacy.blocks(lin.id) == ["open_returns"]
        with pytest.raises(privacy.ErasureBlocked):
            privacy.erase(lin.id)
        cancel(number, lin.id)
        assert privacy.blocks(lin.id) == []
    phone = world.client_for(lin)
    clock.tick(minutes=11)
    stale = phone.post("/me/privacy/erasure", word="erase")
    assert stale.status_code == 403 and "sign_in_again" in stale.text
    with app.app_context():
        assert db.session.get_one(Member, lin.id).erased_at is None


def test_who_is_away_for_long_is_told_and_goes(world: World, app: Flask, clock: Clock) -> None:
    app.config["KEEP_MEMBERS_MONTHS"], app.config["ERASURE_NOTICE_DAYS"] = 12, 30
    lin, mei = world.member("Lin"), world.member("Mei", email="mei@example.com")
    rich = world.member("Rich", funds="5")
    with app.app_context(), transaction() as session:
        session.execute(text("UPDATE identifiers SET proven_at = 1"))
    clock.tick(days=361)
    with app.app_context():
        assert retention.sweep() == 0
        told = select(Base.metadata.tables["letters"].c.to)
        assert len(list(connection().execute(told))) == 3
    clock.tick(days=29)
    world.client_for(mei)
    clock.tick(days=2)
    with app.app_context():
        assert (retention.sweep(), retention.sweep()) == (1, 0)
        gone = select(Member.id).where(Member.erased_at.is_not(None))
        assert list(db.session.scalars(gone)) == [lin.id]
        notices = connection().execute(text("SELECT member_id FROM erasure_notices")).scalars()
        assert list(notices) == [rich.id], "she came back, and the money of the third is theirs"
    assert world.faults() == []


def test_an_address_that_is_somebody_elses_by_now_is_left_to_them(world: World, app: Flask) -> None:
    mei, eve = world.member("Mei", email="mei@example.com"), world.member("Eve")
    with app.app_context():
        with transaction() as session:
            session.execute(
                text(
                    "INSERT INTO identifier_changes (member_id, kind, value, what, at)"
                    " VALUES (:eve, 'email', 'mei@example.com', 'moved', 0),"
                    " (:eve, 'email', 'mei@example.com', 'proven', 0),"
                    " (:mei, 'email', 'mei@example.com', 'proven', 1)"
                ),
                {"eve": eve.id, "mei": mei.id},
            )
            post.put("receipt", "none", "mei@example.com", "en")
        told = json.loads("".join(privacy.export(eve.id)))
        assert told["letters"] == []
        privacy.erase(eve.id)
        letters = connection().execute(text('SELECT "to" FROM letters')).scalars()
        assert list(letters) == ["mei@example.com"]
        known = identity.find("mei@example.com")
        assert known is not None and known.id == mei.id
        proven = text("SELECT COUNT(*) FROM identifier_changes WHERE member_id = :mei")
        assert connection().execute(proven, {"mei": mei.id}).scalar() == 1


def test_what_was_sent_off_at_the_same_moment_goes_too(world: World, app: Flask) -> None:
    lin = world.member(NAME, email=MAIL)
    with app.app_context():
        privacy.erase(lin.id)
        with transaction() as session:
            session.execute(
                text("INSERT INTO identifiers (member_id, kind, value) VALUES (:who, 'email', :v)"),
                {"who": lin.id, "v": MAIL},
            )
        members.rename(lin.id, NAME)
        assert len(_traces(app)) > 0
        retention.sweep()
    assert _traces(app) == []


def test_a_request_by_letter_is_a_command(
    world: World, app: Flask, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    lin, file = world.member(NAME, email=MAIL), tmp_path / "hers.json"
    assert runner.invoke(args=["privacy", "export", MAIL, str(file)]).exit_code == 0
    assert json.loads(file.read_text("utf-8"))["account"][0]["name"] == NAME
    done = runner.invoke(args=["privacy", "erase", MAIL, "--yes"])
    assert done.output.strip().endswith(str(lin.id))
    with app.app_context():
        acts = connection().execute(text("SELECT verb, object FROM acts ORDER BY id")).all()
        assert [tuple(act) for act in acts] == [
            ("persons.listed", "export"), ("person.erased", str(lin.id)),
        ]  # fmt: skip
    assert _traces(app) == []
