"""The shop window, a member's purchases, and sales at the desk."""

from __future__ import annotations

from tests.world import World


def test_the_window_shows_what_is_for_sale_here_and_what_is_gone(world: World) -> None:
    world.item("oat-milk", on_hand=10)
    world.item("bread", on_hand=2)
    world.item("honey", on_hand=0)
    page = world.visitor().get("/").text
    assert "Oat milk barista" in page
    assert "Last 2 on this shelf" in page
    assert page.count("Sold out here") == 1


def test_the_window_is_searched_by_name_in_either_language_and_by_category(world: World) -> None:
    world.item("oat-milk")
    world.item("bread")
    visitor = world.visitor()
    for words in ("?q=oat+barista", "?q=燕麦", "?category=drinks", "?q=plain"):
        page = visitor.get(f"/{words}").text
        assert "Oat milk barista" in page, words
        assert "Wholemeal toast" not in page, words
    assert "Nothing fits" in visitor.get("/?q=zebra").text


def test_the_window_goes_on_page_by_page_without_losing_an_item(world: World) -> None:
    names = [world.item(code=f"P{number:03d}", gtin=None, names={"en": f"Item {number:03d}"})
             for number in range(30)]  # fmt: skip
    visitor = world.visitor()
    first = visitor.get("/").text
    assert "More items" in first
    address = first.split('">More items')[0].rpartition('href="')[2].replace("&amp;", "&")
    second = visitor.get(address).text
    shown = [name.names["en"] in first or name.names["en"] in second for name in names]
    assert all(shown)
    assert "More items" not in second


def test_purchases_are_ones_own_newest_first(world: World) -> None:
    lin, milk, bread = world.member(funds="100"), world.item("oat-milk"), world.item("bread")
    world.buy(lin, milk)
    world.buy(lin, (bread, 2))
    page = world.client_for(lin).get("/me/sales").text
    assert page.index("2 × Wholemeal toast") < page.index("Oat milk barista")
    other = world.client_for(world.member()).get("/me/sales").text
    assert "No purchases yet" in other


def test_staff_find_a_sale_by_the_end_of_its_number_and_refund_it_once(world: World) -> None:
    lin, milk = world.member(funds="100"), world.item(on_hand=5, price="12.50")
    receipt = world.buy(lin, (milk, 2))
    world.buy(lin, milk)
    staff = world.client_for(world.staff())
    listed = staff.get(f"/desk/sales?q={receipt.number[-5:].lower()}").text
    assert listed.count('class="row"') == 1
    page = f"/desk/sales/{receipt.id}"
    assert page in listed
    assert 'name="quantity-1"' in staff.get(page).text
    assert staff.post(f"{page}/refunds", reason="Damaged").status_code == 303
    assert "Damaged" in staff.get(page).text
    again = staff.post(f"{page}/refunds", reason="Damaged")
    assert again.status_code == 409
    assert "not_refundable" in again.text
    assert (world.balance(lin), world.left(milk)) == (8750, 4)
    assert world.faults() == []


def test_shoppers_see_no_desk(world: World) -> None:
    lin, receipt = world.member(), world.sale()
    visitor = world.client_for(lin)
    for path in ("/desk/sales", f"/desk/sales/{receipt.id}"):
        assert visitor.get(path).status_code == 403
    assert visitor.post(f"/desk/sales/{receipt.id}/refunds", reason="mine").status_code == 403


def test_who_wants_more_than_is_there_reads_how_many_are_left(world: World) -> None:
    lin, milk = world.member(funds="1000"), world.item(on_hand=3)
    form = {"code": milk.code, "seen_minor": "1250", "key": "k" * 20}
    visitor = world.client_for(lin)
    few = visitor.post("/sales", form, quantity="4")
    assert few.status_code == 409 and "3 are left here" in few.text
    world.buy(lin, (milk, 3))
    none = visitor.post("/sales", form, quantity="4")
    assert none.status_code == 409 and "took the last ones" in none.text
