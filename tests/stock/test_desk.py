"""The stock page of the desk: goods come in once, a count sets the level, and both are told."""

from __future__ import annotations

import re

from tests.world import Visitor, World


def _seen(page: str) -> str:
    found = re.search(r'name="seen" value="(\d+)"', page)
    assert found
    return found[1]


def _form(visitor: Visitor, code: str) -> dict[str, str]:
    page = visitor.get(f"/desk/stock?code={code}").text
    return {"code": code, "at": "MAIN", "seen": _seen(page)}


def test_goods_that_come_in_are_on_the_shelf_and_in_the_list(world: World) -> None:
    milk = world.item(on_hand=2)
    staff = world.client_for(world.staff())
    answer = staff.post(
        "/desk/stock/receipts", _form(staff, milk.code), quantity="12", note="Delivery 77"
    )
    assert answer.status_code == 303
    page = staff.get(answer.location).text
    assert "12 came in" in page
    assert "Delivery 77" in page
    assert world.left(milk) == 14
    assert world.faults() == []


def test_a_second_tap_is_asked_about_and_receives_nothing(world: World) -> None:
    milk = world.item(on_hand=2)
    staff = world.client_for(world.staff())
    form = _form(staff, milk.code)
    assert staff.post("/desk/stock/receipts", form, quantity="12").status_code == 303
    again = staff.post("/desk/stock/receipts", form, quantity="12")
    assert again.status_code == 409
    assert 'name="again"' in again.text
    assert world.left(milk) == 14
    meant = staff.post("/desk/stock/receipts", form, quantity="12", again="1")
    assert meant.status_code == 303
    assert world.left(milk) == 26


def test_a_count_sets_the_level_and_says_by_how_much(world: World) -> None:
    milk = world.item(on_hand=9)
    staff = world.client_for(world.staff())
    form = {"code": milk.code, "at": "MAIN"}
    answer = staff.post("/desk/stock/counts", form, counted="7", note="broken")
    assert "changed by −2" in staff.get(answer.location).text
    assert world.left(milk) == 7
    answer = staff.post("/desk/stock/counts", form, counted="7")
    assert "The level was right" in staff.get(answer.location).text
    assert world.faults() == []


def test_what_runs_low_is_shown_first_and_only_for_the_chosen_place(world: World) -> None:
    mill = world.place("MILL", "Mill Street")
    world.item("bread", on_hand=1)
    world.item("honey", on_hand=1, at=mill)
    staff = world.client_for(world.staff())
    assert "Wholemeal toast" in staff.get("/desk/stock").text
    assert "Acacia honey" not in staff.get("/desk/stock").text
    assert "Acacia honey" in staff.get("/desk/stock?at=MILL").text


def test_a_code_that_nothing_has_is_said_so(world: World) -> None:
    page = world.client_for(world.staff()).get("/desk/stock?code=NOTHING").text
    assert "Nothing has the code" in page


def test_shoppers_have_no_business_here(world: World) -> None:
    milk = world.item(on_hand=2)
    shopper = world.client_for(world.member())
    assert shopper.get("/desk/stock").status_code == 403
    form = {"code": milk.code, "at": "MAIN", "seen": "0", "quantity": "5", "counted": "5"}
    assert shopper.post("/desk/stock/receipts", form).status_code == 403
    assert shopper.post("/desk/stock/counts", form).status_code == 403
    assert world.left(milk) == 2


def test_every_place_can_be_chosen_by_its_name(world: World) -> None:
    world.place("MILL", "Mill Street")
    page = world.client_for(world.owner()).get("/desk/stock?at=MILL").text
    assert '<option value="MILL" selected>Mill Street</option>' in page
    assert '<option value="MAIN">Harbour Road Shop</option>' in page


def test_staff_who_are_short_are_told_what_staff_can_do(world: World) -> None:
    milk = world.item(on_hand=2)
    staff = world.client_for(world.staff())
    form = _form(staff, milk.code) | {"why": "damaged", "key": "short-of-it"}
    answer = staff.post("/desk/stock/write-offs", form, quantity="5")
    assert answer.status_code == 409 and world.left(milk) == 2
    assert "2 are left here by the book" in answer.text
    assert "ask the staff" not in answer.text
    assert f'href="/desk/stock?code={milk.code}"' in answer.text


def test_a_refusal_at_the_desk_stays_there_in_the_readers_language(world: World) -> None:
    staff = world.client_for(world.staff())
    lost = staff.get("/desk/nowhere", headers={"Accept-Language": "zh"})
    assert lost.status_code == 404 and 'class="desk-nav"' in lost.text
    assert lost.text.count("<h1>") == 1 and "这里什么也没有" in lost.text
    staff.get("/?lang=zh")
    odd = staff.post("/desk/stock/receipts", code="", quantity="x", at="MAIN")
    assert odd.status_code == 422 and "请返回查看后再试一次" in odd.text
    shopper = world.client_for(world.member())
    assert 'class="desk-nav"' not in shopper.get("/desk/nowhere").text
