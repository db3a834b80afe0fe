"""A receipt went to somebody who never bought: they say so, and the purchase is never theirs."""

from __future__ import annotations

import re

from flask import Flask

from store.sales.guests import claims, denials
from tests.races.crowd import at_once, inside
from tests.sales.test_guests import Guest, guest, link, of_member, settings, sums
from tests.sales.test_receipts_to_keep import deliver, prove
from tests.world import World

__all__ = ["guest", "settings"]


def test_who_says_that_it_was_not_them_never_has_it(world: World, app: Flask, guest: Guest) -> None:
    milk, mei, lin = world.item(price="12.50", on_hand=9), world.member("Mei"), world.member("Lin")
    sale = guest.buys(milk)
    guest.browser.get(f"/sales/{sale}")
    assert guest.browser.post(f"/sales/{sale}/letters", address=mei.email).status_code == 303
    [letter] = deliver(world)
    found = re.search(r"https://shop\.example(/sales/\w+/not-mine\?k=(\w+))", letter.text)
    assert found
    path, k = found[1], found[2]
    reader = world.visitor()
    page = reader.get(path)
    assert page.status_code == 200 and "This was not me" in page.text and mei.email in page.text
    prove(world, mei)
    phone = world.client_for(mei)
    assert sale in phone.get("/me/claims").text, "the link alone changes nothing"
    wrong = k[:-1] + ("0" if k[-1] != "0" else "1")
    assert reader.get(f"/sales/{sale}/not-mine?k={wrong}").status_code == 404
    assert reader.post(f"/sales/{sale}/not-mine", k=wrong).status_code == 404
    assert sale in phone.get("/me/claims").text
    for _ in range(2):  # Again says the same.
        done = reader.post(f"/sales/{sale}/not-mine", k=k)
        assert done.status_code == 200 and "Thank you" in done.text
    # Neither by the address, nor by the receipt's link, nor on the phone that bought it.
    by_link = link(world, sale).partition("?")[2]
    assert sale not in phone.get("/me/claims").text
    assert f'value="{sale}"' not in phone.get(f"/me/claims?sale={sale}&{by_link}").text
    phone.post("/me/claims", {"sale": sale, "linked": sale, "k": by_link[2:]})
    guest.signs_in(mei)
    guest.browser.post("/me/claims", {"sale": sale})
    assert of_member(world, sale) is None
    # Whoever did buy it has it still.
    prove(world, lin)
    guest.browser.get("/me")
    guest.browser.post("/sign-out")
    guest.browser.get("/sign-in")
    guest.signs_in(lin)
    assert sale in guest.browser.get("/me/claims").text
    guest.browser.post("/me/claims", {"sale": sale})
    assert of_member(world, sale) == lin.id
    sums(world)

    # At the same moment as a claim: it is before, or it sees it.
    other = Guest(world, world.visitor())
    sale = other.buys(milk)
    other.browser.get(f"/sales/{sale}")
    other.browser.post(f"/sales/{sale}/letters", address=mei.email)
    outcomes = at_once([
        inside(app, lambda: claims.claim(mei.id, [sale], None)),
        inside(app, lambda: denials.deny(sale, mei.email)),
    ])  # fmt: skip
    assert outcomes[0] in ([], [sale]) and outcomes[1] is None, outcomes
    assert of_member(world, sale) == (mei.id if outcomes[0] else None)
    sums(world)
