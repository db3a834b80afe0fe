"""Consent in a real browser: given on a receipt, ended with one tap, here and behind a link."""

from __future__ import annotations

from playwright.sync_api import expect

from store.membership import consents
from tests.browser import OpenPhone
from tests.journeys.steps import be_signed_in
from tests.live import Start
from tests.world import World


def test_consent_is_given_on_a_receipt_and_ended_with_one_tap(
    world: World, live_server: Start, open_phone: OpenPhone
) -> None:
    url, lin = live_server().url, world.member(funds="50")
    bought = world.buy(lin, world.item())
    phone = open_phone()
    be_signed_in(phone, world.app, url, lin)
    phone.goto(f"{url}/sales/{bought.id}")
    phone.get_by_text("Would you like offers that fit you?").click()
    tick = phone.get_by_role("checkbox", name="may show me offers on its pages")
    expect(tick).not_to_be_checked()
    tick.check()
    phone.get_by_role("button", name="Save", exact=True).click()
    expect(phone.get_by_text("Saved. You can change it")).to_be_visible()
    expect(phone.get_by_text("Would you like offers that fit you?")).to_have_count(0)

    phone.goto(f"{url}/me")
    phone.get_by_role("link", name="Offers for you").click()
    pages = phone.get_by_role("region", name="On our pages")
    expect(pages.get_by_text("You agreed")).to_be_visible()
    pages.get_by_role("button", name="End this").click()
    expect(phone.get_by_text("Nothing more comes by this way.")).to_be_visible()
    expect(pages.get_by_role("button", name="I agree")).to_be_visible()
    pages.get_by_role("button", name="I agree").click()
    expect(pages.get_by_role("button", name="End this")).to_be_visible()

    # The link of a letter, on a phone where nobody is signed in.
    with world.app.app_context():
        mark = consents.mark_of(str(world.app.config["SECRET_KEY"]).encode(), lin.id, "page")
    stranger = open_phone()
    stranger.goto(f"{url}/stop/{mark}")
    stranger.get_by_role("button", name="End this").click()
    expect(stranger.get_by_role("heading", name="It is ended")).to_be_visible()
    with world.app.app_context():
        said = [(one.what, one.place) for one in consents.history(lin.id)]
    assert said == [
        ("withdrawn", "link"), ("given", "account"), ("withdrawn", "account"), ("given", "receipt"),
    ]  # fmt: skip
