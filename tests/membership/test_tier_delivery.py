"""Free delivery: what a tier may give, and the order's page says why."""

from __future__ import annotations

from typing import Any

from flask import Flask

from store import ids, outbox
from store.db import transaction
from store.membership import tier_plans
from store.membership.tier_plans import Wanted
from store.membership.tiers import Tier
from tests.membership.test_points import rules
from tests.membership.test_tiers import FORM
from tests.races.crowd import token_of
from tests.world import World


def test_who_has_reached_the_tier_has_orders_brought_for_nothing(world: World, app: Flask) -> None:
    milk = world.item("oat-milk", price="10.00", on_hand=90)
    world.zone((90_000, "6.00"))
    gold, bo = world.member(funds="500"), world.member(funds="500")
    owner, lin, other = (world.client_for(one) for one in (world.owner(), gold, bo))
    with app.app_context():
        rules(world)
    form = FORM | {"free-2": "1", "least-2": "50.00", "off-2": "0"}
    assert owner.post("/owner/tiers", form).status_code == 303
    page = owner.get("/owner/tiers").text
    assert 'name="free-2" value="1" checked' in page and 'name="free-1" value="1">' in page
    assert page.count("Free delivery</span></label>") == 4, "a box for each line of the form"
    assert page.count("Free delivery</span></li>") == 1, "and the tier that gives it"

    def ordered(who: Any, address: int, seen: str) -> Any:
        return who.post(
            "/orders", key=ids.new(), how="deliver", address=address, code=milk.code, quantity=1,
            at="MAIN", pay="account", shipping_seen=seen, **{f"seen-{milk.id}": 1000},
        )  # fmt: skip

    homes = {one.id: world.address(one) for one in (gold, bo)}
    path = f"/order?code={milk.code}&quantity=1&how=deliver"
    assert "6.00" in lin.get(path).text and "delivery is free" not in lin.get(path).text
    world.buy(gold, (milk, 5))
    with app.app_context():
        outbox.work()
    shown = lin.get(path).text
    assert "Your tier Gold: delivery is free" in shown and "−¥6.00" in shown
    assert "您是Gold会员：免运费" in lin.get(f"{path}&lang=zh").text
    assert "delivery is free" not in other.get(path).text
    assert "Free delivery" in lin.get("/me/tier?lang=en").text
    assert ordered(lin, homes[gold.id], "0").status_code == 303
    assert world.balance(gold) == 50_000 - 5_000 - 1_000
    refused = ordered(other, homes[bo.id], "0")
    assert refused.status_code == 409 and world.balance(bo) == 50_000
    assert ordered(other, homes[bo.id], "600").status_code == 303
    assert world.balance(bo) == 50_000 - 1_600

    head = {"Authorization": f"Bearer {token_of(world, gold)}"}
    api, address = app.test_client(), {"name": "Lin", "street": "8 River Road", "city": "Shanghai",
                                       "postcode": "200001", "country": "CN"}  # fmt: skip
    body = {"location": "MAIN", "lines": [{"item": milk.code, "quantity": 1}],
            "deliver": address, "shipping": "0.00"}  # fmt: skip
    made = api.post("/api/v1/orders", json=body, headers=head | {"Idempotency-Key": ids.new()})
    assert made.status_code == 201, made.text
    assert made.get_json()["sale"]["total"]["amount"] == "10.00"
    mine = api.get("/api/v1/me/points", headers=head).get_json()
    assert mine["tier"]["free_delivery"] is True

    # The tier gives it no longer: who saw nothing to pay is asked, and nothing was taken.
    with app.app_context(), transaction():
        tiers = (Tier(0, {"en": "Plain", "zh": "普通"}, 5_000),)
        tier_plans.save(Wanted("spending", 30, world.currency, tiers), made_by=None)
    before = world.balance(gold)
    assert ordered(lin, homes[gold.id], "0").status_code == 409
    assert world.balance(gold) == before and world.faults() == []
