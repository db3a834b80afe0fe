"""Bundles on pages and in the API: offered from elsewhere, ordered, and brought back in part."""

from __future__ import annotations

import re
from typing import Any

from store import identity
from store.db import transaction
from store.identity.tokens import issue_token
from tests.sales.test_bundles import bundle
from tests.sales.test_order_pages import form_of, link
from tests.world import World


def test_sold_out_here_and_ordered_from_where_its_parts_are(world: World) -> None:
    mill = world.place("MILL", "Mill Street")
    world.zone((5000, "6"))
    milk, bread = world.item(on_hand=0), world.item("bread", on_hand=9)
    world.stock(milk, 4, at=mill)
    world.stock(bread, 1, at=mill)
    kit = bundle(world, (milk, 2), (bread, 1), price="7.99")
    lin_, sam = world.member(funds="100"), world.client_for(world.staff())
    lin = world.client_for(lin_)
    page = lin.get(kit.path).text
    assert "Sold out here" in page and "1 there" in page and "Deliver" in page
    page = lin.get(link(page, "collect", "MILL")).text
    answer = lin.post("/orders", form_of(page, "/orders"))
    assert answer.status_code == 303
    receipt = lin.get(answer.location).text
    assert "Breakfast" in receipt and f"2 × {milk.names['en']}" in receipt
    page = sam.get("/desk/orders?at=MILL").text
    path = re.search(r"/desk/orders/[0-9A-Z]{20}", page)
    assert path
    page = sam.get(path[0]).text  # The pick list has what is in it.
    assert milk.names["en"] in page and bread.names["en"] in page and "Breakfast" not in page
    assert sam.post(f"{path[0]}/short", {f"missing-{milk.id}": "1"}).status_code == 303
    assert "1 given back" in lin.get(answer.location).text
    assert f"1 × {bread.names['en']}" in sam.get(
        f"/desk/sales/{answer.location.rpartition('/')[2]}"
    ).text  # fmt: skip
    assert world.faults() == []


def test_a_part_is_brought_back_on_pages(world: World) -> None:
    milk, bread = world.item(price="3", on_hand=9), world.item("bread", price="4", on_hand=9)
    kit = bundle(world, (milk, 2), (bread, 1), price="8")
    lin_, sam_ = world.member(funds="100"), world.staff()
    sale = world.buy(lin_, (kit, 2))
    lin, sam = world.client_for(lin_), world.client_for(sam_)
    path = f"/sales/{sale.id}/returns"
    page = lin.get(path).text
    assert f"quantity-1-{bread.id}" in page and "only this, of Breakfast" in page
    form = form_of(page, path) | {"way": "shop", "reason": "stale"}
    for wrong in ({"quantity-1-999999": "1"}, {"quantity-1-x": "1"}, {"quantity-2": "1"},
                  {f"quantity-1-{bread.id}": "1.5"}, {f"quantity-1-{bread.id}": "-1"}):  # fmt: skip
        assert lin.post(path, form | wrong).status_code == 422, wrong
    assert lin.post(path, form | {f"quantity-1-{bread.id}": "3"}).status_code == 409
    answer = lin.post(path, form | {f"quantity-1-{bread.id}": "1", "quantity-1": "0"})
    assert answer.status_code == 303
    assert bread.names["en"] in lin.get(answer.location).text
    desk = f"/desk/returns/{sale.id}"
    of = answer.location.rpartition("/")[2]
    page = sam.get(f"{desk}?of={of}").text
    [line] = re.findall(r'name="resell-(\d+)"', page)
    form = form_of(page, desk) | {"at": "MAIN"}
    assert sam.post(desk, form | {f"resell-{line}": "1"}).status_code == 303
    page = sam.get(desk).text
    assert f'name="resell-1-{milk.id}"' in page and "of Breakfast" in page
    form = form_of(page, desk) | {"at": "MAIN"}
    assert sam.post(desk, form | {f"scrap-1-{milk.id}": "1"}).status_code == 303
    receipt = lin.get(f"/sales/{sale.id}").text
    assert receipt.count("1 given back") == 2 and "¥8.00" in receipt
    assert world.balance(lin_) == 10_000 - 1600 + 320 + 240
    assert "Breakfast" in sam.get(f"/desk/sales/{sale.id}").text
    assert world.faults() == []


def test_a_part_is_given_back_by_the_api(world: World) -> None:
    milk, bread = world.item(price="3", on_hand=9), world.item("bread", price="4", on_hand=9)
    kit = bundle(world, (milk, 2), (bread, 1), price="8")
    lin, sam = world.member(funds="100"), world.staff()
    sale = world.buy(lin, kit)
    api = world.app.test_client()
    with world.app.app_context(), transaction():
        tokens = {
            who.id: issue_token(identity.by_id(who.id), ["sales:write", "sales:read"])
            for who in (lin, sam)
        }

    def post(path: str, body: Any, who: int, key: str) -> tuple[int, Any]:
        head = {"Authorization": f"Bearer {tokens[who]}", "Idempotency-Key": key}
        answer = api.post(f"/api/v1/sales/{sale.id}/{path}", json=body, headers=head)
        return answer.status_code, answer.get_json()

    one = {"position": 1, "quantity": 1}
    for item, why in ((kit.gtin or "nothing", 404), (milk.code + "X", 404)):
        status, _ = post("refunds", {"lines": [one | {"item": item}]}, sam.id, "r-0")
        assert status == why
    body: Any = {"lines": [one | {"item": bread.code}]}
    status, told = post("refunds", body, sam.id, "r-1")
    assert (status, told["total"]["minor"]) == (201, 320)
    assert post("refunds", body, sam.id, "r-1") == (status, told)
    status, told = post("refunds", body, sam.id, "r-2")
    assert (status, told["code"]) == (409, "not_so_many_left")
    wish = {"way": "mail", "lines": [one | {"item": milk.code}]}
    status, told = post("returns", wish, lin.id, "d-1")
    assert status == 201
    body = {"location": "MAIN", "decisions": [one | {"item": milk.code, "decision": "resell"}]}
    status, told = post("hand-ins", body, sam.id, "h-1")
    assert (status, told["total"]["minor"]) == (201, 240)
    head = {"Authorization": f"Bearer {tokens[lin.id]}"}
    sold = api.get(f"/api/v1/sales/{sale.id}", headers=head).get_json()
    assert [(one["kind"], one["of"]) for one in sold["lines"]] == [
        ("goods", None), ("part", 1), ("part", 1),
    ]  # fmt: skip
    assert world.faults() == []
