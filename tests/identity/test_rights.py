"""Rights: each of the staff may what an owner has chosen, on every page and with every key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from store import identity
from store.db import db, transaction
from store.errors import Invalid
from store.identity import members, passwords, rights, roles
from store.logbook import Act
from tests.shape.routes import ROUTES
from tests.world import World


@pytest.fixture(autouse=True)
def _cheap_passwords() -> Iterator[None]:
    passwords.set_hasher(passwords.QUICK)
    yield
    passwords.set_hasher(passwords.STRONG)


def _needed(app: Flask) -> dict[str, str]:
    """The permission that each route of the pages asks for, as its view says."""
    return {
        key: permission
        for key in ROUTES
        if (permission := getattr(app.view_functions[key.split()[0]], "permission", ""))
    }


def test_every_right_opens_its_routes_and_no_other(world: World, app: Flask) -> None:
    staff, milk = world.staff(), world.item(on_hand=5)
    sale = world.sale(milk)
    values = {"item": milk.id, "gtin": milk.gtin, "code": milk.code, "sale": sale.id,
              "member": 999_999, "paying": "none", "top_up": "none"}  # fmt: skip
    desk, wrong = world.client_for(staff), {}
    needed = _needed(app)
    assert {*rights.GRANTABLE} - set(needed.values()) == {"change_prices", "see_people"}

    def status(key: str) -> int:
        path = ROUTES[key][0].format(**values)
        answer = desk.get(path, buffered=True) if key.endswith("GET") else desk.post(path)
        return answer.status_code

    for right in rights.GRANTABLE:
        mine = [key for key, permission in needed.items() if permission == right]
        # A new item has a price: who adds one sets it.
        alone = {right} if right != "edit_items" else {right, "change_prices"}
        for held in (alone, {*rights.GRANTABLE} - {right, "see_sales"}):
            with app.app_context():
                rights.give(staff.id, held)
            for key in mine:
                if (status(key) == 403) != (right not in held):
                    wrong[key] = held
    assert wrong == {}
    for key, permission in needed.items():
        if permission not in (*rights.GRANTABLE, "desk"):
            assert status(key) == 403, key
    assert world.faults() == []


def test_the_owner_gives_and_takes_and_the_log_has_it(world: World, app: Flask) -> None:
    staff, owner, milk = world.staff(), world.owner(), world.item(on_hand=5, price="4.00")
    desk, office = world.client_for(staff), world.client_for(owner)
    assert desk.get("/desk/stock").status_code == 200, "nothing was said: what staff could before"
    page = f"/owner/people/{staff.id}/rights"
    assert office.post(page, preset="cashier").status_code == 303
    refused = desk.get("/desk/stock")
    assert refused.status_code == 403 and owner.name in refused.text
    assert desk.get("/desk").status_code == desk.get("/desk/till").status_code == 200
    assert "/desk/labels" not in desk.get("/desk").text
    assert office.post(page, right=["edit_items"]).status_code == 303
    form = {"name_en": "Milk", "tax_rate": "13"}
    path = f"/desk/items/{milk.id}"
    assert desk.post(path, form).status_code == 303
    assert desk.post(path, form | {"price": "1.00"}).status_code == 403
    assert desk.post("/desk/items", form | {"price": "1.00"}).status_code == 403
    assert office.post(page, right=["all"]).status_code == 422
    assert office.post(page, preset="king").status_code == 422
    assert office.post(f"/owner/people/{owner.id}/rights", right=["sell"]).status_code == 422
    assert desk.post(page, preset="manager").status_code == 403
    office.post(page, right=["see_sales"])
    assert desk.get("/owner").status_code == 200 and desk.get("/owner/log").status_code == 403
    with app.app_context():
        assert rights.chosen(staff.id) == frozenset({"see_sales", "see_people"})
        acts = list(db.session.scalars(select(Act).where(Act.verb == "rights.set")))
        assert [act.member_id for act in acts] == [owner.id] * 3
        assert acts[0].after == {"rights": ["refund", "see_people", "sell"]}
        members.set_role(staff.id, "shopper")
        members.set_role(staff.id, "staff")
        assert rights.chosen(staff.id) is None, "who begins anew begins with what is usual"


def test_a_key_reaches_no_further_than_its_member_today(world: World, app: Flask) -> None:
    staff = world.staff()
    with app.app_context():
        with transaction():
            key = identity.issue_token(members.by_id(staff.id), ["stock:write", "items:write"])
        assert identity.member_of_token(key)[1] == {"stock:write", "items:write"}
        rights.give(staff.id, {"edit_items"})
        visitor, scopes = identity.member_of_token(key)
        assert scopes == {"items:write"}
        assert roles.permissions_of(visitor) == {"edit_items", "desk"}
        with pytest.raises(Invalid):
            rights.give(staff.id, {"everything"})
    priced = app.test_client().post(
        "/api/v1/feeds/prices", json={"source": "erp", "entries": [{"id": "1"}]},
        headers={"Authorization": f"Bearer {key}", "Idempotency-Key": "one"},
    )  # fmt: skip
    assert priced.status_code == 403 and "change_prices" in priced.text


def test_who_may_not_see_people_sees_sales_without_names(world: World, app: Flask) -> None:
    staff, lin = world.staff(), world.member("Xanthippe", funds="100")
    sale = world.buy(lin, world.item(on_hand=5))
    desk = world.client_for(staff)
    assert "Xanthippe" in desk.get(f"/desk/sales/{sale.id}").text
    with app.app_context():
        rights.give(staff.id, {"refund"})
    for page in ("/desk/sales", f"/desk/sales/{sale.id}"):
        assert "Xanthippe" not in desk.get(page).text
