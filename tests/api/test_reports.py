"""Takings over the API are the figures of the owner's page."""

from __future__ import annotations

from store import outbox
from tests.api.conftest import MILK_GTIN, Shop, refused


def test_takings_are_what_was_sold_less_what_went_back(shop: Shop) -> None:
    shop.sell(2)
    shop.sell(1, item="BREAD-1")
    back = shop.sell(1).get_json()["id"]
    shop.post(f"/sales/{back}/refunds", {}, "sam")
    report = shop.get("/reports/takings?period=today", "olga").get_json()
    figures = report["figures"]
    assert (figures["sales"], figures["refunds"]) == (3, 1)
    assert figures["total"] == {"amount": "33.00", "minor": 3300, "currency": "CNY"}
    assert figures["refunded"]["minor"] == 1250
    assert sum(part["figures"]["total"]["minor"] for part in report["series"]) == 3300
    items = {part["code"]: part["figures"]["total"]["minor"] for part in report["tables"]["items"]}
    assert items == {shop.codes["milk"]: 2500, shop.codes["bread"]: 800}


def test_a_filter_that_is_not_understood_is_refused(shop: Shop) -> None:
    for query in ("period=ever", "from=2027-02-30", "location=WEST", "by=minute", "x=1"):
        refused(shop.get(f"/reports/takings?{query}", "olga"), 422, "invalid")
    refused(shop.get("/reports/takings", "sam"), 403, "scope_missing")


def test_margins_are_told_to_who_may_see_costs(shop: Shop) -> None:
    said = shop.post(f"/costs/{MILK_GTIN}", {"cost": "5"}, "olga")
    assert said.status_code == 201
    shop.sell(2)
    shop.sell(1, item="BREAD-1")
    with shop.app.app_context():
        outbox.work()
    figures = shop.get("/reports/takings?period=today", "olga").get_json()["figures"]
    assert (figures["cost"]["minor"], figures["margin"]["minor"]) == (
        1000, figures["of_known_cost"]["minor"] - 1000,
    )  # fmt: skip
    assert 0 < figures["of_known_cost"]["minor"] < figures["goods"]["minor"]
    blind = shop.token("olga", "reports:read")
    unseen = shop.get("/reports/takings?period=today", blind).get_json()
    assert unseen["figures"] == {
        name: told for name, told in figures.items()
        if name not in ("goods", "of_known_cost", "cost", "margin")
    }  # fmt: skip
    assert "margin" not in str(unseen)
