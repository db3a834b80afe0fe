"""A campaign as its owner and its members see it: drafted, started, on the shop's pages."""

from __future__ import annotations

import re

from flask import Flask

from store import campaigns
from store.campaigns import pages, plans
from store.membership import consents
from tests.campaigns.making import agree, campaign, many, rounds, rows, started, step
from tests.conftest import Clock
from tests.membership.making import coupon, end
from tests.world import World

FORM = {
    "name": "<b>Pears</b>", "channel": "mail", "held": "20", "days": "14",
    "subject_en": "Pears & plums", "words_en": "Come\r\nand see.", "subject_zh": "梨",
    "words_zh": "来看看。",
}  # fmt: skip


def test_an_owner_drafts_looks_and_starts(world: World, app: Flask, clock: Clock) -> None:
    owner, lin = world.owner(), world.member(funds="50")
    world.buy(lin, world.item())
    desk = world.client_for(owner)
    with app.app_context():
        agree([lin])
        coupon(world, "percent", 10, "PEARS-10")
    assert "First a segment" in desk.get("/owner/campaigns/new").text
    desk.post("/owner/segments", {"name": "Loyal", "least_times": "1"})
    found = re.search(r'option value="(\d+)"', desk.get("/owner/campaigns/new").text)
    assert found
    good = FORM | {"segment": found[1], "coupon": "pears-10"}
    for wrong in (
        {"name": ""}, {"segment": "99"}, {"channel": "fax"}, {"held": "51"}, {"held": "-1"},
        {"days": "0"}, {"days": "91"}, {"subject_en": ""}, {"words_zh": ""}, {"coupon": "NONE"},
        {"words_en": "x" * 4001}, {"subject_zh": "x" * 121}, {"due": "2001-01-01T10:00"},
        {"due": "soon"}, {"words_en": "a\x07b"}, {"channel": "sms", "words_en": "x" * 301},
    ):  # fmt: skip
        assert desk.post("/owner/campaigns", good | wrong).status_code == 422, wrong
    page = desk.post("/owner/campaigns", good).location
    text = desk.get(page).text
    assert "&lt;b&gt;Pears&lt;/b&gt;" in text and "Pears &amp; plums" in text
    assert "Come\nand see." in text and "PEARS-10" in text and "来看看" in text
    assert "没有" not in text and "您收到此信" in text, "each language in its own words"
    assert desk.post(page, good | {"name": "Plums", "held": "0"}).status_code == 303
    assert 'value="Plums"' in desk.get(f"{page}/change").text
    assert desk.post(f"{page}/steps", step="finish").status_code == 422
    assert desk.post(f"{page}/steps", step="start").status_code == 303
    assert desk.post(f"{page}/steps", step="start").status_code == 409
    assert desk.post(page, good).status_code == 409
    assert desk.get(f"{page}/change").status_code == 409
    with app.app_context():
        clock.tick(hours=8)  # It was half past six in the evening.
        clock.tick(hours=8)
        assert rounds() == 1
    result = desk.get(page).text
    assert "Nobody was held out" in result and "Ended" in result
    listed = desk.get(f"{page}/members?group=told")
    assert lin.name in listed.text and "told" in listed.text
    csv = desk.get(f"{page}/members.csv?state=told").text.splitlines()
    assert len(csv) == 2 and csv[1].split(",")[2:4] == ["told", "told"]
    assert desk.get(f"{page}/members.xlsx").data[:2] == b"PK"
    for bad in ("group=x", "state=x"):
        assert desk.get(f"{page}/members?{bad}").status_code == 422
    log = desk.get("/owner/log").text
    assert "Started a campaign" in log and "Got a list of persons" in log
    with app.app_context():
        assert world.faults() == []


def test_a_shop_that_cannot_send_starts_nothing(world: World, app: Flask) -> None:
    desk, made = world.client_for(world.owner()), 0
    app.config["PRACTICE_POST"] = False
    with app.app_context():
        made = campaign(world)
    page = f"/owner/campaigns/{made}"
    assert "sends no mail yet" in desk.get(page).text
    assert desk.post(f"{page}/steps", step="start").status_code == 422
    app.config["PRACTICE_POST"] = True
    with app.app_context():
        offer = coupon(world, "percent", 10, "OVER-10")
        made = campaign(world, coupon="OVER-10")
        end(offer)
    page = f"/owner/campaigns/{made}"
    assert "or it is over" in desk.get(page).text
    assert desk.post(f"{page}/steps", step="start").status_code == 422


def test_a_card_waits_on_the_pages_is_seen_once_and_ended_with_one_tap(
    world: World, app: Flask, clock: Clock
) -> None:
    lin, mei = many(world, app, 2, "page")
    bo = world.member()
    phones = {one.id: world.client_for(one) for one in (lin, mei, bo)}
    with app.app_context():
        made = started(world, channel="page", days=7)
        campaigns.work()

    def shows(who: int, path: str = "/") -> bool:
        return "Pears are here" in phones[who].get(path).text

    assert not shows(bo.id) and "Pears are here" not in app.test_client().get("/").text
    assert shows(lin.id) and shows(lin.id, "/basket") and shows(lin.id, "/me")
    assert "agreed to offers on our pages" in phones[lin.id].get("/").text
    with app.app_context():
        told = {member: (row.state, row.told_at) for member, row in rows(made).items()}
        assert told == {lin.id: ("told", clock.now), mei.id: ("queued", None)}
        consents.stop(mei.id, "page", place="account", language="en")
        assert not pages.seen(made, mei.id)
    assert not shows(mei.id)
    clock.tick(hours=1)
    assert shows(lin.id)
    with app.app_context():
        assert rows(made)[lin.id].told_at != clock.now, "seen is seen once"
        step(made, "pause")
    assert not shows(lin.id)
    with app.app_context():
        step(made, "resume")
    dismissal = f"/me/campaigns/{made}/dismissals"
    phones[mei.id].post(dismissal)
    assert shows(lin.id), "put away is put away for oneself"
    assert phones[lin.id].post(dismissal, back="me").location == "/me"
    assert not shows(lin.id)
    with app.app_context():
        assert plans.known(made).state == "running"
        clock.tick(days=7)
        campaigns.work()
        assert plans.known(made).state == "ended"
        assert world.faults() == []
