"""Zones, rates and weights; what the owner decides, on their page; addresses that are one's own."""

from __future__ import annotations

import pytest
from flask import Flask

from store import delivery, stock
from store.db import transaction
from store.delivery import places, rates
from store.delivery.addresses import MOST, TooManyAddresses, add_address, remove_address
from store.delivery.models import Address
from store.errors import Invalid, NotFound
from tests.world import World


def zone(name: str, country: str, prefix: str, *steps: tuple[int, int, int]) -> int:
    """A zone with (grams, minor units, days) steps; answers its id."""
    with transaction():
        added = rates.add_zone(name, country, prefix, None)
        for up_to, price, days in steps:
            rates.add_rate(added, up_to, price, "CNY", days, days + 1)
    return added


@pytest.mark.usefixtures("context")
def test_the_longest_prefix_and_the_first_weight_that_is_enough_count(app: Flask) -> None:
    zone("China", "CN", "", (1000, 800, 2), (20_000, 2000, 3))
    zone("Shanghai", "CN", "20", (1000, 600, 0), (5000, 900, 1))
    table = rates.zones("CNY")
    for postcode, weight, price in (
        ("200 001", 1000, 600), ("200001", 1001, 900), ("100000", 999, 800), ("", 20_000, 2000),
    ):  # fmt: skip
        assert delivery.quote("CN", postcode, weight, table).price_minor == price
    for country, postcode, weight in (("DE", "20095", 1), ("CN", "200001", 5001)):
        with pytest.raises(delivery.NoDelivery):
            delivery.quote(country, postcode, weight, table)
    least = delivery.cheapest(1000, table)
    assert least is not None
    assert (least.zone, least.price_minor, least.days_least, least.days_most) == (
        "Shanghai", 600, 0, 1,
    )  # fmt: skip
    assert delivery.cheapest(10**8, table) is None


@pytest.mark.usefixtures("context")
def test_the_same_weight_again_is_a_new_price(app: Flask) -> None:
    shanghai = zone("Shanghai", "CN", "20", (1000, 600, 0), (1000, 700, 0))
    (only,) = rates.zones("CNY")
    assert [step.price_minor for step in only.steps] == [700]
    with transaction():
        rates.remove_rate(only.steps[0].id)
    assert rates.zones("CNY")[0].steps == ()
    zone("China", "CN", "", (1000, 600, 0))
    with transaction():
        rates.remove_zone(shanghai)
    assert [one.name for one in rates.zones("CNY")] == ["China"]


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize(
    ("country", "prefix"), [("C", ""), ("CHN", ""), ("12", ""), ("C\u00d1", ""), ("CN", "20")]
)
def test_zones_that_cannot_be(app: Flask, country: str, prefix: str) -> None:
    zone("Shanghai", "CN", "20")
    with pytest.raises(Invalid), transaction():
        rates.add_zone("Another", country, prefix, None)
    assert len(rates.zones("CNY")) == 1


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize(
    ("up_to_g", "price", "least", "most"),
    [
        (0, 1, 0, 1),
        (10**9, 1, 0, 1),
        (1, -1, 0, 1),
        (1, 10**16, 0, 1),
        (1, 1, 2, 1),
        (1, 1, 0, 999),
    ],
)
def test_rates_that_cannot_be(app: Flask, up_to_g: int, price: int, least: int, most: int) -> None:
    here = zone("China", "CN", "")
    with pytest.raises(Invalid), transaction():
        rates.add_rate(here, up_to_g, price, "CNY", least, most)
    with pytest.raises(NotFound), transaction():
        rates.add_rate(here + 1, 1000, 100, "CNY", 0, 1)
    assert rates.zones("CNY")[0].steps == ()


@pytest.mark.parametrize(
    ("content", "unit", "grams"),
    [(330, "ml", 330), (1500, "g", 1500), (2500, "mg", 2), (1, "mg", 1), (6, "pc", 500),
     (None, None, 500)],
)  # fmt: skip
def test_what_a_piece_weighs(content: int | None, unit: str | None, grams: int) -> None:
    assert rates.grams(content, unit, 500) == grams


@pytest.mark.usefixtures("context")
def test_a_basket_weighs_what_its_goods_do(world: World) -> None:
    litre, pieces = world.item("oat-milk", size_text="1 l"), world.item("umbrella", size_text="")
    assert delivery.weight_g({litre.id: 2, pieces.id: 3}, 150) == 2450


@pytest.mark.usefixtures("context")
def test_a_place_that_nobody_described_ships_and_a_shop_hands_over(world: World) -> None:
    world.place("DEPOT", kind="warehouse")
    shop, depot = delivery.spots()
    assert (shop.ships, shop.hands_over, shop.point, shop.buffer) == (True, True, None, 0)
    assert (depot.ships, depot.hands_over) == (True, False)
    with transaction():
        places.set_place(
            depot.location_id, point=delivery.Point(31.2, 121.5), hours="9 to 18", buffer=2,
            ships=False, hands_over=True, parcel_minor=350, days=1,
        )  # fmt: skip
    described = delivery.spots()[1]
    assert described.point == (31.2, 121.5)
    assert (described.hours, described.buffer, described.ships) == ("9 to 18", 2, False)
    assert (described.hands_over, described.parcel_minor, described.days) == (True, 350, 1)
    for wrong in (delivery.Point(91, 0), delivery.Point(0, -181), delivery.Point(float("nan"), 0)):
        with pytest.raises(Invalid), transaction():
            places.set_place(
                shop.location_id, point=wrong, hours="", buffer=0, ships=True, hands_over=True,
                parcel_minor=0, days=0,
            )  # fmt: skip


@pytest.mark.usefixtures("context")
def test_what_the_owner_weighs_is_kept(app: Flask) -> None:
    assert delivery.weighing() == delivery.Weighing()
    with transaction():
        places.set_weighing(delivery.Weighing(50, 1, 2, 3))
    with transaction():
        places.set_weighing(delivery.Weighing(60, 1, 2, 4))
    assert delivery.weighing() == delivery.Weighing(60, 1, 2, 4)
    with pytest.raises(Invalid), transaction():
        places.set_weighing(delivery.Weighing(-1, 0, 0, 0))


# The owner's page


def test_the_owner_edits_the_table_on_a_page(world: World, app: Flask) -> None:
    chen = world.client_for(world.owner())
    assert "Without a zone" in chen.get("/owner/delivery").text
    answer = chen.post("/owner/delivery/zones", name="Shanghai", country="cn", prefix="20",
                       latitude="31.23", longitude="121.47")  # fmt: skip
    assert answer.status_code == 303
    with app.app_context():
        (added,) = rates.zones("CNY")
    path = f"/owner/delivery/zones/{added.id}/rates"
    chen.post(path, up_to_g="1500", price="6.50", days_least="1", days_most="2")
    page = chen.get("/owner/delivery").text
    assert "1.5 kg" in page and "¥6.50" in page and "1 to 2 days" in page
    chen.post("/owner/delivery/places/MAIN", latitude="31.2", longitude="121.5", hours="8 to 22",
              buffer="1", ships="1", parcel="3.20", days="1", when_empty="sell")  # fmt: skip
    assert '<option value="sell" selected>' in chen.get("/owner/delivery").text
    chen.post("/owner/delivery/weights", cost_percent="80", per_parcel="1.50", per_day="0",
              per_km="0.10")  # fmt: skip
    with app.app_context():
        (main,) = delivery.spots()
        assert (main.parcel_minor, main.hands_over, main.hours) == (320, False, "8 to 22")
        assert delivery.weighing() == delivery.Weighing(80, 150, 0, 10)
        assert stock.location("MAIN").name == "Harbour Road Shop"
        assert stock.sells_in_hand(stock.location("MAIN").id)
        (zone_,) = rates.zones("CNY")
    chen.post(f"/owner/delivery/rates/{zone_.steps[0].id}/remove")
    chen.post(f"/owner/delivery/zones/{zone_.id}/remove")
    assert "Shanghai" not in chen.get("/owner/delivery").text


def test_what_cannot_be_read_changes_nothing(world: World, app: Flask) -> None:
    chen = world.client_for(world.owner())
    for form in (
        {"name": "", "country": "CN"}, {"name": "A", "country": "C1"},
        {"name": "A", "country": "CN", "latitude": "31"},
        {"name": "A", "country": "CN", "latitude": "nan", "longitude": "1"},
        {"name": "A", "country": "CN", "latitude": "91", "longitude": "1"},
        {"name": "A", "country": "CN", "prefix": "1" * 13},
    ):  # fmt: skip
        assert chen.post("/owner/delivery/zones", form).status_code == 422
    assert chen.post("/owner/delivery/places/NONE", {}).status_code == 404
    assert chen.post("/owner/delivery/places/MAIN", parcel="-1").status_code == 422
    assert chen.post("/owner/delivery/places/MAIN", when_empty="maybe").status_code == 422
    with app.app_context():
        assert rates.zones("CNY") == []


# Addresses

HOME = delivery.Where("Lin Wei", "", "8 River Road", "Shanghai", "200001", "CN")


@pytest.mark.usefixtures("context")
def test_an_address_book_is_ones_own(world: World) -> None:
    lin, mei = world.member("Lin"), world.member("Mei")
    with transaction() as session:
        first = add_address(lin.id, HOME)
        assert add_address(lin.id, HOME) == first  # The same again is the one that is there.
        session.flush()
    assert delivery.address(lin.id, first) == HOME
    assert delivery.address_book(mei.id) == []
    for somebody, number in ((mei.id, first), (lin.id, first + 1)):
        with pytest.raises(NotFound):
            delivery.address(somebody, number)
        with pytest.raises(NotFound), transaction():
            remove_address(somebody, number)
    with transaction() as session:
        remove_address(lin.id, first)
        assert session.query(Address).count() == 0  # Gone for good.


@pytest.mark.usefixtures("context")
def test_an_address_book_is_not_endless(world: World) -> None:
    lin = world.member()
    with transaction():
        for number in range(MOST):
            add_address(lin.id, delivery.Where("Lin", "", f"{number} Road", "S", "", "CN"))
    with pytest.raises(TooManyAddresses), transaction():
        add_address(lin.id, HOME)


def test_an_address_is_added_and_removed_on_its_page(world: World) -> None:
    lin = world.client_for(world.member())
    form = {"name": "Lin Wei", "street": "8 River Road", "city": "Shanghai", "country": "cn"}
    answer = lin.post("/me/addresses", form | {"next": "/?q=tea"})
    assert answer.status_code == 303 and answer.location.startswith("/?q=tea&address=")
    assert lin.post("/me/addresses", form | {"next": "//evil.example"}).location == "/"
    page = lin.get("/me/addresses").text
    assert page.count("8 River Road") == 1 and "CN" in page
    for missing in ("name", "street", "city", "country"):
        assert lin.post("/me/addresses", form | {missing: ""}).status_code == 422
    number = page.partition("/me/addresses/")[2].partition("/")[0]
    lin.post(f"/me/addresses/{number}/remove")
    assert "8 River Road" not in lin.get("/me/addresses").text
