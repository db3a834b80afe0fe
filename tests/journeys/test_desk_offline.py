"""The desk on a bad connection: what staff do without a network is kept, and done once when it is
back; what the shop does not take waits for a person."""

from __future__ import annotations

import os

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Error, Page, expect
from sqlalchemy import func, select

from store import logbook, stock
from store.db import db, transaction
from store.identity import sign_ins
from store.late.models import LateAct
from store.stock import slips
from store.stock.models import Movement
from store.stock.work_models import Task
from tests.browser import OpenPhone
from tests.journeys.conftest import OpenShop
from tests.journeys.steps import be_signed_in
from tests.world import Somebody, Thing


def at_desk(shop: OpenShop, page: Page, staff: Somebody, path: str) -> None:
    """A page of the desk, with what it takes along for when there is no network."""
    be_signed_in(page, shop.world.app, shop.url, staff)
    open_page(shop, page, path)


def open_page(shop: OpenShop, page: Page, path: str) -> None:
    page.goto(f"{shop.url}{path}")
    expect(page.locator("html[data-late-ready]")).to_be_attached()


def moved(app: Flask, item: Thing, staff: Somebody) -> list[tuple[str, int]]:
    """What this member of staff has moved of the item."""
    query = select(Movement.reason, Movement.quantity).where(
        Movement.item_id == item.id, Movement.member_id == staff.id
    )
    with app.app_context():
        return [(row[0], row[1]) for row in db.session.execute(query.order_by(Movement.id))]


def receive(page: Page, many: str) -> None:
    page.get_by_label("How many").first.fill(many)
    page.get_by_role("button", name="Receive").click()


def count(page: Page, many: str) -> None:
    if not page.get_by_label("Counted", exact=True).is_visible():
        page.get_by_text("Count the shelf").click()
    page.get_by_label("Counted", exact=True).fill(many)
    page.get_by_role("button", name="Set the level").click()


def told(page: Page, said: str) -> None:
    expect(page.locator("[data-late-told]")).to_contain_text(said)


def test_what_is_done_without_a_network_is_done_once(shop: OpenShop, open_phone: OpenPhone) -> None:
    world, app = shop.world, shop.world.app
    sam, milk = world.staff(), world.item(on_hand=10)
    pear = world.item("pear", on_hand=4)
    with app.app_context(), transaction():
        task = stock.open_task("shelf_empty", world.location, pear.id)
    page = open_phone()
    at_desk(shop, page, sam, "/desk/tasks")
    open_page(shop, page, f"/desk/stock?code={milk.code}&at=MAIN")
    expect(page.locator("[data-late-line]")).to_be_hidden()

    page.context.set_offline(True)
    receive(page, "5")
    expect(page.get_by_text("1 kept, will be sent.")).to_be_visible()
    count(page, "14")
    expect(page.get_by_text("2 kept, will be sent.")).to_be_visible()
    # The page of the tasks as it was last seen: it says so, and its forms are kept, too.
    page.goto(f"{shop.url}/desk/tasks")
    expect(page.get_by_text("No connection. This page is as of")).to_be_visible()
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("3 kept, will be sent.")).to_be_visible()
    expect(page.locator(".work")).to_contain_text("Kept, will be sent")
    _seen(page, "desk-kept")
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("link", name="See them").click()
    rows = page.locator("[data-late-rows] > li")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text("Count the shelf · Oat milk")
    expect(rows.nth(1)).to_contain_text("Counted: 14")
    _seen(page, "desk-kept-list")
    assert Axe().run(page).response["violations"] == []
    assert moved(app, milk, sam) == []
    # Somebody buys meanwhile.
    world.buy(world.member(funds="100"), milk)
    page.close()

    page = page.context.new_page()
    page.goto(f"{shop.url}/desk/kept")
    expect(page.locator("[data-late-rows] > li")).to_have_count(3)
    page.context.set_offline(False)
    told(page, "3 that were kept have arrived.")
    told(page, "14 were there then. Goods came or went since")
    expect(page.get_by_text("Nothing is kept: all that you did has arrived.")).to_be_visible()
    assert moved(app, milk, sam) == [("received", 5), ("counted", -1)]
    assert world.left(milk) == 13, "one was sold after the count"
    page.reload()
    expect(page.get_by_role("region", name="Came late").get_by_role("listitem")).to_have_count(3)
    with app.app_context():
        ended = db.session.get_one(Task, task)
        assert (ended.closed_by, ended.closed_at is not None) == (sam.id, True)
        acts = db.session.scalars(select(logbook.Act).where(logbook.Act.member_id == sam.id)).all()
        assert [act.verb for act in acts] == ["goods.received", "stock.counted"]
        assert all(act.done_at is not None and act.done_at < act.at for act in acts)


def test_a_lost_answer_does_nothing_twice_and_a_refusal_waits_for_a_person(
    shop: OpenShop, open_phone: OpenPhone
) -> None:
    world, app = shop.world, shop.world.app
    sam, milk = world.staff(), world.item(code="", gtin=None, on_hand=3)
    page = open_phone(desk=True)
    at_desk(shop, page, sam, f"/desk/stock?code={milk.code}&at=MAIN")
    # The shop hears of it, and its answer is lost on the way.
    page.context.route("**/desk/stock/receipts", lambda route: (route.fetch(), route.abort()))
    receive(page, "5")
    expect(page.get_by_text("1 kept, will be sent.")).to_be_visible()
    assert moved(app, milk, sam) == [("received", 5)]
    page.context.unroute("**/desk/stock/receipts")
    page.get_by_role("button", name="Send now").click()
    told(page, "1 that was kept has arrived.")
    told(page, "This was booked already")
    assert moved(app, milk, sam) == [("received", 5)]

    # More is written off than there is by the time that it is told.
    page.context.set_offline(True)
    page.get_by_text("Write off").first.click()
    page.get_by_label("How many").nth(1).fill("8")
    page.get_by_role("button", name="Write off").click()
    expect(page.get_by_text("1 kept, will be sent.")).to_be_visible()
    world.buy(world.member(funds="100"), milk)
    page.context.set_offline(False)
    expect(page.get_by_text("1 needs you.")).to_be_visible()
    page.get_by_role("link", name="See them").click()
    row = page.locator("[data-late-rows] > li")
    expect(row).to_contain_text("Not enough left")
    _seen(page, "desk-kept-refused")
    assert Axe().run(page).response["violations"] == []
    assert world.left(milk) == 7
    world.stock(milk, 1)
    row.get_by_role("button", name="Try now").click()
    told(page, "1 that was kept has arrived.")
    assert world.left(milk) == 0
    assert moved(app, milk, sam) == [("received", 5), ("written_off", -8)]


def test_scans_that_are_faster_than_the_answers_are_all_counted(
    shop: OpenShop, open_phone: OpenPhone
) -> None:
    world, app = shop.world, shop.world.app
    sam, milk = world.staff(), world.item(code="", gtin=None, on_hand=0)
    with app.app_context(), transaction():
        slip = slips.open_slip("delivery", world.location, sam.id)
    page = open_phone()
    at_desk(shop, page, sam, f"/desk/deliveries/{slip}")
    scan = """code => {
        const form = document.querySelector("[data-listen]");
        for (let i = 0; i < 3; i += 1) { form.elements.code.value = code; form.requestSubmit(); }
    }"""
    page.evaluate(scan, milk.code)
    expect(page.locator("[data-pieces]")).to_have_text("3")
    expect(page.locator("html[data-late-ready]")).to_be_attached()  # It is a new page.
    page.context.set_offline(True)
    page.evaluate(scan, milk.code)
    expect(page.get_by_text("3 kept, will be sent.")).to_be_visible()
    page.context.set_offline(False)
    told(page, "3 that were kept have arrived.")
    page.reload()
    expect(page.get_by_role("region", name="Scanned")).to_contain_text("6 pieces")


def test_nothing_is_told_in_anothers_name(shop: OpenShop, open_phone: OpenPhone) -> None:
    world, app = shop.world, shop.world.app
    sam, kim = world.staff(), world.staff()
    milk = world.item(code="", gtin=None, on_hand=3)
    page = open_phone()
    path = f"/desk/stock?code={milk.code}&at=MAIN"
    at_desk(shop, page, sam, path)
    page.context.set_offline(True)
    receive(page, "2")
    expect(page.get_by_text("1 kept, will be sent.")).to_be_visible()
    # What needs an answer at once is not kept, and the page says so.
    page.get_by_label("Account of").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("This needs an answer at once, so it is not kept")).to_be_visible()
    _seen(page, "desk-not-kept")
    be_signed_in(page, app, shop.url, kim)
    page.context.set_offline(False)
    page.goto(f"{shop.url}/desk/kept")
    expect(page.get_by_text("1 thing that somebody else did is kept here.")).to_be_visible()
    expect(page.locator("[data-late-line]")).to_be_hidden()
    assert moved(app, milk, sam) == moved(app, milk, kim) == []
    be_signed_in(page, app, shop.url, sam)
    page.goto(f"{shop.url}/desk/kept")
    told(page, "1 that was kept has arrived.")
    assert moved(app, milk, sam) == [("received", 2)]
    with app.app_context():
        query = select(func.count()).where(LateAct.member_id.in_([sam.id, kim.id]))
        assert db.session.scalar(query) == 1


def _seen(page: Page, name: str) -> None:
    """A picture for whoever wants to look: PICTURES names a folder."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


HAS_PAGES = "() => caches.has('desk-pages')"


def test_who_is_signed_out_leaves_no_page_of_the_desk_behind(
    shop: OpenShop, open_phone: OpenPhone
) -> None:
    world, app = shop.world, shop.world.app
    sam = world.staff()
    page = open_phone()
    at_desk(shop, page, sam, "/desk/tasks")
    assert page.evaluate(HAS_PAGES)
    # By hand, on a page of the shop.
    page.goto(f"{shop.url}/me")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.wait_for_function("async () => !(await caches.has('desk-pages'))")
    page.context.set_offline(True)
    with pytest.raises(Error):
        page.goto(f"{shop.url}/desk/tasks")
    page.context.set_offline(False)
    # From elsewhere: with the next page that the device asks for, or with the next act it tells.
    for path in ("/desk/walks", None):
        at_desk(shop, page, sam, "/desk/tasks")
        assert page.evaluate(HAS_PAGES)
        with app.app_context(), transaction():
            sign_ins.end_others(sam.id, "")
        if path:
            page.goto(f"{shop.url}{path}")
        else:
            assert page.evaluate("() => Kept.start()") == {"trouble": "signIn"}
        page.wait_for_function("async () => !(await caches.has('desk-pages'))")
