"""Two accounts of one person come together: shown first, once; nothing is made, nothing lost."""

from __future__ import annotations

import json
import re
from typing import Any

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select, text

from store import identity, ids, merging, outbox, payment, privacy, reports, sales
from store.db import Base, connection, db, transaction
from store.identity import factors, members, notices
from store.identity.callers import Caller
from store.identity.models import Member
from store.membership import points
from store.merging.tables import GOES, JOINED, MOVES, STAYS
from store.payment import attempts
from store.payment.gateways.simulated import Simulated
from store.payment.models import Account
from store.post.models import Letter
from store.sales.models import Sale
from store.sales.paying import paying
from tests.conftest import Clock
from tests.identity.test_codes import Post, mail, settings
from tests.identity.test_passkeys import Phone
from tests.membership.making import coupon
from tests.membership.test_points import rules
from tests.sales.test_receipts_to_keep import prove
from tests.world import PASSWORD, Visitor, World

__all__ = ["mail", "settings"]


def test_every_table_that_names_a_member_says_what_becomes_of_it() -> None:
    names = {*JOINED, *STAYS, *(table for table, _ in (*MOVES, *GOES))}
    naming = {
        table.name
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name == "member_id" or any(
            key.column.table.name == "members" for key in column.foreign_keys
        )
    }  # fmt: skip
    assert naming - names == set(), "say in merging/tables.py"
    assert names <= set(Base.metadata.tables)


def shows(phone: Visitor, mail: Post, address: str) -> str:
    """Show by a code that the account with this address is theirs, too; answers where it leads."""
    assert phone.post("/me/merge/code", identifier=address).status_code == 303
    phone.get("/me/merge")
    answer = phone.post("/me/merge/prove", code=mail.code_to(address))
    return answer.location or answer.text


def asked(phone: Visitor, path: str) -> dict[str, Any]:
    """What a browser is asked to do with a passkey."""
    return dict(phone.post(path).get_json(force=True))


def proof_on(phone: Visitor) -> str:
    found = re.search(r'name="proof" value="(\w+)"', phone.get("/me/merge/preview").text)
    assert found
    return found[1]


def sums(app: Flask) -> dict[str, Any]:
    """What there is over all accounts."""
    queries = {
        "money": "SELECT currency, SUM(balance_minor) FROM accounts WHERE member_id IS NOT NULL"
                 " GROUP BY currency ORDER BY currency",
        "points": "SELECT SUM(spendable - owed) FROM point_accounts",
        "sales": "SELECT COUNT(*), SUM(total_minor) FROM sales",
        "stock": "SELECT SUM(on_hand) FROM levels",
        "takings": "SELECT SUM(total_minor) FROM takings_of_members",
    }  # fmt: skip
    with app.app_context():
        return {name: connection().execute(text(query)).all() for name, query in queries.items()}


def test_two_accounts_are_one_and_can_be_told_apart(
    world: World, app: Flask, mail: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "_mails", True)
    world.zone((50_000, "5"))
    with app.app_context():
        rules(world, 1, 100)
        coupon(world, "amount", 100, "ONCE", most_each=1)
    mei, other = world.member("Mei", funds="100"), world.member("Old Mei", funds="80")
    prove(world, mei)
    prove(world, other)
    milk, bread = world.item(price="10", on_hand=50), world.item("baguette", price="8", on_hand=50)
    with app.app_context(), transaction():
        payment.deposit(other.id, 500, "EUR", "cash")
    kept = world.buy(mei, milk, key="the-same-key")
    old = [world.buy(other, milk, key="the-same-key"), world.buy(other, (bread, 2))]
    order = world.order(other, milk)
    phone, tablet = world.client_for(mei), world.client_for(other)
    for browser, item, many in ((phone, milk, 1), (tablet, milk, 3), (tablet, bread, 2)):
        browser.post("/basket/lines", code=item.code, quantity=many, seen_minor=0)
    with app.app_context():
        outbox.work()
        with transaction():
            token = identity.issue_token(members.by_id(other.id), [], "till")
    before, balances = sums(app), world.balance(mei) + world.balance(other)

    # Nothing of the other account before it is shown to be theirs.
    assert "Old" not in phone.get("/me/merge").text
    assert phone.get("/me/merge/preview").location == "/me/merge"
    assert shows(phone, mail, other.email) == "/me/merge/preview"
    page = phone.get("/me/merge/preview").text
    assert other.email in page and "Make them one" in page
    assert re.search(
        r"Purchases</p><p class=\"row-note\">There 3, here 1</p>.{0,60}>4<", page, re.S
    )
    assert "€5.00" in page
    assert tablet.get("/me/merge/preview").location == "/me/merge", "in another browser: nothing"
    assert sums(app) == before, "a look changes nothing"
    proof = proof_on(phone)
    done = phone.post("/me/merge", proof=proof)
    assert done.status_code == 303 and done.location == f"/me/merge/{proof}", done.text
    again = phone.post("/me/merge", proof=proof)
    assert again.location == done.location, "a second tap answers the same"

    # Exactly what there was, in one name.
    assert sums(app) == before
    assert (world.balance(mei), world.balance(other)) == (balances, 0)
    with app.app_context():
        assert not any(reports.differences().values())
        whose = dict(db.session.execute(select(Sale.id, Sale.member_id)).all())
        assert set(whose.values()) == {mei.id}
        assert [points.balance_of(one.id).points for one in (other, mei)] == [0, 46]
        held = db.session.scalars(select(Account.balance_minor).where(Account.currency == "EUR"))
        assert sorted(one for one in held if one is not None) == [0, 500]
        letters = {(one.to, one.subject) for one in db.session.scalars(select(Letter))}
        assert {to for to, _ in letters} == {mei.email, other.email}
        # Both keys lead to their sale, each to its own.
        assert len(set(db.session.scalars(select(Sale.key)))) == 4
    basket = phone.get("/basket").text
    assert milk.code in basket or "Oat" in basket
    assert world.faults() == []

    # Told apart: on the page, and in the file of their data.
    told = phone.get(f"/me/merge/{proof}").text
    assert all(f"/sales/{sale.id}" in told for sale in (*old, order))
    assert f"/sales/{kept.id}" not in told and other.email in told
    data = json.loads(phone.get("/me/privacy.json").text)
    assert {one["sale_id"] for one in data["merges"][0]["sales"]} == {s.id for s in (*old, order)}
    assert any(one["reason"] == "merged" for one in data["movements_out"])
    for path in ("/me/merge", "/me/sales", "/me/account", "/me/points", "/me/privacy/merges"):
        assert phone.get(path).status_code == 200, path

    # What opened the other account opens it no more; its address opens the one that is there.
    assert tablet.get("/me").status_code == 303
    assert (
        world.visitor().post("/sign-in", identifier=other.email, password=PASSWORD).status_code
        == 303
    )
    with app.app_context():
        with pytest.raises(identity.TokenInvalid):
            identity.member_of_token(token)
        members.enable(other.id)
        assert db.session.get_one(Member, other.id, populate_existing=True).disabled_at
        found = identity.find(other.email)
        assert found is not None and found.id == mei.id

    # Money back for what the other account paid is theirs; so are the points that it takes.
    staff = world.staff()
    world.refund(old[1], staff)
    assert world.balance(mei) == balances + 1600
    with app.app_context():
        outbox.work()
        assert points.balance_of(mei.id).points == 30
        assert merging.sweep() == 0
    assert world.faults() == []
    with app.app_context():
        assert [one for one in privacy.blocks(mei.id) if one != "balance"] == ["open_orders"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nothing_is_told_or_taken_of_what_is_not_shown(
    world: World, app: Flask, mail: Post, clock: Clock
) -> None:
    mei, other, third = world.member("Mei"), world.member("Old"), world.member("Third", funds="5")
    staff, owner = world.staff(), world.owner()
    for one in (mei, staff):
        prove(world, one)
    phone, gone = world.client_for(mei), "/me/merge/preview"

    def tries_password(address: str, word: str = PASSWORD) -> tuple[int, str]:
        phone.get("/me/merge")
        answer = phone.post("/me/merge/prove", identifier=address, password=word)
        return answer.status_code, answer.text

    def said(address: str) -> str:
        phone.post("/me/merge/code", identifier=address)
        phone.get("/me/merge")
        answer = phone.post("/me/merge/prove", code=mail.code_to(address))
        assert answer.status_code in (403, 409), answer.text
        assert phone.get(gone).location == "/me/merge"
        found = re.search(r'role="alert">.*?<div>(.*?)</div>', answer.text, re.S)
        assert found
        return found[1]

    # Whoever asks for a code hears the same, whoever is there.
    asks = [phone.post("/me/merge/code", identifier=one) for one in (other.email, "no@example.com")]
    assert len({(answer.status_code, answer.location) for answer in asks}) == 1
    assert "no other account" in said("nobody@example.com")
    assert "no other account" in said(mei.email), "one's own is no other"
    assert "alone does not open" in said(other.email), "anybody may have typed it there"
    assert "works here" in said(staff.email)
    wrong, nobody = tries_password(other.email, "wrong password"), tries_password("x@example.com")
    assert wrong[0] == nobody[0] == 403 and "Wrong password" in wrong[1] and "Wrong" in nobody[1]
    assert tries_password(owner.email)[0] == 409
    assert phone.post("/me/merge/passkey", credential="{}").status_code in (403, 404)
    for proof in ("", "0" * 20, "x" * 300):
        assert phone.post("/me/merge", proof=proof).status_code in (409, 422)
    assert phone.post("/me/merge/second", code="123456").status_code == 409

    # A second factor of the other account is asked for, and nothing is told until it is given.
    caller = Caller("192.0.2.9", "", str(app.config["SECRET_KEY"]).encode())
    with app.app_context():
        secret = factors.secret_for(other.id, "visit", caller)
        paper = factors.confirm(other.id, "visit", pyotp.TOTP(secret).at(clock.now), caller)
    assert tries_password(other.email)[0] == 303
    page = phone.get(gone).text
    assert "second step" in page and other.email not in page and 'name="proof"' not in page
    with app.app_context():
        half = db.session.scalars(select(Base.metadata.tables["merge_proofs"].c.id)).one()
    assert phone.post("/me/merge", proof=half).status_code == 409
    assert phone.post("/me/merge/second", code="000000").status_code == 403
    assert phone.post("/me/merge/second", code=paper[0]).status_code == 303
    proof = proof_on(phone)

    # Ten minutes, in this browser, by who has just signed in; and not while a payment is open.
    assert world.client_for(third).post("/me/merge", proof=proof).status_code == 409
    elsewhere = world.client_for(mei)
    assert elsewhere.post("/me/merge", proof=proof).status_code == 409
    with app.app_context():
        line = (sales.Line(world.item(price="5").id, 1),)
        buy = sales.Buy(other.id, world.location, "CNY", line, ids.new(), means="simulated")
        waits = paying.pay(paying.Paying(buy, Simulated(b"k"), wish="never"))
    assert "payment of your other account" in phone.get(gone).text
    blocked = phone.post("/me/merge", proof=proof)
    assert blocked.status_code == 409 and "merge_blocked" in blocked.text
    with app.app_context():
        attempts.give_up(waits)
        db.session.rollback()
    assert "Make them one" in phone.get(gone).text
    clock.tick(minutes=11)
    assert phone.post("/me/merge", proof=proof).status_code == 403, "sign in again"
    assert phone.get("/me/merge").status_code == 200
    assert phone.post("/me/merge/code", identifier=other.email).status_code == 403
    with app.app_context():
        assert db.session.scalar(select(Base.metadata.tables["merges"].c.id)) is None
        roles = dict(db.session.execute(select(Member.id, Member.role)).all())
        assert (roles[mei.id], roles[staff.id]) == ("shopper", "staff")
    assert world.faults() == []


def test_three_accounts_in_a_row_and_then_the_person_goes(
    world: World, app: Flask, mail: Post
) -> None:
    app.config["BASE_URL"] = "https://shop.example"
    first, second, third = (
        world.member(f"Xanthippe {n}", funds="30", email=f"xan{n}@quill.example") for n in range(3)
    )
    milk = world.item(price="10", on_hand=50)
    sale = world.buy(first, milk)
    for one in (first, second, third):
        prove(world, one)
    key = Phone()
    with app.app_context(), transaction():
        payment.deposit(first.id, 100, world.currency, "cash", note="from Xanthippe")
    phone = world.client_for(first)
    made = key.make(asked(phone, "/me/passkeys/options"))
    assert phone.post("/me/passkeys", credential=json.dumps(made), name="").status_code == 303
    # By its passkey, then by its password.
    phone = world.client_for(second)
    phone.get("/me/merge")
    signed = json.dumps(key.sign(asked(phone, "/passkey/options")))
    answer = phone.post("/me/merge/passkey", credential=signed)
    assert answer.location == "/me/merge/preview", answer.text
    assert phone.post("/me/merge", proof=proof_on(phone)).status_code == 303
    phone = world.client_for(third)
    phone.get("/me/merge")
    phone.post("/me/merge/prove", identifier=first.email, password=PASSWORD)
    assert phone.post("/me/merge", proof=proof_on(phone)).status_code == 303
    assert [world.balance(one) for one in (first, second, third)] == [0, 0, 8100]
    assert phone.get("/me/merge").text.count('href="/me/merge/') >= 2
    assert phone.get(f"/sales/{sale.id}").status_code == 200
    # The passkey that was made for the first one opens what is there.
    new = world.visitor()
    new.get("/sign-in")
    signed = json.dumps(key.sign(asked(new, "/passkey/options")))
    assert new.post("/passkey", credential=signed).status_code == 303
    assert third.email in new.get("/me").text
    assert world.faults() == []
    assert phone.post("/me/privacy/erasure", word="erase", forfeit="1").status_code == 303
    with app.app_context():
        for table in Base.metadata.sorted_tables:
            columns = ", ".join(f'CAST("{one.name}" AS TEXT)' for one in table.columns)
            for row in db.session.execute(text(f'SELECT {columns} FROM "{table.name}"')):
                assert "xan" not in " ".join(map(str, row)).casefold(), table.name
    assert world.faults() == []
