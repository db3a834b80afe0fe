"""The pages of the door: who may open them, what they show, and that a GET uses nothing up."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
import zxingcpp
from PIL import Image
from sqlalchemy import select

from store import ids, sales
from store.db import db
from store.door.models import ExitCheck, PassUse
from tests.conftest import Clock
from tests.door.shop import DoorShop

pytestmark = pytest.mark.usefixtures("clock")

VERDICT = re.compile(r'data-verdict="(\w*)"')


def verdict(page: str) -> str:
    found = VERDICT.search(page)
    assert found, page
    return found[1]


def counts(shop: DoorShop) -> tuple[int, int]:
    """Uses and noted checks."""
    with shop.app.app_context():
        return (
            len(db.session.scalars(select(PassUse)).all()),
            len(db.session.scalars(select(ExitCheck)).all()),
        )


def decoded(svg: str) -> str:
    """What a camera reads in an SVG of ours: its rectangles, drawn again."""
    side = int(re.search(r'viewBox="0 0 (\d+)', svg)[1])  # type: ignore[index]
    picture = Image.new("L", (side * 8, side * 8), 255)
    path = svg.rsplit('d="', 1)[1]
    for left, top, width in re.findall(r"M(\d+) (\d+)h(\d+)v1", path):
        box = (int(left) * 8, int(top) * 8, (int(left) + int(width)) * 8, int(top) * 8 + 8)
        picture.paste(0, box)
    (code,) = zxingcpp.read_barcodes(
        picture, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    )
    return str(code.text)


# Who may


ROUTES = [
    ("get", "/desk"),
    ("post", "/desk"),
    ("post", "/desk/place"),
    ("get", "/desk/exit"),
    ("get", "/desk/exit?pass={text}"),
    ("post", "/desk/exit"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    ("role", "expected"),
    [(None, {303}), ("shopper", {403}), ("staff", {200, 303}), ("owner", {200, 303})],
)
def test_the_desk_is_for_staff(
    shop: DoorShop, method: str, path: str, role: str | None, expected: set[int]
) -> None:
    sale = shop.bought()
    text = shop.pass_of(sale)
    browser = shop.browser(getattr(shop, role) if role else None)
    if method == "get":
        answer = browser.get(path.format(text=text))
    else:
        answer = browser.post(path, code=text, place="MILL")
    assert answer.status_code in expected
    if role in (None, "shopper"):
        assert counts(shop) == (0, 0)
        assert "Oat milk" not in answer.text
    if role is None:
        assert answer.headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize("whose", ["other", "staff", "owner"])
def test_a_pass_is_its_shoppers_only_and_not_yours_looks_like_not_there(
    shop: DoorShop, whose: str
) -> None:
    sale = shop.bought()
    browser = shop.browser(getattr(shop, whose))
    never = ids.new()
    for query in ("", "?ahead=3"):
        theirs = browser.get(f"/sales/{sale}/pass.svg{query}")
        nobodys = browser.get(f"/sales/{never}/pass.svg{query}")
        assert theirs.status_code == nobodys.status_code == 404
        assert theirs.text.replace(sale, "") == nobodys.text.replace(never, "")
    assert shop.browser(None).get(f"/sales/{sale}/pass.svg").status_code == 303


def test_a_form_of_another_site_uses_no_pass(shop: DoorShop) -> None:
    browser = shop.browser(shop.staff)
    text = shop.pass_of(shop.bought())
    answer = browser.client.post("/desk/exit", data={"csrf": "wrong", "code": text})
    assert answer.status_code == 403
    assert counts(shop) == (0, 0)


# The shopper's code


def test_the_picture_says_what_the_door_reads(shop: DoorShop) -> None:
    sale = shop.bought()
    shopper, staff = shop.browser(shop.shopper), shop.browser(shop.staff)
    answer = shopper.get(f"/sales/{sale}/pass.svg")
    assert answer.mimetype == "image/svg+xml"
    assert answer.headers["Cache-Control"] == "no-store"
    text = decoded(answer.text)
    assert text == f"http://localhost/desk/exit?pass={shop.pass_of(sale)}"
    assert verdict(staff.post("/desk/exit", code=text).text) == "accepted"


def test_the_code_of_two_steps_on_is_another(shop: DoorShop, clock: Clock) -> None:
    sale = shop.bought()
    shopper = shop.browser(shop.shopper)
    first = decoded(shopper.get(f"/sales/{sale}/pass.svg").text)
    clock.tick(seconds=40)
    assert decoded(shopper.get(f"/sales/{sale}/pass.svg").text) != first
    staff = shop.browser(shop.staff)
    answer = staff.post("/desk/exit", code=first)
    assert (verdict(answer.text), answer.status_code) == ("pass_stale", 409)


def test_the_codes_ahead_carry_a_phone_through_two_minutes(shop: DoorShop, clock: Clock) -> None:
    sale = shop.bought()
    answer = shop.browser(shop.shopper).get(f"/sales/{sale}/pass.svg?ahead=6").get_json()
    assert (answer["state"], answer["now"]) == ("live", clock.now.timestamp() * 1000)
    codes = answer["codes"]
    assert [code["from"] - codes[0]["from"] for code in codes] == [at * 20_000 for at in range(7)]
    assert all(code["until"] - code["from"] == 40_000 for code in codes)
    staff = shop.browser(shop.staff)
    clock.tick(seconds=120)
    moment = clock.now.timestamp() * 1000
    (current,) = [code for code in codes if code["from"] <= moment < code["from"] + 20_000]
    page = staff.post("/desk/exit", code=decoded(current["svg"])).text
    assert verdict(page) == "accepted"


@pytest.mark.parametrize("ahead", ["7", "-1", "", "x", "1.5", "9" * 5000, "³"])
def test_nobody_takes_more_codes_than_that(shop: DoorShop, ahead: str) -> None:
    sale = shop.bought()
    answer = shop.browser(shop.shopper).get(f"/sales/{sale}/pass.svg?ahead={ahead}")
    assert answer.status_code == 422


def test_a_refunded_sale_has_no_pass_and_a_used_one_says_so(shop: DoorShop) -> None:
    used, refunded = shop.bought(), shop.bought()
    with shop.app.app_context():
        shop.check(shop.pass_of(used))
        sales.refund(refunded, made_by=shop.staff)
    shopper = shop.browser(shop.shopper)
    for sale, state in ((used, "used"), (refunded, "refunded")):
        assert shopper.get(f"/sales/{sale}/pass.svg").status_code == 409
        answer = shopper.get(f"/sales/{sale}/pass.svg?ahead=6").get_json()
        assert (answer["state"], answer["codes"]) == (state, [])


def test_the_receipt_carries_the_pass_and_works_without_script(shop: DoorShop) -> None:
    sale = shop.bought()
    shopper = shop.browser(shop.shopper)
    page = shopper.get(f"/sales/{sale}").text
    (picture,) = re.findall(r'src="data:image/svg\+xml,([^"]+)"', page)
    assert decoded(unquote(picture)).endswith(shop.pass_of(sale))
    assert '<noscript><meta http-equiv="refresh" content="15"></noscript>' in page
    with shop.app.app_context():
        shop.check(shop.pass_of(sale))
    page = shopper.get(f"/sales/{sale}").text
    assert "data:image/svg+xml" not in page
    assert "refresh" not in page
    assert "Checked at the door" in page
    assert "Harbour Road" in page


# The staff's answer


def test_a_scan_at_the_exit_shows_the_bag_and_uses_the_pass_in_one_step(shop: DoorShop) -> None:
    sale = shop.bought(3)
    staff = shop.browser(shop.staff)
    page = staff.post("/desk/exit", code=shop.pass_of(sale)).text
    assert verdict(page) == "accepted"
    for words in ("4 pieces", "Oat milk", "Rye bread", "3 ×", "¥45.50", "Lin Yue", sale[:5]):
        assert words in page, words
    assert counts(shop) == (1, 1)
    answer = shop.browser(shop.colleague).post("/desk/exit", code=shop.pass_of(sale))
    assert (answer.status_code, verdict(answer.text)) == (409, "pass_used")
    for words in ("Used already", "Harbour Road", "Mei"):
        assert words in answer.text, words
    assert counts(shop) == (1, 2)


def test_an_address_is_not_shown_to_the_queue(shop: DoorShop) -> None:
    sale = shop.bought(member=shop.other)
    page = shop.browser(shop.staff).post("/desk/exit", code=shop.pass_of(sale)).text
    assert "mallory@" not in page
    assert "ma…@shop.example" in page


def test_the_phones_own_camera_opens_the_check_and_a_button_uses_the_pass(
    shop: DoorShop, clock: Clock
) -> None:
    staff = shop.browser(shop.staff)
    text = shop.pass_of(shop.bought())
    page = staff.get(f"/desk/exit?pass={text}").text
    assert verdict(page) == "look"
    assert counts(shop) == (0, 0)
    clock.tick(minutes=2)
    form = hidden_fields(page)
    assert verdict(staff.post("/desk/exit", **form).text) == "accepted"
    assert counts(shop) == (1, 1)
    # The same button pressed again is the same check; the proof is of no use to anybody else.
    assert verdict(staff.post("/desk/exit", **form).text) == "accepted"
    other = shop.pass_of(shop.bought())
    clock.tick(minutes=2)
    assert verdict(staff.post("/desk/exit", **{**form, "code": other}).text) == "pass_stale"


def test_a_proof_of_yesterday_does_not_revive_a_pass(shop: DoorShop, clock: Clock) -> None:
    staff = shop.browser(shop.staff)
    text = shop.pass_of(shop.bought())
    form = hidden_fields(staff.get(f"/desk/exit?pass={text}").text)
    clock.tick(minutes=6)
    assert verdict(staff.post("/desk/exit", **form).text) == "pass_stale"
    assert counts(shop)[0] == 0


def test_an_old_sale_is_let_through_by_a_persons_decision(shop: DoorShop, clock: Clock) -> None:
    staff = shop.browser(shop.staff)
    sale = shop.bought()
    clock.tick(hours=5)
    page = staff.post("/desk/exit", code=shop.pass_of(sale)).text
    assert verdict(page) == "pass_old"
    assert counts(shop)[0] == 0
    clock.tick(minutes=3)
    assert verdict(staff.post("/desk/exit", **hidden_fields(page)).text) == "accepted"


def test_staff_stand_where_they_say_and_other_places_passes_are_named(shop: DoorShop) -> None:
    staff = shop.browser(shop.staff)
    text = shop.pass_of(shop.bought(at=shop.mill), place=shop.mill)
    answer = staff.post("/desk/exit", code=text)
    assert (answer.status_code, verdict(answer.text)) == (409, "pass_elsewhere")
    assert "Mill Street" in answer.text
    assert staff.post("/desk/place", place="MILL").status_code == 303
    assert verdict(staff.post("/desk/exit", code=text).text) == "accepted"
    assert staff.post("/desk/place", place="NOWHERE").status_code == 404


@pytest.mark.parametrize(
    "text", ["4006381333931", "hello", "https://evil.example/x", "]d2010690123456789210A\x1d17"]
)
def test_what_is_no_pass_is_said_to_be_none(shop: DoorShop, text: str) -> None:
    answer = shop.browser(shop.staff).post("/desk/exit", code=text)
    assert (answer.status_code, verdict(answer.text)) == (422, "pass_invalid")


@pytest.mark.parametrize("text", ["", " ", "x" * 1001, "a\x00b"])
def test_what_nobody_can_have_scanned_is_refused(shop: DoorShop, text: str) -> None:
    answer = shop.browser(shop.staff).post("/desk/exit", code=text)
    assert answer.status_code == 422
    assert counts(shop) == (0, 0)


def test_the_desks_field_takes_a_pass_a_receipts_number_and_any_item(shop: DoorShop) -> None:
    staff = shop.browser(shop.staff)
    sale = shop.bought()
    assert verdict(staff.post("/desk", code=shop.pass_of(sale)).text) == "accepted"
    number = "-".join(sale[at : at + 5] for at in range(0, 20, 5)).lower()
    address = staff.post("/desk", code=number).headers["Location"]
    assert f'href="/desk/sales/{sale}"' in staff.get(address).text
    answer = staff.post("/desk", code="6901234567892")
    assert answer.headers["Location"] == "/desk/anything?code=6901234567892"
    assert "Oat milk" in staff.get(answer.headers["Location"]).text


def test_the_desk_tells_what_happened_at_the_exit(shop: DoorShop) -> None:
    staff = shop.browser(shop.staff)
    assert "No pass was checked here yet" in staff.get("/desk").text
    sale = shop.bought()
    staff.post("/desk/exit", code=shop.pass_of(sale))
    staff.post("/desk/exit", code=shop.pass_of(sale))
    staff.post("/desk/exit", code="hello")
    page = staff.get("/desk").text
    for words in ("1 let through", "2 refused", "Used already", "Not our pass"):
        assert words in page, words


def test_only_the_pages_with_a_camera_may_run_wasm(shop: DoorShop) -> None:
    staff = shop.browser(shop.staff)
    for path, allowed in (("/desk", True), ("/desk/exit", True), ("/scan", True), ("/me", False)):
        policy = staff.get(path).headers["Content-Security-Policy"]
        assert ("'wasm-unsafe-eval'" in policy) is allowed, path
        assert "'unsafe-eval'" not in policy


def hidden_fields(page: str) -> dict[str, str]:
    """The fields of the verdict's own form."""
    form = page.split('class="verdict', 1)[1].split("<form", 1)[1].split("</form>", 1)[0]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    del fields["csrf"]
    return fields
