"""A shopper sees what is held about them, takes it along, and goes: the name is nowhere any more,
the takings are what they were."""

from __future__ import annotations

import json

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import func, select, text

from store.db import Base, db
from store.sales.models import Sale
from tests.browser import OpenPhone
from tests.journeys.conftest import OpenShop
from tests.journeys.steps import be_signed_in
from tests.world import Somebody, World

NAME, MAIL = "Xanthippe Quillfeather", "xanthippe@quill.example"


def _named_in(world: World) -> set[str]:
    """The tables that hold a part of who she is."""
    found = set()
    with world.app.app_context():
        for table in Base.metadata.sorted_tables:
            columns = " || ' ' || ".join(f"COALESCE(\"{one.name}\", '')" for one in table.columns)
            rows = db.session.scalars(text(f'SELECT LOWER({columns}) FROM "{table.name}"'))
            if any(part in str(row) for row in rows for part in ("xanthippe", "quill")):
                found.add(table.name)
    return found


def _takings(world: World, item: str, office: Somebody) -> str:
    page = world.client_for(office).get("/owner/sales")
    assert page.status_code == 200 and item in page.text
    with world.app.app_context():
        return str(db.session.execute(select(func.count(), func.sum(Sale.total_minor))).one())


def test_a_person_takes_their_data_along_and_goes(shop: OpenShop, open_phone: OpenPhone) -> None:
    url, world = shop.url, shop.world
    her, owner = world.member(NAME, funds="30", email=MAIL), world.owner()
    milk = world.item(price="10", on_hand=9)
    bought = world.buy(her, (milk, 3))
    before = _takings(world, milk.names["en"], owner)
    phone = open_phone()
    be_signed_in(phone, world.app, url, her)

    phone.goto(f"{url}/me")
    phone.get_by_role("link", name="Your data").click()
    phone.get_by_role("link", name="Purchases").click()
    expect(phone.locator("dl").first).to_contain_text("¥30.00")
    phone.get_by_role("link", name="Back to your data").click()
    with phone.expect_download() as download:
        phone.get_by_role("link", name="Take it with you").click()
    assert download.value.suggested_filename == "my-data.json"
    told = json.loads(download.value.path().read_bytes())
    assert told["account"][0]["name"] == NAME
    assert [one["id"] for one in told["sales"]] == [bought.id]
    assert {"members", "identifiers"} <= _named_in(world)

    phone.get_by_role("link", name="Erase your account").click()
    assert Axe().run(phone).response["violations"] == []
    word = phone.get_by_label("Type the word")
    word.fill("yes")
    phone.get_by_role("button", name="Erase me").click()
    expect(phone.get_by_text("Nothing was erased.")).to_be_visible()
    word.fill("erase")
    phone.get_by_role("button", name="Erase me").click()
    expect(phone.get_by_text("You are gone from this shop.")).to_be_visible()

    # Signed out, in every tab; and nothing of the shop names her.
    phone.goto(f"{url}/me")
    expect(phone.get_by_role("heading", name="Sign in")).to_be_visible()
    assert _named_in(world) == set()
    assert _takings(world, milk.names["en"], owner) == before
    office = open_phone(desk=True)
    be_signed_in(office, world.app, url, owner)
    office.goto(f"{url}/desk/sales/{bought.id}")
    expect(office.locator("main")).to_contain_text("¥30.00")
    expect(office.locator("main")).not_to_contain_text("Xanthippe")
    assert world.faults() == []
