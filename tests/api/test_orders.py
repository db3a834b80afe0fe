"""Orders, shipments and returns over the API: each step once, what is not theirs nobody sees."""

from __future__ import annotations

from typing import Any

import pytest

from store import stock
from store.db import transaction
from store.delivery import addresses, rates
from tests.api.conftest import MILK_GTIN, Shop, refused

HOME = {"name": "Lin", "street": "8 River Road", "city": "Shanghai", "postcode": "200001",
        "country": "CN"}  # fmt: skip


@pytest.fixture(autouse=True)
def zone(shop: Shop) -> None:
    with shop.app.app_context(), transaction():
        rates.add_rate(rates.add_zone("City", "CN", "2000", None), 50_000, 600, "CNY", 1, 2)


def asked(quantity: int = 1, **more: Any) -> dict[str, Any]:
    return {"location": "MAIN", "lines": [{"item": MILK_GTIN, "quantity": quantity}]} | more


def milk(shop: Shop, place: str) -> int:
    with shop.app.app_context():
        return stock.on_hand(shop.ids["milk"], shop.ids[place])


def step(shop: Shop, shipment: str, event: str, **more: Any) -> Any:
    return shop.post(f"/shipments/{shipment}/steps", {"event": event} | more, "sam")


def test_a_provider_is_paid_for_an_order(shop: Shop) -> None:
    shop.app.config["SIMULATED_GATEWAY"] = True
    body = asked(2, deliver=HOME, payment={"method": "simulated"})
    refused(shop.post("/orders", body), 422, "payment_method_unknown")
    gold = body | {"payment": {"method": "gold"}}
    refused(shop.post("/order-payments", gold), 422, "payment_method_unknown")
    answer = shop.post("/order-payments", body, key="web-1")
    paid = answer.get_json()
    assert (answer.status_code, paid["state"], paid["amount"]["minor"]) == (201, "captured", 3100)
    again = shop.post("/order-payments", body, key="web-1")
    assert (again.headers["Idempotency-Replayed"], again.get_json()) == ("true", paid)
    dearer = asked(3, deliver=HOME, payment={"method": "simulated"})
    refused(shop.post("/order-payments", dearer, key="web-1"), 409, "already_paid")
    order = shop.get(f"/orders/{paid['order']}").get_json()
    assert order["sale"]["payment"]["method"] == "simulated"
    assert order["address"]["city"] == "Shanghai"
    path = f"/order-payments/{paid['id']}"
    for end in ("checks", "cancellations"):
        assert shop.post(f"{path}/{end}", {}).get_json() == paid
        refused(shop.post(f"{path}/{end}", {}, "mei"), 404, "not_found")
    refused(shop.get(path, "mei"), 404, "not_found")
    assert shop.get(path).get_json() == paid
    shop.post(f"/orders/{paid['order']}/cancellations", {})
    assert shop.get(path).get_json()["sent_back"]["minor"] == 3100


def test_an_order_is_collected_by_its_code(shop: Shop) -> None:
    body = asked(2, collect="MAIN")
    answer = shop.post("/orders", body, key="web-1")
    again = shop.post("/orders", body, key="web-1")
    assert (answer.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    order = answer.get_json()
    assert again.get_json() == order and shop.state() == (7_500, 10, 2)
    refused(shop.post("/orders", asked(3, collect="MAIN"), key="web-1"), 409, "key_reused")
    sale, [parcel] = order["sale"]["id"], order["shipments"]
    assert (order["sale"]["fulfilment"], order["address"]) == ("collect", None)
    # Theirs, and nobody else's; staff see all of it but the code that they ask for.
    refused(shop.get(f"/orders/{sale}", "mei"), 404, "not_found")
    refused(shop.post(f"/orders/{sale}/cancellations", {}, "mei"), 404, "not_found")
    [waits] = shop.get("/shipments?location=MAIN&state=open", "sam").get_json()["shipments"]
    assert waits == parcel | {"code": None} and parcel["code"]
    for event in ("pick", "pack"):
        assert step(shop, parcel["id"], event).status_code == 201
    here = {"location": "MAIN"}
    refused(shop.post("/hand-overs", here | {"code": "00000"}, "sam"), 404, "wrong_code")
    handed = [shop.post("/hand-overs", here | {"code": parcel["code"]}, "sam", key="over-1")
              for _ in range(2)]  # fmt: skip
    assert [each.get_json()["state"] for each in handed] == ["handed_over"] * 2
    assert milk(shop, "MAIN") == 8
    told = shop.get(f"/orders/{sale}").get_json()["shipments"][0]
    assert [each["event"] for each in told["steps"]] == ["order", "pick", "pack", "hand_over"]
    refused(shop.post(f"/orders/{sale}/cancellations", {}), 409, "too_late_to_cancel")


def test_an_order_is_delivered_step_by_step_each_once(shop: Shop) -> None:
    order = shop.post("/orders", asked(deliver=HOME, shipping="6.00")).get_json()
    [parcel], total = order["shipments"], order["sale"]["total"]
    assert (total["minor"], order["address"]["city"]) == (1_850, "Shanghai")
    assert [each["kind"] for each in order["sale"]["lines"]] == ["goods", "shipping"]
    before, place = milk(shop, parcel["location"]), parcel["location"]
    refused(step(shop, parcel["id"], "ship", carrier="SF"), 409, "bad_step")
    for event in ("pick", "pack"):
        step(shop, parcel["id"], event)
    refused(step(shop, parcel["id"], "ship"), 422, "invalid")
    path, sent = (
        f"/shipments/{parcel['id']}/steps",
        {"event": "ship", "carrier": "SF", "tracking": "1"},
    )
    told = [shop.post(path, sent, "sam", key="ship-1") for _ in range(2)]
    assert told[0].get_json() == told[1].get_json() and milk(shop, place) == before - 1
    step(shop, parcel["id"], "fail")
    assert step(shop, parcel["id"], "put_back").get_json()["state"] == "put_back"
    # What was put back is for sale again and its price is back; what delivery cost is not.
    assert (shop.state()[0], milk(shop, place)) == (9_400, before)


def test_a_refusal_leaves_nothing_not_even_an_address(shop: Shop) -> None:
    refused(shop.post("/orders", asked(deliver=HOME), "mei"), 402, "insufficient_funds")
    far = HOME | {"postcode": "999999"}
    refused(shop.post("/orders", asked(deliver=far)), 409, "no_delivery")
    refused(shop.post("/orders", asked(99, collect="MAIN")), 409, "out_of_stock")
    refused(shop.post("/orders", asked(deliver=HOME, shipping="5.99")), 409, "price_rose")
    refused(shop.post("/orders", asked(collect="NOWHERE")), 404, "not_found")
    wrongs: list[dict[str, Any]] = [
        {}, {"collect": "MAIN", "deliver": HOME}, {"deliver": HOME | {"country": "C1"}},
        {"deliver": HOME | {"x": 1}}, {"deliver": {}},
    ]  # fmt: skip
    for wrong in wrongs:
        refused(shop.post("/orders", asked(**wrong)), 422, "invalid")
    with shop.app.app_context():
        for who in ("lin", "mei"):
            assert addresses.address_book(shop.people[who]) == []
    assert shop.state() == (10_000, 10, 1)


def test_an_order_is_cancelled_by_its_member_and_by_staff(shop: Shop) -> None:
    for who in ("lin", "sam"):
        sale = shop.post("/orders", asked(deliver=HOME)).get_json()["sale"]["id"]
        path = f"/orders/{sale}/cancellations"
        told = [shop.post(path, {"reason": "late"}, who, key=f"off-{who}") for _ in range(2)]
        assert told[0].get_json() == told[1].get_json()
        assert told[0].get_json()["sale"]["state"] == "refunded"
        refused(shop.post(path, {}, who), 409, "too_late_to_cancel")
    assert shop.state()[:2] == (10_000, 10)
    taken = shop.sell().get_json()["id"]
    refused(shop.get(f"/orders/{taken}"), 404, "not_found")
    refused(shop.post(f"/orders/{taken}/cancellations", {}), 409, "too_late_to_cancel")


def test_units_are_declared_taken_in_and_paid_back_once(shop: Shop) -> None:
    sale = shop.sell(3).get_json()["id"]
    wish = {"lines": [{"position": 1, "quantity": 2}], "way": "mail", "reason": "sour"}
    refused(shop.post(f"/sales/{sale}/returns", wish, "mei"), 404, "not_found")
    told = [shop.post(f"/sales/{sale}/returns", wish, key="back-1").get_json() for _ in range(2)]
    assert told[0] == told[1] and told[0]["state"] == "declared"
    back = told[0]["id"]
    refused(shop.post(f"/sales/{sale}/returns", wish), 409, "not_so_many_left")
    refused(shop.get(f"/returns/{back}", "mei"), 404, "not_found")
    refused(shop.post(f"/returns/{back}/cancellations", {}, "mei"), 404, "not_found")
    decided = [{"position": 1, "quantity": 1, "decision": "resell"}]
    body = {"location": "EAST", "decisions": decided, "id": back}
    refused(shop.post(f"/sales/{sale}/hand-ins", body), 403, "forbidden")
    taken = [shop.post(f"/sales/{sale}/hand-ins", body, "sam", key="in-1").get_json()
             for _ in range(2)]  # fmt: skip
    assert taken[0] == taken[1] and taken[0]["total"]["amount"] == "12.50"
    assert (milk(shop, "EAST"), shop.state()[0]) == (4, 7_500)
    assert shop.get(f"/returns/{back}", "sam").get_json()["lines"][0]["received"] == 1
    assert shop.post(f"/returns/{back}/cancellations", {}).get_json()["state"] == "received"
    refused(shop.post(f"/sales/{sale}/hand-ins", body, "sam"), 409, "return_over")
    refused(shop.post(f"/sales/{sale}/returns", wish | {"way": "pick_up"}), 422, "invalid")


def test_an_order_is_paid_to_the_courier(shop: Shop) -> None:
    door = {"payment": {"method": "cash_on_delivery"}}
    no = refused(shop.post("/orders", asked(deliver=HOME) | door), 409, "no_cash_on_delivery")
    assert no["why"] == "off"
    shop.app.config["CASH_ON_DELIVERY"] = "100"
    assert refused(shop.post("/orders", asked(collect="MAIN") | door), 409,
                   "no_cash_on_delivery")["why"] == "collected"  # fmt: skip
    odd = {"payment": {"method": "shells"}}
    refused(shop.post("/orders", asked(deliver=HOME) | odd), 422, "payment_method_unknown")
    before = shop.state()
    order = shop.post("/orders", asked(deliver=HOME) | door, key="door-1").get_json()
    assert (order["sale"]["state"], order["due"]["minor"]) == ("due", 1_850)
    assert (
        order["sale"]["payment"]["method"] == door["payment"]["method"]
        and shop.state()[0] == before[0]
    )
    refused(shop.post("/orders", asked(deliver=HOME), key="door-1"), 409, "key_reused")
    [parcel], sale = order["shipments"], order["sale"]["id"]
    assert parcel["to_collect"]["minor"] == 1_850
    here = f"/shipments?location={parcel['location']}"
    assert [each["to_collect"] for each in shop.get(here, "sam").get_json()["shipments"]] == [
        parcel["to_collect"]
    ]
    for event in ("pick", "pack", "ship", "deliver"):
        done = step(shop, parcel["id"], event, carrier="SF", courier="Old Wang")
        assert done.status_code == 201
    order = shop.get(f"/orders/{sale}").get_json()
    assert (order["sale"]["state"], order["due"]["minor"]) == ("paid", 0)
    assert order["shipments"][0]["to_collect"] is None
