"""The member of the token: who, what they hold, and every posting."""

from __future__ import annotations

from tests.api.conftest import Shop, refused


def test_me_tells_who_the_token_speaks_for(shop: Shop) -> None:
    me = shop.get("/me", shop.token("lin", "account:read")).get_json()
    assert me == {
        "id": shop.people["lin"], "name": "Lin", "role": "shopper", "language": None,
        "scopes": ["account:read"],
        "balance": {"amount": "100.00", "minor": 10_000, "currency": "CNY"},
    }  # fmt: skip
    assert shop.get("/me", "mei").get_json()["balance"]["minor"] == 0


def test_the_statement_adds_up_over_its_pages(shop: Shop) -> None:
    for _ in range(4):
        shop.sell()
    sale = shop.sell().get_json()["id"]
    shop.post(f"/sales/{sale}/refunds", {}, "sam")
    rows = []
    path: str | None = "/me/transfers?limit=3"
    while path:
        page = shop.get(path).get_json()
        rows += page["transfers"]
        path = page["next"] and page["next"].removeprefix("http://localhost/api/v1")
    assert [row["change"]["minor"] for row in rows] == [1250, *[-1250] * 5, 10_000]
    assert rows[0]["sale"] == sale and rows[0]["balance"]["amount"] == "50.00"
    for newer, older in zip(rows, rows[1:]):
        assert newer["balance"]["minor"] == older["balance"]["minor"] + newer["change"]["minor"]
    # Where a page goes on is signed, with what was held there; the number alone is understood, too.
    mark = shop.get("/me/transfers?limit=3").get_json()["next"].rpartition("=")[2]
    assert shop.get(f"/me/transfers?limit=9&cursor={mark}").get_json()["transfers"] == rows[3:]
    number = mark.partition(".")[0]
    assert shop.get(f"/me/transfers?limit=9&cursor={number}").get_json()["transfers"] == rows[3:]
    number, held, signed = mark.split(".")
    refused(shop.get(f"/me/transfers?cursor={number}.{held}0.{signed}"), 422, "invalid")
    refused(shop.get(f"/me/transfers?cursor={mark}", "mei"), 422, "invalid")
    assert shop.get("/me/transfers", "mei").get_json() == {"transfers": [], "next": None}


def test_a_page_that_nobody_offered_is_refused(shop: Shop) -> None:
    for query in ("cursor=0", "cursor=ABC", "limit=no", "cursor=1&cursor=2", "x=1"):
        refused(shop.get(f"/me/transfers?{query}"), 422, "invalid")
