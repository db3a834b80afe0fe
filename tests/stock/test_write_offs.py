"""Writing off: goods that are gone without a sale, and why; the owner sees each."""

from __future__ import annotations

import pytest

from store import ids
from tests.world import World


def test_staff_write_off_and_the_owner_sees_it(world: World) -> None:
    milk = world.item(on_hand=9, price="12.50")
    staff = world.client_for(world.member("Sam", role="staff"))
    form = {"code": milk.code, "at": "MAIN", "quantity": "2", "why": "damaged", "key": ids.new()}
    for _ in range(2):
        answer = staff.post("/desk/stock/write-offs", form | {"note": "fell down"})
        assert answer.status_code == 303
    assert world.left(milk) == 7
    assert "fell down" in staff.get(answer.location).text
    assert staff.get("/owner/write-offs").status_code == 403
    page = world.client_for(world.owner()).get("/owner/write-offs").text
    assert "fell down" in page and "Damaged" in page and "Sam" in page and "25.00" in page
    assert world.faults() == []


@pytest.mark.parametrize(
    ("form", "status"),
    [({"quantity": "10"}, 409), ({"quantity": "0"}, 422), ({"why": "because"}, 422),
     ({"why": "in_transit"}, 422), ({"code": "NOTHING"}, 404), ({"at": "NOWHERE"}, 404)],
)  # fmt: skip
def test_what_cannot_be_written_off_changes_nothing(
    world: World, form: dict[str, str], status: int
) -> None:
    milk = world.item(on_hand=9)
    staff = world.client_for(world.staff())
    asked = {"code": milk.code, "at": "MAIN", "quantity": "1", "why": "theft", "key": ids.new()}
    assert staff.post("/desk/stock/write-offs", asked | form).status_code == status
    assert world.left(milk) == 9
    owner = world.client_for(world.owner())
    assert "Nothing was written off" in owner.get("/owner/write-offs").text
    assert world.faults() == []
