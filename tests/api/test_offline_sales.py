"""Sales of a till that had no network: each once, as charged, none dropped for want of stock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from store import catalogue, outbox, stock
from store.db import db, transaction
from store.reports.figures import breakdown
from store.reports.filters import read
from store.sales.models import Sale
from store.stock.work_models import Task
from tests.api.conftest import MILK_GTIN, Shop, refused


def told(name: str, quantity: int = 1, price: str = "12.50", **more: Any) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(minutes=30)
    return {
        "id": name, "at": at.isoformat(), "method": "cash",
        "lines": [{"item": MILK_GTIN, "quantity": quantity, "price": price}],
    } | more  # fmt: skip


def tell(shop: Shop, *sales: dict[str, Any]) -> list[dict[str, Any]]:
    response = shop.post("/offline-sales", {"location": "MAIN", "sales": list(sales)}, "sam")
    assert response.status_code == 201, response.text
    return list(response.get_json()["outcomes"])


def test_a_batch_that_was_cut_is_sent_again(shop: Shop) -> None:
    batch = [
        told("a", 2),
        told("b", 1, "11"),
        told("c", 1, method="card", member="lin@example.com"),
    ]
    tell(shop, *batch[:2])
    found = tell(shop, *batch)
    assert [one["outcome"] for one in found] == ["known", "known", "sold"]
    assert [one["outcome"] for one in tell(shop, *batch)] == ["known"] * 3
    assert shop.state() == (10_000, 6, 1)
    # It was charged 11.00, whatever the price is; and in somebody's name where one was said.
    sale = shop.get(f"/sales/{found[1]['sale']}", "sam").get_json()
    assert (sale["total"]["amount"], sale["member"], sale["channel"]) == ("11.00", None, "till")
    card = shop.get(f"/sales/{found[2]['sale']}").get_json()
    assert (card["payment"]["method"], card["member"]) == ("card", shop.people["lin"])


def test_an_id_is_not_another_sale(shop: Shop) -> None:
    first = told("a", 2)
    tell(shop, first)
    for other in (first | {"method": "card"}, told("a", 3), told("a", 2, "12"),
                  first | {"member": "lin@example.com"}):  # fmt: skip
        [found] = tell(shop, other)
        assert (found["outcome"], found["code"]) == ("refused", "key_reused")
    assert shop.state() == (10_000, 8, 1)


def test_what_the_book_lacks_is_sold_and_flagged(shop: Shop) -> None:
    found = tell(shop, told("a", 8), told("b", 5), told("c", 1))
    assert [one["outcome"] for one in found] == ["sold"] * 3
    milk, bread = shop.codes["milk"], shop.codes["bread"]
    lacking = [[(each["item"], each["lacking"]) for each in one["oversold"]] for one in found]
    assert lacking == [[], [(milk, 3)], [(milk, 1)]]
    assert shop.state() == (10_000, 0, 1)
    with shop.app.app_context():
        kinds = set(db.session.scalars(select(Task.kind).where(Task.closed_at.is_(None))))
    assert "oversold" in kinds
    # What was never here is sold, too.
    body = {"location": "EAST", "sales": [told("d") | {"lines": [
        {"item": "BREAD-1", "quantity": 2, "price": "8"}]}]}  # fmt: skip
    [one] = shop.post("/offline-sales", body, "sam").get_json()["outcomes"]
    assert (one["outcome"], one["oversold"]) == (
        "sold",
        [{"item": bread, "lacking": 2}],
    )


def test_a_clock_of_tomorrow_and_of_long_ago(shop: Shop) -> None:
    now = datetime.now(UTC)
    wrong = [now + timedelta(days=1), now - timedelta(days=91), datetime(1970, 1, 1, tzinfo=UTC)]
    found = tell(shop, told("good"), *(told(f"w{at}"[:60], at=at.isoformat()) for at in wrong))
    assert [one["code"] for one in found] == [None] + ["clock_wrong"] * 3
    assert shop.state() == (10_000, 9, 1)


def test_one_that_cannot_be_does_not_keep_the_others(shop: Shop) -> None:
    unknown = told("b") | {"lines": [{"item": "NOTHING", "quantity": 1, "price": "1"}]}
    found = tell(shop, unknown, told("c", member="nobody@example.com"), told("d"))
    assert [one["code"] for one in found] == ["item_not_for_sale", "member_not_found", None]
    assert shop.state() == (10_000, 9, 1)


def test_it_counts_in_the_hour_in_which_it_was_sold(shop: Shop) -> None:
    at = datetime.now(UTC) - timedelta(days=3)
    tell(shop, told("a", 2, at=at.isoformat()))
    with shop.app.app_context():
        assert db.session.scalars(select(Sale.created_at)).one() == at
        for _ in range(2):  # While the event waits, and in the sums.
            assert not breakdown(read({"period": "today"}), "channels", None).lines
            days = {"from": str(at.date() - timedelta(1)), "to": str(at.date() + timedelta(1))}
            [line] = breakdown(read(days), "channels", None).lines or []
            assert (line.code, line.figures.total_minor) == ("till", 2500)
            outbox.work()


def test_only_tills_and_only_what_makes_sense(shop: Shop) -> None:
    body = {"location": "MAIN", "sales": [told("a")]}
    refused(shop.post("/offline-sales", body, "lin"), 403, "scope_missing")
    wrongs: list[dict[str, Any]] = [
        {"method": "account"}, {"lines": []}, {"id": ""}, {"at": "yesterday"}, {"x": 1},
    ]  # fmt: skip
    for wrong in wrongs:
        refused(shop.post("/offline-sales", {"location": "MAIN", "sales": [told("a") | wrong]},
                          "sam"), 422, "invalid")  # fmt: skip
    for quantity in (0, -1, 2**63, 1.5):
        line = {"item": MILK_GTIN, "quantity": quantity, "price": "1"}
        answer = shop.post(
            "/offline-sales", {"location": "MAIN", "sales": [told("a", lines=[line])]}, "sam"
        )
        assert answer.status_code in (400, 422), answer.text
    refused(shop.post("/offline-sales", body | {"location": "NOWHERE"}, "sam"), 404, "not_found")
    assert shop.state() == (10_000, 10, 1)


def test_the_pack_s_batch_and_empties_are_told_with_it(shop: Shop) -> None:
    with shop.app.app_context(), transaction():
        kind = catalogue.add_deposit({"en": "Bottle"}, 100, "CNY").code
        catalogue.edit_item(shop.ids["milk"], tracks_batches=True)
        batch = stock.open_batch(shop.ids["milk"], "L7")
        stock.receive(shop.ids["milk"], shop.ids["MAIN"], 2, batch_id=batch)
    sale = told("1", empties=[{"deposit": kind, "quantity": 2}])
    sale["lines"][0]["batch"] = "L7"
    unknown = told("2", empties=[{"deposit": "BOTTLE", "quantity": 2}])
    assert [each["outcome"] for each in tell(shop, sale, sale, unknown)] == [
        "sold", "known", "refused",
    ]  # fmt: skip
    [main, _] = shop.get(f"/stock/{MILK_GTIN}").get_json()["levels"]
    assert [each["on_hand"] for each in main["batches"]] == [1]
