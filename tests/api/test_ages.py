"""Goods with a least age through the API: a till answers for having looked, a member need not."""

from __future__ import annotations

from store import catalogue
from store.db import transaction
from tests.api.conftest import Shop, refused


def test_a_till_says_that_it_has_looked(shop: Shop) -> None:
    with shop.app.app_context(), transaction():
        catalogue.edit_item(shop.ids["milk"], least_age=18)
    assert shop.get(f"/items/{shop.codes['milk']}").get_json()["least_age"] == 18
    before = shop.state()
    cash = {"payment": {"method": "cash"}}
    said = refused(shop.sell(who="sam", **cash), 409, "age_not_checked")
    assert said["least_age"] == 18 and len(said["born_by"]) == 10
    refused(shop.sell(who="sam", age_checked=False, member="lin@example.com"), 409,
            "age_not_checked")  # fmt: skip
    refused(shop.sell(who="sam", age_checked="yes", **cash), 422, "invalid")
    assert shop.state() == before
    sold = shop.sell(who="sam", key="K-1", age_checked=True, **cash)
    assert sold.status_code == 201 and sold.get_json()["lines"][0]["least_age"] == 18
    assert shop.sell(who="sam", key="K-1", age_checked=True, **cash).status_code == 201
    # In one's own name: a person looks when the goods are handed over.
    assert shop.sell().status_code == 201
    assert shop.sell(who="sam", item="BREAD-1", **cash).status_code == 201


def test_a_feed_says_ages(shop: Shop) -> None:
    entries = [
        {"id": "a-1", "item": "BREAD-1", "least_age": 18, "at": "2020-03-15T08:00:00Z"},
        {"id": "a-2", "item": "BREAD-1", "least_age": "adult", "at": "2020-03-15T08:01:00Z"},
    ]
    told = shop.post("/feeds/items", {"source": "erp", "entries": entries}, "olga").get_json()
    assert [each["state"] for each in told["entries"]] == ["applied", "refused"]
    assert shop.get("/items/BREAD-1").get_json()["least_age"] == 18
