"""Anything scanned at the desk: what it is, and what this person may do with it."""

from __future__ import annotations

from urllib.parse import quote

from store import ids, labels, sales, stock
from store.db import transaction
from store.identity import rights
from store.sales.returns.return_models import Return
from store.sales.returns.returns import Wish, declare
from store.stock import transit
from tests.world import Visitor, World


def looked(visitor: Visitor, text: str) -> str:
    """The page that the field of the desk leads to."""
    answer = visitor.post("/desk", code=text)
    assert answer.status_code == 303, answer.status
    return visitor.get(answer.location).text


def test_each_code_leads_to_what_can_be_done_with_it(world: World) -> None:
    milk, lin, mill = world.item(on_hand=7), world.member(funds="100"), world.place("MILL")
    worker = world.staff()
    staff = world.client_for(worker)
    bought = world.buy(lin, milk)
    with world.app.app_context():
        wish = Wish(bought.id, [sales.Part(1, 1)], "shop", "", ids.new())
        coming = declare(lin.id, wish)
        with transaction() as session:
            code = session.get_one(Return, coming).code
            slip = transit.open_transfer(mill, world.location, worker.id, key="to-the-harbour")
            stock.put_on_shelf(milk.id, world.location, "A1")

    for text in (milk.gtin or "", milk.code.lower(), f"(01){milk.gtin}(10)LOT7",
                 f"https://elsewhere.example/01/{milk.gtin}"):  # fmt: skip
        page = looked(staff, text)
        assert "Oat milk" in page and "shelf A1" in page and "12.50" in page, text
        for name in ("Receive or count", "Print its label", "Price and details"):
            assert name in page
    assert "LOT7" in looked(staff, f"(01){milk.gtin}(10)LOT7")
    page = looked(staff, code)
    assert "A return on its way" in page and f"/desk/returns/{bought.id}?of={coming}" in page
    assert f'href="/desk/sales/{bought.id}"' in looked(staff, bought.id.lower())
    assert f'href="/desk/transfers/{slip}"' in looked(staff, f"#{slip}")

    # A sticker that this shop did not make says so, whatever stands on it.
    forged = f"http://localhost{milk.path}?l=MADE00UP00000"
    assert "Not our label" in looked(staff, forged)
    assert labels.read("MADE00UP00000", "any") is None

    # Who may not do it is not led there, and reads who can.
    cashier = world.member(role="staff")
    with world.app.app_context():
        rights.give(cashier.id, {"sell"})
    page = looked(world.client_for(cashier), bought.id)
    assert "A colleague who may give money back" in page and "/desk/sales/" not in page
    assert "Receive or count" not in looked(world.client_for(cashier), milk.code)
    assert world.faults() == []


STRANGE = {
    "NOTHING-HERE": "knows nothing with the code",
    "6901234567893": "knows nothing",
    "(01)06901234567893": "damaged or was mistyped",
    "#999999999999999": "knows nothing",
    "#": "knows nothing",
    "https://elsewhere.example/sales/none": "knows nothing",
    "<script>alert(1)</script>" + "x" * 900: "knows nothing",
    "ひらがな٣\u202e": "knows nothing",
}


def test_unknown_foreign_and_broken_codes_are_answered(world: World) -> None:
    staff = world.client_for(world.staff())
    for text, said in STRANGE.items():
        page = looked(staff, text)
        assert said in page and "<script>alert" not in page, text
        assert staff.get(f"/desk/anything?code={quote(text)}").status_code == 404
    assert staff.get("/desk/anything").status_code == 303
    assert staff.get(f"/desk/anything?code={'x' * 1001}").status_code == 422
    assert staff.post("/desk", code="").status_code == 422
