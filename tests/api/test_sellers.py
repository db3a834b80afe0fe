"""Sellers and settlements over the API: the owner's figures, by pages, and nobody else's."""

from __future__ import annotations

from datetime import timedelta

from store import clock
from store.catalogue.items import edit_item
from store.db import transaction
from store.sellers import payouts, settling
from tests.api.conftest import MILK_GTIN, Shop, refused
from tests.sellers.counter import seller


def test_what_is_owed_and_what_was_settled(shop: Shop) -> None:
    now = clock.now()
    try:
        clock.set_now(now)
        with shop.app.app_context():
            aurora = seller(commission_bp=2000)
            with transaction():
                edit_item(shop.ids["milk"], seller_id=aurora)
        assert shop.get(f"/items/{MILK_GTIN}").get_json()["seller"] == "AURORA"
        assert shop.get("/items/BREAD-1").get_json()["seller"] is None
        for days in (1, 2, 3):
            clock.set_now(now + timedelta(days=days))
            assert shop.sell(2).status_code == 201
            with shop.app.app_context():
                settling.settle()
    finally:
        clock.set_now(None)
    [found] = shop.get("/sellers", "olga").get_json()["sellers"]
    assert (found["owed"]["minor"], found["to_be_paid_out"]["minor"]) == (2000, 4000)
    assert found["contract"]["commission"] == "20.00"
    page = shop.get("/settlements?seller=aurora&limit=1", "olga").get_json()
    [newest] = page["settlements"]
    assert (newest["number"], newest["share"]["minor"], newest["state"]) == (2, 2000, "closed")
    with shop.app.app_context():
        payouts.pay(newest["id"], "B-1", steps=0, made_by=None)
    rest = shop.get(page["next"].partition("/api/v1")[2], "olga").get_json()
    assert [one["number"] for one in rest["settlements"]] == [1] and rest["next"] is None
    one = shop.get(f"/settlements/{newest['id']}", "olga").get_json()
    assert one["payout"]["state"] == "paid" and one["payout"]["reference"] == "B-1"
    refused(shop.get("/settlements/none", "olga"), 404, "not_found")
    refused(shop.get("/settlements?seller=NOBODY", "olga"), 404, "not_found")
    refused(shop.get("/settlements?cursor=x", "olga"), 422, "invalid")
    refused(shop.get("/sellers", "sam"), 403, "scope_missing")
