"""A guest's basket goes on in another browser, by a code that works once and for a while."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from store import clock
from store.db import db, transaction
from store.identity import callers
from store.identity.models import Try
from store.sales.basket import basket, basket_codes
from store.sales.models import Basket
from tests.world import Thing, Visitor, World


@pytest.fixture
def milk(world: World) -> Thing:
    return world.item(price="12.50", on_hand=5)


@pytest.fixture
def bread(world: World) -> Thing:
    return world.item("bread", price="8")


def put(browser: Visitor, thing: Thing, quantity: int = 1) -> None:
    form = {"code": thing.code, "quantity": quantity, "seen_minor": thing.price_minor}
    assert browser.post("/basket/lines", form).status_code == 303


def code_from(browser: Visitor) -> str:
    answer = browser.post("/basket/code")
    page = browser.get(answer.location).text
    found = re.search(r"\b([0-9A-Z]{3}-[0-9A-Z]{3})\b", page)
    assert found, page[:500]
    return found[1]


def join(browser: Visitor, code: str) -> int:
    return browser.post("/basket/join", code=code).status_code


def shows(browser: Visitor, *names: str) -> bool:
    page = browser.get("/basket").text
    return all(name in page for name in names)


def baskets(world: World) -> int:
    with world.app.app_context():
        return db.session.scalar(select(func.count()).select_from(Basket)) or 0


def test_two_browsers_hold_one_basket_from_then_on(world: World, milk: Thing, bread: Thing) -> None:
    camera, phone = world.visitor(), world.visitor()
    put(camera, milk)
    code = code_from(camera)
    assert "another browser or phone" in phone.get("/basket").text
    # The link only fills the field in: whoever looks at it ahead of the shopper uses nothing up.
    assert f'value="{code}"' in phone.get(f"/basket/join?code={code}").text
    assert not shows(phone, "Oat milk barista")
    typed = code.lower().replace("0", "o").replace("1", "l")
    assert join(phone, typed) == 303
    assert shows(phone, "Oat milk barista")
    put(phone, bread)
    assert shows(camera, "Oat milk barista", "Wholemeal toast")
    put(camera, milk)
    assert "29.00" not in phone.get("/basket").text and "33.00" in phone.get("/basket").text
    assert baskets(world) == 1


def test_what_the_other_browser_held_comes_along(world: World, milk: Thing, bread: Thing) -> None:
    camera, phone = world.visitor(), world.visitor()
    put(camera, milk)
    put(phone, bread)
    assert join(phone, code_from(camera)) == 303
    for browser in (camera, phone):
        assert shows(browser, "Oat milk barista", "Wholemeal toast")
    assert baskets(world) == 1


def test_a_code_works_once_and_not_for_long(world: World, milk: Thing) -> None:
    camera = world.visitor()
    put(camera, milk)
    code = code_from(camera)
    assert join(world.visitor(), code) == 303
    late = world.visitor()
    assert join(late, code) == 404
    assert not shows(late, "Oat milk barista")

    first, second = code_from(camera), code_from(camera)
    assert join(late, first) == 404, "another code makes the last one worthless"
    with world.app.app_context(), transaction() as session:
        session.execute(update(Basket).values(code_ends_at=clock.now() - timedelta(seconds=1)))
    assert join(late, second) == 404
    assert camera.get("/basket/code").status_code == 303
    assert "It works once and for 15 minutes" in late.post("/basket/join", code=second).text
    # A code of the browser's own basket is no way to lose it.
    assert join(camera, code_from(camera)) == 303
    assert shows(camera, "Oat milk barista")


def test_a_member_takes_it_over_and_the_guest_is_told_to_sign_in(
    world: World, milk: Thing, bread: Thing
) -> None:
    camera = world.visitor()
    put(camera, milk)
    lin = world.client_for(world.member())
    put(lin, bread)
    assert join(lin, code_from(camera)) == 303
    assert shows(lin, "Oat milk barista", "Wholemeal toast")
    assert shows(camera, "Your basket is empty")
    # A member's basket has no code: it is where they sign in.
    assert "another browser or phone" not in lin.get("/basket").text
    assert lin.post("/basket/code").status_code == 404
    assert world.visitor().post("/basket/code").status_code == 404


def test_who_guesses_is_stopped(world: World, milk: Thing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "BASKET_CODES_BY_ADDRESS", 3)
    camera, stranger = world.visitor(), world.visitor()
    put(camera, milk)
    code = code_from(camera)
    assert [join(stranger, guess) for guess in ("000000", "A", "!?")] == [404] * 3
    assert join(stranger, code) == 429
    assert "Too many tries" in stranger.post("/basket/join", code=code).text
    assert not shows(stranger, "Oat milk barista")
    with world.app.app_context(), transaction() as session:
        session.query(Try).delete()
    # Who types the right one counts for nothing: a whole shop shares one address.
    for _ in range(5):
        assert join(world.visitor(), code_from(camera)) == 303


def test_of_two_who_type_it_at_once_one_gets_it(world: World, milk: Thing) -> None:
    camera = world.visitor()
    put(camera, milk)
    code = code_from(camera)
    with world.app.app_context():
        holder = basket.Holder(None, "x" * 43)
        assert basket_codes.join(code, holder)
        with pytest.raises(basket_codes.CodeUnknown):
            basket_codes.join(code, basket.Holder(None, "y" * 43))
