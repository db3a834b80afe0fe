"""What lies in quarantine is listed with where it came from, and leaves it three ways."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from store import ids, stock
from store.db import transaction
from store.sales.returns import hand_ins
from store.stock import quarantine
from store.stock.write_offs import write_offs
from tests.world import Somebody, Thing, Visitor, World


def in_quarantine(app: Flask, world: World, milk: Thing, many: int, sam: Somebody) -> str:
    """Bought and brought back, opened; answers the sale's id."""
    with app.app_context():
        sale = world.buy(world.member(funds="100"), (milk, many))
        decided = [hand_ins.Decision(1, many, "quarantine")]
        asked = hand_ins.HandIn(sale.id, world.location, sam.id, decided, ids.new(), "Opened")
        hand_ins.hand_in(asked)
    return sale.id


def decide(staff: Visitor, milk: Thing, **fields: str) -> int:
    form = {"code": milk.code, "at": "MAIN-Q", "to": "MAIN", "decision": "resell"} | fields
    return staff.post("/desk/quarantine/decisions", form).status_code


def test_goods_in_quarantine_are_sold_again_scrapped_or_sent_back(app: Flask, world: World) -> None:
    mill, sam, milk = world.place("MILL"), world.staff(), world.item(on_hand=6)
    sale = in_quarantine(app, world, milk, 6, sam)
    staff = world.client_for(sam)
    page = staff.get("/desk/quarantine").text
    assert "6 ×" in page and "Opened" in page and sale[-5:] in page
    # The place beside is called in the reader's language, wherever places are named.
    owner = world.client_for(world.owner())
    for path in ("/desk/quarantine", "/owner/stock", f"/desk/stock?code={milk.code}"):
        page = owner.get(path, headers={"Accept-Language": "zh"}).text
        assert "Harbour Road Shop · 隔离区" in page and "· quarantine" not in page, path
    assert decide(staff, milk, quantity="3", seen="6", to="MILL", note="Seal is whole") == 303
    # The same tap again, and a page from before, decide nothing.
    assert decide(staff, milk, quantity="3", seen="6") == 409
    assert decide(staff, milk, quantity="4", seen="3") == 422
    assert decide(staff, milk, quantity="1", seen="3", at="MAIN") == 404
    assert decide(staff, milk, quantity="1", seen="3", decision="eat") == 422
    assert decide(staff, milk, quantity="1", seen="3", decision="scrap", note="Sour") == 303
    assert decide(staff, milk, quantity="2", seen="2", decision="send_back") == 303
    assert "Nothing lies in quarantine" in staff.get("/desk/quarantine").text
    with app.app_context():
        assert (world.left(milk), world.left(milk, mill)) == (0, 3)
        assert [(one.quantity, one.why, one.note) for one in write_offs()] == [
            (2, "sent_back", ""), (1, "damaged", "Sour"),
        ]  # fmt: skip
        assert world.faults() == []


def test_each_batch_is_decided_about_and_a_recalled_one_is_not_sold_again(
    app: Flask, world: World
) -> None:
    sam = world.staff()
    milk = world.item(on_hand=0, tracks_batches=True)
    with app.app_context():
        with transaction():
            place = stock.quarantine_of(world.location)
            a, b = (stock.open_batch(milk.id, code, date(2099, 1, 1)) for code in "AB")
            for batch, many in ((a, 2), (b, 3), (None, 4)):
                stock.receive(milk.id, place, many, batch_id=batch)
            stock.call_back(a, member_id=None)
        found = {one.batch: (one.batch_id, one.quantity, one.blocked) for one in quarantine.lying()}
        assert found == {"A": (a, 2, True), "B": (b, 3, False), "": (0, 4, False)}

        def decided(batch: int, seen: int, decision: str) -> None:
            with transaction():
                quarantine.decide(
                    milk.id, place, 2, decision, batch_id=batch, seen=seen, to_id=world.location,
                    member_id=sam.id,
                )  # fmt: skip

        with pytest.raises(stock.BatchRecalled):
            decided(a, 2, "resell")
        with pytest.raises(quarantine.QuarantineChanged):
            decided(10**9, 0, "resell")
        decided(a, 2, "send_back")
        decided(b, 3, "resell")
        decided(0, 4, "scrap")
        left = {one.batch: one.quantity for one in quarantine.lying()}
        assert left == {"B": 1, "": 2}
        shop = stock.in_batches([(milk.id, world.location)])
        assert [(one.batch_id, one.on_hand) for one in shop] == [(b, 2)]
        assert world.faults() == []
