"""Webhooks over the API: owners only, the secret once, addresses that are refused."""

from __future__ import annotations

from tests.api.conftest import Shop, refused

HOOK = {"url": "https://93.184.215.14/hooks", "topics": ["sale.paid"]}


def test_an_owner_subscribes_and_ends(shop: Shop) -> None:
    made = shop.post("/webhooks", HOOK, "olga", key="k")
    assert made.status_code == 201 and made.get_json()["secret"].startswith("whsec_")
    assert shop.post("/webhooks", HOOK, "olga", key="k").get_json() == made.get_json()
    (listed,) = shop.get("/webhooks", "olga").get_json()["webhooks"]
    assert (listed["url"], listed["state"], listed["waiting"]) == (HOOK["url"], "on", 0)
    assert "secret" not in listed
    here = f"/webhooks/{listed['id']}/ends"
    assert shop.post(here, {}, "olga").status_code == 201
    refused(shop.post(here, {}, "olga"), 404, "not_found")
    assert shop.get("/webhooks", "olga").get_json() == {"webhooks": []}


def test_what_is_refused(shop: Shop) -> None:
    for url in ("http://127.0.0.1/", "https://192.168.1.1/", "ftp://x.example/", "nonsense"):
        refused(shop.post("/webhooks", HOOK | {"url": url}, "olga"), 422, "address_refused")
    for topics in ([], ["x"], "sale.paid", ["sale.paid"] * 9):
        refused(shop.post("/webhooks", HOOK | {"topics": topics}, "olga"), 422, "invalid")
    refused(shop.post("/webhooks", HOOK, "sam"), 403, "scope_missing")
    for _ in range(20):
        assert shop.post("/webhooks", HOOK, "olga").status_code == 201
    refused(shop.post("/webhooks", HOOK, "olga"), 422, "invalid")
