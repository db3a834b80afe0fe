"""Consent: given to words that are kept, ended by one tap from anywhere, and never guessed."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import text

from store import privacy
from store.db import connection, db, transaction
from store.errors import NotFound
from store.membership import consents
from store.membership.consent_views import stop_path
from store.membership.consents import TextChanged
from store.post.mail import Mail, as_message
from tests.world import Somebody, World

YES_NO = {"mail": True, "page": False}


def said(who: Somebody) -> list[tuple[str, str, str]]:
    return [(one.channel, one.what, one.place) for one in consents.history(who.id)]


def agree(who: Somebody, *channels: str) -> None:
    consents.decide(
        who.id, dict.fromkeys(channels, True), place="account", language="en", shop="Corner"
    )


def test_what_was_agreed_to_is_kept_and_only_added_to(world: World, app: Flask) -> None:
    lin = world.member()
    with app.app_context():
        say = {"place": "receipt", "language": "zh", "shop": "Corner {shop} %s"}
        assert consents.decide(lin.id, YES_NO, **say) == ["mail", "page"]  # type: ignore[arg-type]
        assert consents.decide(lin.id, YES_NO, **say) == []  # type: ignore[arg-type]
        word = consents.standing(lin.id)["mail"]
        assert word.words == consents.TEXTS["mail"]["zh"].replace("{shop}", "Corner {shop} %s")
        assert consents.has_given([lin.id], "mail") == {lin.id}
        with pytest.raises(TextChanged):
            consents.decide(lin.id, {"page": True}, version=2, **say)
        consents.decide(lin.id, {"mail": False}, version=2, **say)
        consents.decide(lin.id, {"mail": False, "page": False}, **say)  # type: ignore[arg-type]
        assert consents.has_given([lin.id], "mail") == set()
        agree(lin, "mail")
        assert said(lin) == [
            ("mail", "given", "account"), ("mail", "withdrawn", "receipt"),
            ("page", "declined", "receipt"), ("mail", "given", "receipt"),
        ]  # fmt: skip
        db.session.rollback()
        # Who goes is asked nothing more, and can agree to nothing.
        privacy.erase(lin.id)
        consents.stop(lin.id, "mail", place="link", language="en")
        assert len(said(lin)) == 4
        with pytest.raises(NotFound):
            agree(lin, "page")


def test_the_link_of_a_letter_is_this_shops_and_this_members(world: World, app: Flask) -> None:
    lin, mei = world.member(), world.member()
    with app.app_context():
        agree(lin, "mail", "sms")
        agree(mei, "mail")
    with app.test_request_context():
        path = stop_path(lin.id, "mail")
        foreign = consents.mark_of(b"another shop's key", lin.id, "mail")
        other = path.replace(f"/m{lin.id}-", f"/m{mei.id}-")
    client = app.test_client()
    for wrong in (f"/stop/{foreign}", other, path.replace("/m", "/s"), path + "0", path.lower(),
                  "/stop/m1", "/stop/m٣-0000000000000000", "/stop/" + "m" * 3000):  # fmt: skip
        assert client.post(wrong).status_code == 404, wrong
    page = client.get(path)  # Programs that look at links end nothing.
    assert page.status_code == 200 and "lin" not in page.text.casefold().replace("link", "")
    with app.app_context():
        assert consents.has_given([lin.id, mei.id], "mail") == {lin.id, mei.id}
    # RFC 8058: no cookie, no token, no redirect; again does no harm.
    for _ in range(2):
        assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    with app.app_context():
        assert said(lin)[0] == ("mail", "withdrawn", "one_click") and len(said(lin)) == 3
        assert consents.has_given([lin.id, mei.id], "mail") == {mei.id}
        assert consents.has_given([lin.id], "sms") == {lin.id}
    bad = Mail("a@b.example", "Hi", "Text", unsubscribe="https://s.example/x\r\nBcc: e@vil.example")
    message = as_message(bad, "shop@shop.example", "Shop", "ABC")
    assert message["Bcc"] is None
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Unsubscribe"] == "<https://s.example/x Bcc: e@vil.example>"


def test_of_two_accounts_the_later_word_holds_and_old_links_still_end_it(
    world: World, app: Flask
) -> None:
    old, new = world.member(), world.member()
    with app.app_context():
        agree(new, "mail", "page")
        agree(old, "mail", "sms")
        consents.stop(old.id, "mail", place="link", language="en")
        consents.stop(new.id, "page", place="account", language="en")
        with transaction():
            consents.move(old.id, new.id)
        assert {one: word.what for one, word in consents.standing(new.id).items()} == {
            "mail": "withdrawn", "sms": "given", "page": "withdrawn",
        }  # fmt: skip
        assert consents.standing(new.id)["sms"].words == consents.standing(old.id)["sms"].words
        consents.stop(old.id, "sms", place="link", language="en")
        assert consents.has_given([old.id, new.id], "sms") == set()
        assert world.faults() == []


def test_a_receipt_asks_once_with_nothing_ticked(world: World, app: Flask) -> None:
    lin = world.member(funds="100")
    with app.app_context():
        connection().execute(text("UPDATE identifiers SET proven_at = 1"))
        connection().commit()
    first = world.buy(lin, world.item())
    phone = world.client_for(lin)
    page = phone.get(f"/sales/{first.id}").text
    asked = re.findall(r'name="asked" value="(\w+)"', page)
    assert asked == ["page"] and "checked" not in page  # This shop sends no mail.
    wrong = {"language": "xx", "version": "1"}, {"language": "en", "version": "x"}
    for bad in wrong:
        assert phone.post("/me/consent/receipt", {**bad, "sale": first.id}).status_code == 422
    form = {"sale": first.id, "version": "1", "language": "en", "asked": "page", "yes": "sms"}
    assert phone.post("/me/consent/receipt", form).location == f"/sales/{first.id}"
    with app.app_context():
        assert said(lin) == [("page", "declined", "receipt")]
    assert "consent/receipt" not in phone.get(f"/sales/{first.id}").text
    phone.post("/me/consent", channel="page", wanted="1", version="1", language="zh")
    phone.post("/me/consent", channel="page", wanted="1", version="9", language="zh")
    with app.app_context():
        assert said(lin)[0] == ("page", "given", "account") and len(said(lin)) == 2
        told = "".join(privacy.export(lin.id))
    assert "网页上" in told
    assert "网页上" in phone.get("/me/privacy/consents").text
