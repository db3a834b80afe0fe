"""Codes of a campaign that are one member's own: of no use to others, and used once."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from flask import Flask
from sqlalchemy import select, text

from store import campaigns, membership, privacy, sales
from store.db import db, transaction
from store.membership.models import CouponCode
from store.post.carriers import practice_folder
from tests.campaigns.making import agree, at, letters_of, rounds, rows, started
from tests.conftest import Clock
from tests.membership.making import coupon
from tests.races.crowd import wanted
from tests.world import Somebody, World


@pytest.fixture(autouse=True)
def _noon(clock: Clock) -> None:
    clock.set(at(12))


def own(member: Somebody) -> str:
    query = select(CouponCode.code).where(CouponCode.member_id == member.id)
    return str(db.session.execute(query).scalar_one())


def test_each_member_gets_a_code_of_their_own_that_nobody_else_can_use(
    world: World, app: Flask
) -> None:
    milk, lin, mei = world.item(on_hand=99, price="10"), *(world.member(funds="90") for _ in "12")
    ann = world.member(funds="90")
    with app.app_context():
        coupon(world, "percent", 10, "PEARS-10")
        agree([lin, mei], "mail", "page")
        made = started(world, coupon="PEARS-10", own_codes=True)
        assert rounds() == 2
        codes = {one.id: own(one) for one in (lin, mei)}
        assert codes[lin.id] != codes[mei.id] and rows(made)[lin.id].coupon_id
        letters = {one.to: one.text for one in letters_of(app)}
        for one in (lin, mei):
            assert codes[one.id].startswith("PEARS-10-") and codes[one.id] in letters[one.email]
            assert "PEARS-10\n" not in letters[one.email]
        mine, theirs = codes[lin.id], codes[mei.id]
        for who, code, why in ((lin, theirs, "not_yours"), (ann, mine, "not_yours")):
            with pytest.raises(membership.CouponRefused) as refused:
                sales.buy(replace(wanted(world, who, (milk, 1)), coupon=code))
            assert refused.value.data["why"] == why
        sales.buy(replace(wanted(world, lin, (milk, 1)), coupon=mine.lower()))
        with pytest.raises(membership.CouponRefused) as refused:
            sales.buy(replace(wanted(world, lin, (milk, 1)), coupon=mine))
        assert refused.value.data["why"] == "used_up"
        assert mine in "".join(privacy.export(lin.id)), "held about a person, shown to them"
        assert theirs not in "".join(privacy.export(lin.id))
        # A page's card has one, too.
        started(world, coupon="PEARS-10", own_codes=True, channel="page")
        campaigns.work()
    guest = world.visitor()
    guest.post("/basket/lines", code=milk.code, quantity=1, seen_minor=milk.price_minor)
    guest.post("/basket/coupon", coupon=mine)
    assert "Please sign in" in guest.get("/basket").text
    card = world.client_for(mei).get(milk.path).text.partition("Pears are here")[2]
    assert "PEARS-10-" in card and theirs not in card
    page = world.client_for(world.owner()).get(f"/owner/campaigns/{made}").text
    assert "1 of 2 used" in page
    with app.app_context():
        assert world.faults() == []
        with transaction() as session:  # The audit would find it.
            query = text("UPDATE offer_uses SET member_id = :ann")
            session.execute(query, {"ann": ann.id})
        assert any("coupons_of_others" in fault for fault in world.faults())


def test_who_guesses_at_others_codes_is_stopped_as_with_those_that_there_are_not(
    world: World, app: Flask
) -> None:
    lin, mei, milk = world.member(funds="90"), world.member(), world.item(on_hand=9)
    with app.app_context():
        coupon(world, "percent", 10, "PEARS-10")
        with transaction():
            membership.give("PEARS-10", mei.id)
        theirs = own(mei)
    phone = world.client_for(lin)
    phone.post("/basket/lines", code=milk.code, quantity=1, seen_minor=milk.price_minor)
    for _ in range(10):
        phone.post("/basket/coupon", coupon=theirs)
        assert "another member’s own" in phone.get("/basket").text
    phone.post("/basket/coupon", coupon=theirs)
    assert "Too many tries with coupons" in phone.get("/basket").text


def test_the_mail_has_a_part_to_look_at_that_says_the_same_and_fetches_nothing(
    world: World, app: Flask
) -> None:
    lin = world.member()
    texts = {
        language: {"subject": "<Pears> & more", "words": '<img src="//x.example/p">\n"Ripe"'}
        for language in ("en", "zh")
    }
    with app.app_context():
        coupon(world, "percent", 10, "PEARS-10")
        agree([lin], "mail")
        started(world, coupon="PEARS-10", own_codes=True, texts=texts)
        assert rounds() == 1
        (file,) = practice_folder(app.config).glob("*.eml")
        code = own(lin)
    letter = message_from_bytes(file.read_bytes(), policy=default)
    assert isinstance(letter, EmailMessage) and letter.get_content_type() == "multipart/alternative"
    plain, html = (str(part.get_content()) for part in letter.iter_parts())
    stop = str(letter["List-Unsubscribe"]).strip("<>")
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for said in (code, stop, "https://shop.example/", "this is true of you"):
        assert said in plain and said in html
    assert "&lt;img src=&#34;//x.example/p&#34;&gt;" in html and "&lt;Pears&gt; &amp; more" in html
    for fetched in ("<img", "<link", "<script", "src=", "url(", "@import", "background="):
        assert fetched not in html.replace("src=&#34;", "")
    assert '"//x.example' not in html
