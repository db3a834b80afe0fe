"""Sales over the API: bought once, in the right name, at the right price, or not at all."""

from __future__ import annotations

from store import catalogue
from store.db import transaction
from store.identity import members
from tests.api.conftest import MILK_GTIN, Shop, refused


def test_a_sale_says_everything_that_a_till_prints(shop: Shop) -> None:
    response = shop.post("/sales", shop.sale(2) | {"lines": [
        {"item": MILK_GTIN, "quantity": 2}, {"item": "BREAD-1", "quantity": 1},
    ]})  # fmt: skip
    assert response.status_code == 201, response.text
    sale = response.get_json()
    assert sale["state"] == "paid" and sale["channel"] == "web"
    assert sale["member"] == shop.people["lin"]
    assert sale["total"] == {"amount": "33.00", "minor": 3300, "currency": "CNY"}
    assert sale["number"].replace("-", "") == sale["id"]
    assert sale["receipt"] == f"http://localhost/sales/{sale['id']}"
    assert [(line["item"], line["quantity"], line["total"]["amount"]) for line in sale["lines"]] \
        == [(shop.codes["milk"], 2, "25.00"), (shop.codes["bread"], 1, "8.00")]  # fmt: skip
    assert sale["tax"]["minor"] == sum(line["tax"]["minor"] for line in sale["lines"])
    assert shop.state() == (6700, 8, 2)
    assert shop.get(f"/sales/{sale['id']}").get_json() == sale


def test_whatever_was_scanned_is_sold(shop: Shop) -> None:
    milk = shop.codes["milk"]
    for said in ("4006381333931", MILK_GTIN, "https://elsewhere.example/01/04006381333931?l=x",
                 "(01)04006381333931(10)LOT7", milk, milk.lower()):  # fmt: skip
        assert shop.sell(1, item=said).get_json()["lines"][0]["item"] == milk


def test_the_same_key_is_the_same_sale(shop: Shop) -> None:
    first = shop.sell(2, key="till-1/0007")
    again = shop.sell(2, key="till-1/0007")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert shop.state() == (7500, 8, 2)


def test_a_key_is_not_taken_for_other_contents(shop: Shop) -> None:
    shop.sell(1, key="K")
    refused(shop.sell(2, key="K"), 409, "key_reused")
    refused(shop.sell(1, item="BREAD-1", key="K"), 409, "key_reused")
    assert shop.state() == (8750, 9, 2)


def test_another_member_may_use_the_same_key(shop: Shop) -> None:
    shop.sell(1, key="K")
    refused(shop.sell(1, "mei", key="K"), 402, "insufficient_funds")


def test_nothing_is_bought_without_a_good_key(shop: Shop) -> None:
    for key, code in (
        ("", "missing"), (" ", "missing"), ("x" * 65, "invalid"), ("two words", "invalid"),
        ("schlüssel", "invalid"),
    ):  # fmt: skip
        headers = {"Idempotency-Key": key} if key else {}
        response = shop.post("/sales", shop.sale(), key="", headers=headers)
        refused(response, 400, f"idempotency_key_{code}")
    assert shop.state() == (10_000, 10, 1)


def test_what_is_not_there_is_not_sold(shop: Shop) -> None:
    problem = refused(shop.sell(11), 409, "out_of_stock")
    assert (problem["item"], problem["left"], problem["asked"]) == (shop.codes["milk"], 10, 11)
    # Two lines of one item count together.
    lines = [{"item": MILK_GTIN, "quantity": 6}, {"item": shop.codes["milk"], "quantity": 5}]
    refused(shop.post("/sales", shop.sale() | {"lines": lines}), 409, "out_of_stock")
    assert shop.state() == (10_000, 10, 1)


def test_the_account_must_hold_enough(shop: Shop) -> None:
    problem = refused(shop.sell(9), 402, "insufficient_funds")
    assert (problem["balance_minor"], problem["needed_minor"]) == (10_000, 11_250)
    assert shop.state() == (10_000, 10, 1)


def test_what_we_do_not_sell_is_said_to_be_so(shop: Shop) -> None:
    for item in ("nonsense", "0000", "4006381333932", "LAMP/7", "燕麦奶", "' OR 1=1 --",
                 "https://x.example/01/04006381333932", "(01)04006381333939"):  # fmt: skip
        refused(shop.sell(1, item=item), 404, "item_not_for_sale")


def test_an_archived_item_is_not_sold(shop: Shop) -> None:
    with shop.app.app_context(), transaction():
        catalogue.archive_item(shop.ids["milk"])
    refused(shop.sell(), 404, "item_not_for_sale")


def test_a_rise_asks_and_a_drop_is_passed_on(shop: Shop) -> None:
    def at(price: str) -> list[dict[str, object]]:
        return [{"item": MILK_GTIN, "quantity": 1, "price": price}]

    problem = refused(shop.post("/sales", shop.sale(lines=at("12.49"))), 409, "price_rose")
    assert problem["rises"] == [
        {"item": shop.codes["milk"], "seen_minor": 1249, "price_minor": 1250}
    ]
    assert shop.post("/sales", shop.sale(lines=at("99"))).get_json()["total"]["minor"] == 1250
    for wrong in ("12.505", "1,250", "-1", "1e3", "NaN", "", " 12", "１２"):
        refused(shop.post("/sales", shop.sale(lines=at(wrong))), 422, "invalid")


def test_an_unknown_location_is_not_there(shop: Shop) -> None:
    assert refused(shop.sell(location="NOWHERE"), 404, "not_found")["what"] == "location"
    refused(shop.sell(location="EAST", quantity=4), 409, "out_of_stock")


def test_only_known_ways_of_paying(shop: Shop) -> None:
    problem = refused(shop.sell(payment={"method": "shells"}), 422, "payment_method_unknown")
    assert problem["methods"] == ["account", "cash", "card"]


# A till, selling for a member


def test_a_till_sells_for_a_member(shop: Shop) -> None:
    till = shop.token("sam", "till")
    for named in ("lin@example.com", "LIN@Example.com", str(shop.people["lin"])):
        sale = shop.sell(1, till, member=named).get_json()
        assert (sale["member"], sale["channel"]) == (shop.people["lin"], "till")
    assert shop.state() == (6250, 7, 4)
    # It stands in the member's name, and the till may not look into it.
    assert shop.get(f"/sales/{sale['id']}").get_json() == sale
    refused(shop.get(f"/sales/{sale['id']}", till), 403, "scope_missing")


def test_only_a_till_sells_for_others(shop: Shop) -> None:
    refused(shop.sell(1, "mei", member="lin@example.com"), 403, "scope_missing")
    refused(
        shop.sell(1, shop.token("sam", "sales:write"), member="lin@example.com"),
        403, "scope_missing",
    )  # fmt: skip
    # And a till does not buy for its own member by leaving the name out.
    refused(shop.sell(1, shop.token("sam", "till")), 403, "scope_missing")
    assert shop.state() == (10_000, 10, 1)


def test_a_till_is_told_when_nobody_is_known_by_that(shop: Shop) -> None:
    for named in ("nobody@example.com", "999999999", "0", "１", "+8613800138000", "x"):
        refused(shop.sell(1, "sam", member=named), 404, "member_not_found")


def test_a_closed_account_is_nobody(shop: Shop) -> None:
    with shop.app.app_context():
        members.disable(shop.people["lin"])
    refused(shop.sell(1, "sam", member="lin@example.com"), 404, "member_not_found")
    refused(shop.sell(1), 401, "token_invalid")


def test_a_tills_key_is_not_the_shoppers(shop: Shop) -> None:
    """A shopper who bought two at home under the number that the till comes to later does not walk
    out with two more."""
    shop.sell(2, key="17")
    sold = shop.sell(2, "sam", member="lin@example.com", key="17")
    assert "Idempotency-Replayed" not in sold.headers
    again = shop.sell(2, "sam", member="lin@example.com", key="17")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.get_json() == sold.get_json()
    assert shop.state() == (5000, 6, 3)


def test_a_till_takes_cash_and_cards_of_whoever_buys(shop: Shop) -> None:
    till = shop.token("sam", "till")
    for method in ("cash", "card"):
        key = f"till-3/{method}"
        sold = shop.sell(2, till, payment={"method": method}, key=key)
        assert sold.status_code == 201, sold.text
        sale = sold.get_json()
        assert (sale["member"], sale["payment"]["method"], sale["channel"]) == (
            None,
            method,
            "till",
        )
        assert sale["payment"]["from_account"]["minor"] == 0
        again = shop.sell(2, till, payment={"method": method}, key=key)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.get_json() == sale
        assert shop.get(f"/sales/{sale['id']}", "sam").get_json() == sale
        refused(shop.get(f"/sales/{sale['id']}", "mei"), 404, "not_found")
        named = shop.sell(1, till, payment={"method": method}, member="lin@example.com")
        assert named.get_json()["member"] == shop.people["lin"]
    refused(shop.sell(2, till, payment={"method": "card"}, key="till-3/cash"), 409, "key_reused")
    assert shop.state() == (10_000, 4, 1)
    assert len(shop.get("/sales?all=true", "olga").get_json()["sales"]) == 4
    refund = shop.post(f"/sales/{sale['id']}/refunds", {}, "sam")
    assert refund.get_json()["total"] == sale["total"]
    assert shop.state() == (10_000, 6, 1)


def test_only_a_till_takes_cash(shop: Shop) -> None:
    for who in ("lin", shop.token("sam", "sales:write")):
        refused(shop.sell(1, who, payment={"method": "cash"}), 403, "scope_missing")
    assert shop.state() == (10_000, 10, 1)


# Lists and refunds


def test_sales_are_listed_by_pages_newest_first(shop: Shop) -> None:
    made = [shop.sell().get_json()["id"] for _ in range(5)]
    seen: list[str] = []
    path: str | None = "/sales?limit=2"
    while path:
        page = shop.get(path).get_json()
        assert len(page["sales"]) <= 2
        seen += [sale["id"] for sale in page["sales"]]
        path = page["next"] and page["next"].removeprefix("http://localhost/api/v1")
    assert seen == made[::-1]


def test_other_peoples_sales_look_like_absent(shop: Shop) -> None:
    sale = shop.sell().get_json()
    absent = refused(shop.get("/sales/00000000000000000000", "mei"), 404, "not_found")
    assert refused(shop.get(f"/sales/{sale['id']}", "mei"), 404, "not_found") == absent
    assert shop.get("/sales", "mei").get_json()["sales"] == []
    refused(shop.post(f"/sales/{sale['id']}/refunds", {}, "lin"), 403, "forbidden")
    for who in ("sam", "olga"):
        assert shop.get(f"/sales/{sale['id']}", who).get_json() == sale


def test_the_owner_lists_everybodys(shop: Shop) -> None:
    sale = shop.sell().get_json()
    assert shop.get("/sales", "olga").get_json()["sales"] == []
    assert shop.get("/sales?all=true", "olga").get_json()["sales"] == [sale]
    for who in ("lin", "sam"):
        refused(shop.get("/sales?all=true", who), 403, "scope_missing")


def test_a_refund_gives_back_money_and_goods_once(shop: Shop) -> None:
    sale = shop.sell(2).get_json()
    path = f"/sales/{sale['id']}/refunds"
    first = shop.post(path, {"reason": "sour"}, "sam", key="R1")
    assert first.status_code == 201, first.text
    assert (first.get_json()["total"], first.get_json()["sale"]) == (sale["total"], sale["id"])
    again = shop.post(path, {"reason": "sour"}, "sam", key="R1")
    assert again.get_json() == first.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert shop.state() == (10_000, 10, 3)
    refused(shop.post(path, {"reason": "other"}, "sam", key="R1"), 409, "key_reused")
    refused(shop.post(path, {}, "sam", key="R2"), 409, "not_refundable")
    # A refusal keeps no key: it may be used for something that can be done.
    other = shop.sell(1).get_json()["id"]
    assert shop.post(f"/sales/{other}/refunds", {}, "sam", key="R2").status_code == 201
    refunded = shop.get(f"/sales/{sale['id']}").get_json()
    assert refunded["state"] == "refunded"
    assert refunded["refunded_at"] == first.get_json()["created_at"]


def test_what_was_never_sold_is_not_given_back(shop: Shop) -> None:
    real = shop.sell().get_json()["id"]
    for sale_id in ("0" * 20, "0" * 21, "x", "ü", "%0A", "9" * 400):
        for path in (f"/sales/{sale_id}/refunds", f"/sales/{real}{sale_id}/refunds"):
            refused(shop.post(path, {}, "sam"), 404, "not_found")
    assert shop.state() == (8750, 9, 2)


def test_some_units_are_given_back(shop: Shop) -> None:
    sale = shop.sell(3).get_json()
    path = f"/sales/{sale['id']}/refunds"
    one = [{"position": 1, "quantity": 1}]
    made = shop.post(path, {"lines": one}, "sam", key="P1").get_json()
    assert (made["lines"], made["total"]["minor"]) == (one, 1250)
    after = shop.get(f"/sales/{sale['id']}").get_json()
    assert (after["state"], after["lines"][0]["refunded"]) == ("part_refunded", 1)
    assert (after["refunded"], after["refunded_at"]) == (made["total"], made["created_at"])
    three = {"lines": [{"position": 1, "quantity": 3}]}
    refused(shop.post(path, three, "sam", key="P2"), 409, "not_so_many_left")
    for bad in (
        [],
        [{"position": 1}],
        [{"position": 1, "quantity": 0}],
        [{"position": 2, "quantity": 1}],
    ):
        refused(shop.post(path, {"lines": bad}, "sam", key="P3"), 422, "invalid")
    assert shop.post(path, {}, "sam", key="P4").get_json()["total"]["minor"] == 2500
    assert shop.state() == (10_000, 10, 4)
