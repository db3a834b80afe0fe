"""Receipts to keep: as PDF, on one page or on many; by mail, once, to the member's own address."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pypdfium2
import pytest
import zxingcpp

from store import clock, outbox, post, sales
from store.db import db, transaction
from store.identity.models import Identifier
from store.post.models import Letter
from store.post.practice import Shown, latest
from store.post.speaking import speaking
from store.sales.receipts.receipt_paper_views import receipt_pdf
from tests.world import Somebody, World


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {
        "PRACTICE_POST": True, "SHOP_NAME": "Harbour Road 临港路店", "TAX_NUMBER": "91310000X",
        "SHOP_ADDRESS": "8 River Road; 200001 Shanghai", "BASE_URL": "https://shop.example",
    }  # fmt: skip


def pages(document: bytes) -> list[str]:
    read = pypdfium2.PdfDocument(document)
    return [page.get_textpage().get_text_range() for page in read]


def prove(world: World, member: Somebody) -> None:
    with world.app.app_context(), transaction() as session:
        found = session.query(Identifier).filter_by(member_id=member.id).one()
        found.proven_at = clock.now()


def deliver(world: World) -> list[Shown]:
    """All that was mailed, the newest first."""
    with world.app.app_context():
        outbox.work()
        post.deliver(world.app.config, speaking)
        return latest(post.carriers.practice_folder(world.app.config))


def test_a_receipt_is_one_page_that_says_everything(world: World) -> None:
    lin = world.member(funds="100")
    milk = world.item("oat-milk", price="12.50", tax_rate_bp=1300)
    bread = world.item("baguette", price="8.00", tax_rate_bp=900)
    sale = world.buy(lin, (milk, 3), bread)
    browser = world.client_for(lin)
    answer = browser.get(f"/sales/{sale.id}/receipt.pdf")
    assert answer.mimetype == "application/pdf"
    [text] = pages(answer.data)
    for said in (
        "Harbour Road 临港路店", "8 River Road", "200001 Shanghai", "91310000X", sale.number,
        "¥12.50", "¥45.50", "13 %", "9 %", "¥33.19", "¥4.31", "¥7.34", "¥0.66", "¥40.53",
        "¥4.97",
        lin.name, "Shop account", "4 pieces", "Returns until",
    ):  # fmt: skip
        assert said in text, said
    [image] = [page.render(scale=3).to_pil() for page in pypdfium2.PdfDocument(answer.data)]
    [code] = zxingcpp.read_barcodes(image)
    assert code.text == f"https://shop.example/sales/{sale.id}"
    chinese = pages(browser.get(f"/sales/{sale.id}/receipt.pdf?lang=zh").data)[0]
    assert "收据" in chinese and milk.names["zh"] in chinese and "税号" in chinese
    stranger = world.client_for(world.member())
    assert stranger.get(f"/sales/{sale.id}/receipt.pdf").status_code == 404


def test_three_hundred_lines_flow_over_pages(world: World) -> None:
    sale = world.sale(world.item("oat-milk", price="1.00"))
    long = "Barista oat drink, unsweetened, with calcium, six-pack of 1 l, number"
    lines = tuple(
        replace(sale.lines[0], position=at, names={"en": f"{long} {at}"}) for at in range(1, 301)
    )
    with world.app.test_request_context():
        found = pages(receipt_pdf(replace(sale, lines=lines, total_minor=30_000)))
    assert 10 <= len(found) <= 20
    assert all("Quantity" in page for page in found[:-1])
    whole = " ".join(" ".join(found).split())
    assert all(f"number {at} " in whole for at in range(1, 301))
    assert whole.rstrip().endswith(str(len(found)))


def test_what_the_font_lacks_is_named_and_never_a_box(world: World) -> None:
    lin = world.member(funds="100")
    nameless = world.item("oat-milk", price="1.00", names={"en": "ข้าว"})
    other = world.item("baguette", price="1.00", names={"en": "ข้าว", "zh": "米饭"})
    sale = world.buy(lin, nameless, other)
    [text] = pages(world.client_for(lin).get(f"/sales/{sale.id}/receipt.pdf").data)
    assert f"〓〓〓〓 ({nameless.code})" in text and "米饭" in text
    assert "U+0E02 THAI CHARACTER KHO KHAI" in " ".join(text.split())


def test_a_refund_has_a_note_with_its_tax(world: World) -> None:
    lin, staff = world.member(funds="100"), world.staff()
    milk = world.item("oat-milk", price="11.30", tax_rate_bp=1300)
    sale = world.buy(lin, (milk, 2))
    with world.app.app_context():
        sales.refund(sale.id, made_by=staff.id, parts=[sales.Part(1, 1)], reason="leaks")
        after = sales.receipt(sale.id)
    assert after is not None
    note = f"/sales/{sale.id}/refunds/{after.refunds[0].id}.pdf"
    browser = world.client_for(lin)
    assert note in browser.get(f"/sales/{sale.id}").text
    [text] = pages(browser.get(note).data)
    for said in ("Refund", sale.number, "leaks", "−¥11.30", "-¥10.00", "-¥1.30", "13 %"):
        assert said in text, said
    [whole] = pages(browser.get(f"/sales/{sale.id}/receipt.pdf").data)
    assert "Given back" in whole and "−¥11.30" in whole


def test_it_is_mailed_once_and_only_to_a_proven_address(world: World) -> None:
    lin = world.member(funds="100")
    sale = world.buy(lin, world.item("oat-milk", price="12.50"))
    browser = world.client_for(lin)
    assert "Mail it to me" not in browser.get(f"/sales/{sale.id}").text
    refused = browser.post(f"/sales/{sale.id}/mails", key="a-key-of-this-page")
    assert refused.status_code == 409 and "shown to be yours" in refused.text
    assert browser.post("/me/sales/mails", wanted="1").status_code == 409
    prove(world, lin)
    assert "Mail it to me" in browser.get(f"/sales/{sale.id}").text
    for _ in range(3):
        answer = browser.post(f"/sales/{sale.id}/mails", key="a-key-of-this-page")
        assert answer.status_code == 303
    [mail] = deliver(world)
    assert (mail.to, mail.attachments) == (lin.email, (f"{sale.number}.pdf",))
    assert "¥12.50" in mail.subject and f"/sales/{sale.id}" in mail.text
    assert deliver(world) == [mail]
    other = world.client_for(world.member())
    assert other.post(f"/sales/{sale.id}/mails", key="a-key-of-this-page").status_code == 404


def test_who_asks_for_too_many_is_told_so(world: World) -> None:
    lin = world.member(funds="100")
    sale = world.buy(lin, world.item("oat-milk", price="12.50"))
    prove(world, lin)
    browser = world.client_for(lin)
    for at in range(20):
        assert browser.post(f"/sales/{sale.id}/mails", key=f"key-{at:06}").status_code == 303
    refused = browser.post(f"/sales/{sale.id}/mails", key="one-too-many")
    assert refused.status_code == 429 and "an hour" in refused.text
    with world.app.app_context():
        assert db.session.query(Letter).count() == 20


def test_every_sale_and_refund_is_mailed_to_who_wishes_so(world: World) -> None:
    lin, staff = world.member(funds="100"), world.staff()
    milk = world.item("oat-milk", price="12.50")
    before = world.buy(lin, milk)
    with world.app.app_context():
        outbox.work()
    prove(world, lin)
    browser = world.client_for(lin)
    assert browser.post("/me/sales/mails", wanted="1").status_code == 303
    assert lin.email in browser.get("/me/sales").text
    sale = world.buy(lin, milk)
    world.refund(sale, staff)
    world.refund(before, staff)
    letters = deliver(world)
    assert sorted(mail.subject[:11] for mail in letters) == [
        "Your receip",
        "Your refund",
        "Your refund",
    ]
    assert deliver(world) == letters
    browser.post("/me/sales/mails")
    world.buy(lin, milk)
    assert deliver(world) == letters
    assert world.faults() == []
