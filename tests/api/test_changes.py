"""The change feed over the API: for owners, page by page."""

from __future__ import annotations

from store import integration, outbox
from tests.api.conftest import Shop, refused


def test_it_is_read_page_by_page(shop: Shop) -> None:
    shop.sell(2)
    with shop.app.app_context():
        outbox.work()
        integration.follow()
    levels: dict[tuple[str, str], int] = {}
    after, more = "0", True
    while more:
        path = f"/changes?after={after}&limit=2&topics=stock.moved,sale.paid"
        page = shop.get(path, "olga").get_json()
        after, more = page["last"], page["more"]
        for change in page["changes"]:
            if change["topic"] == "stock.moved":
                key = (change["data"]["item"], change["data"]["location"])
                levels[key] = levels.get(key, 0) + change["data"]["change"]
    assert levels == {(shop.codes["milk"], "MAIN"): 8, (shop.codes["milk"], "EAST"): 3,
                      (shop.codes["bread"], "MAIN"): 2}  # fmt: skip
    assert (
        shop.get(f"/changes?after={after}&topics=stock.moved", "olga").get_json()["changes"] == []
    )


def test_questions_that_are_none(shop: Shop) -> None:
    for query in ("after=-1", "after=x", "after=" + "9" * 16, "limit=0", "limit=1001", "topics=x",
                  "topics=" + "x" * 201, "before=1", "after=%00"):  # fmt: skip
        refused(shop.get(f"/changes?{query}", "olga"), 422, "invalid")
    refused(shop.get("/changes", "sam"), 403, "scope_missing")
    assert shop.get("/changes?after=999999999999999", "olga").get_json()["more"] is False
