"""What stock is worth, from orders and deliveries to the owner's page; and that nobody sees what
goods cost who may not."""

from __future__ import annotations

import csv
import io
from typing import Any

from flask import Flask
from sqlalchemy import select

from store import identity, ids, outbox
from store.catalogue.costs import costs_of, history_of, parse_cost, set_cost
from store.catalogue.models import ItemCost
from store.db import db, transaction
from store.identity import rights
from store.sales.models import SaleLine
from tests.conftest import Clock
from tests.sellers.counter import give_to, seller
from tests.world import Thing, Visitor, World


def say(app: Flask, thing: Thing, text: str) -> None:
    with app.app_context(), transaction():
        set_cost(thing.id, parse_cost(text, "CNY"), "CNY")


def known(app: Flask, thing: Thing) -> int | None:
    with app.app_context():
        return costs_of([thing.id], "CNY").get(thing.id)


def table(browser: Visitor, path: str) -> dict[str, dict[str, str]]:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return {row["code"]: row for row in csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")))}


def delivered(browser: Visitor, thing: Thing, many: int, order: str = "", **costs: str) -> str:
    form = {"at": "MAIN", "supplier": "Dairy", "key": ids.new(), "order": order}
    path = browser.post("/desk/deliveries", form).location
    number = path.rsplit("/", 1)[-1]
    scan = {"code": thing.code, "key": ids.new(), "quantity": str(many)}
    assert browser.post(f"/desk/slips/{number}/scans", scan).status_code == 303
    for cost in costs.values():
        said = browser.post(f"/desk/slips/{number}/costs", {f"cost_{thing.id}": cost})
        assert said.status_code == 303, said.text
    assert browser.post(f"{path}/bookings").status_code == 303
    return number


def test_deliveries_move_the_average_and_the_page_says_what_stock_is_worth(
    world: World, app: Flask, clock: Clock
) -> None:
    office = world.client_for(world.owner())
    empty = office.get("/owner/stock")
    assert empty.status_code == 200 and "Nothing is on hand" in empty.text
    assert "not known yet what your goods cost" in empty.text
    milk, tea = world.item(on_hand=10), world.item("coffee", on_hand=3)
    depot = world.place("DEPOT", kind="warehouse")
    world.stock(milk, 10, depot)
    lamp = world.item("bread", on_hand=50)
    with app.app_context():
        give_to(seller(), lamp)
    assert table(office, "/owner/stock.csv?table=uncosted")[milk.code]["on_hand"] == "20"
    say(app, milk, "3.00")
    clock.tick(seconds=1)
    # 20 are on hand at 3.00, in two places; 5 come at 4.005.
    first = delivered(office, milk, 5, cost="4.005")
    assert known(app, milk) == (20 * 30_000 + 5 * 40_050 + 12) // 25
    clock.tick(seconds=1)
    delivered(office, milk, 5)
    assert known(app, milk) == 32_010, "of which nobody says anything leaves it as it was"
    clock.tick(seconds=1)
    # What an order says counts where its delivery says nothing.
    order = {"at": "MAIN", "supplier": "Dairy", "key": ids.new()}
    path = office.post("/desk/purchases", order).location
    number = path.rsplit("/", 1)[-1]
    scan = {"code": tea.code, "key": ids.new(), "quantity": "4"}
    office.post(f"/desk/slips/{number}/scans", scan)
    assert office.post(f"/desk/slips/{number}/costs", {f"cost_{tea.id}": "20"}).status_code == 303
    assert office.post(f"{path}/sendings").status_code == 303
    assert known(app, tea) is None, "what is ordered has not come yet"
    delivered(office, tea, 4, number)
    assert known(app, tea) == 200_000
    late = office.post(f"/desk/slips/{first}/costs", {f"cost_{milk.id}": "9"})
    assert late.status_code == 409 and known(app, milk) == 32_010
    for wrong in ("0", "-1", "x", "1,250"):
        refused = office.post(f"/desk/slips/{number}/costs", {f"cost_{tea.id}": wrong})
        assert refused.status_code in (409, 422), wrong
    goods = table(office, "/owner/stock.csv")
    # 20 and 10 pieces at 3.201, each place by itself; 7 at 20.00.
    assert {code: (row["on_hand"], row["cost"], row["value"]) for code, row in goods.items()} == {
        milk.code: ("30", "3.2010", "96.03"), tea.code: ("7", "20.00", "140.00")
    }  # fmt: skip
    assert table(office, "/owner/stock.csv?location=DEPOT")[milk.code]["value"] == "32.01"
    page = office.get("/owner/stock").text
    assert "236" in page and ".03" in page and lamp.names["en"] not in page
    assert office.get("/owner/stock?days=31").status_code == 422
    assert office.get("/owner/stock/nothing").status_code == 404
    with app.app_context():
        assert [one.why for one in history_of(milk.id)] == ["delivered", "said"]
        assert history_of(milk.id)[0].slip_id == int(first)
    assert world.faults() == []


def test_nobody_sees_what_goods_cost_who_may_not(world: World, app: Flask, clock: Clock) -> None:
    milk, lin = world.item(on_hand=9, price="11.30", tax_rate_bp=1300), world.member(funds="100")
    say(app, milk, "4.4321")
    clock.tick(seconds=1)
    world.buy(lin, milk)
    with app.app_context():
        outbox.work()
        assert db.session.scalar(select(SaleLine.cost_minor)) == 443
    boss, till = world.owner(), world.staff()
    with app.app_context():
        rights.give(till.id, set(rights.GRANTABLE) - {"see_costs"})
    office, desk, phone = map(world.client_for, (boss, till, lin))
    form = f"/desk/items/{milk.id}"
    seen = {"/owner/takings", "/owner/takings.csv", "/owner/takings/items", "/owner",
            "/owner/takings.csv?table=items", "/owner/sales", "/owner/sales.csv", form}  # fmt: skip
    for path in seen:
        said = "4.4321" if path == form else "argin"
        assert said in office.get(path).text, path
        theirs = desk.get(path)
        assert theirs.status_code == 200, path
        assert not any(each in theirs.text for each in (said, "4.43", "5.57")), path
    for path in ("/owner/stock", "/owner/stock/items", "/owner/stock.csv", "/owner/stock.xlsx"):
        assert desk.get(path).status_code == 403 and phone.get(path).status_code == 403
    changed = {"name_en": "Milk", "tax_rate": "13"}
    assert desk.post(form, changed | {"cost": "1"}).status_code == 403
    assert desk.post(form, changed).status_code == 303
    assert known(app, milk) == 44_321, "a form without the field leaves it as it is"
    assert office.post(form, changed | {"cost": "0"}).status_code == 422
    assert office.post(form, changed | {"cost": "5.5"}).status_code == 303
    assert known(app, milk) == 55_000
    with app.app_context(), transaction():
        member = identity.by_id(boss.id)
        token = identity.issue_token(member, ["items:read"], "feed")
    key = {"Authorization": f"Bearer {token}"}
    for path in (milk.path, "/", f"/api/v1/items/{milk.code}", "/feeds/items.json"):
        answer = world.visitor().get(path, headers=key)
        assert "5.5" not in answer.text and "cost" not in answer.text.lower(), path


def test_a_list_says_costs_and_the_export_gives_them_back(
    world: World, app: Flask, tmp_path: Any, clock: Clock
) -> None:
    rows = (
        "sku,name,price,cost\nS-1,Screw,0.10,0.0345\nS-2,Lamp,20,¥7.20\nS-3,Bulb,3,\nS-4,Cup,3,0\n"
    )
    file, again = tmp_path / "goods.csv", tmp_path / "again.csv"
    file.write_text(rows)
    run = app.test_cli_runner().invoke
    taken = run(args=["catalogue", "import", str(file)])
    assert "added 3" in taken.output and "rejected 1" in taken.output, taken.output
    assert run(args=["catalogue", "export", str(again)]).exit_code == 0
    with again.open(newline="") as lines:
        costs = {row["sku"]: row["cost"] for row in csv.DictReader(lines)}
    assert costs == {"S-1": "0.0345", "S-2": "7.20", "S-3": ""}
    assert "unchanged 3" in run(args=["catalogue", "import", str(again)]).output
    clock.tick(seconds=1)
    file.write_text("sku,cost\nS-2,8\n")
    assert (
        "updated 1" in run(args=["catalogue", "import", str(file), "--default-price", "1"]).output
    )
    with app.app_context():
        assert len(db.session.scalars(select(ItemCost)).all()) == 3
