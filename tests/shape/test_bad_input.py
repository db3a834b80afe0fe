"""Bad input: whatever is sent to any page or form, the shop answers with a page, never with a fault
of its own, and the books still add up.

The names of all fields are read from the source, so that a new form is tried without being told.
"""

from __future__ import annotations

import functools
import itertools
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from store import ids
from store.identity import passwords
from tests.world import Somebody, Thing, Visitor, World

ROOT = Path(__file__).resolve().parents[2]
_READS = re.compile(r"(?:forms|fields|request\.(?:args|form|values))\.\w+\(\s*f?[\"']([\w-]+)[\"']")
WHOLE = 2**63
NASTY: tuple[str, ...] = (
    "", " ", "\x00", "a\x00b", "\x00" * 50, "\ud800", "a\udfffb", "\ufffe\uffff", "\x1b[31m",
    "\x7f", "\r\nSet-Cookie: a=b", "0", "-1", "-0", "+1", "1.5", "1e5", "1e400", "NaN", "Infinity",
    "true", "None", "null", str(WHOLE - 1), str(WHOLE), str(-WHOLE - 1), str(2**53 + 1),
    "1" + "0" * 400, "9" * 10_000, "x" * 10_000, "牛" * 3000, "١٢٣", "½", "²", "𝟙", "1_000", "0x10",
    "1,5", "%00", "%", "%ED%A0%80", "../../etc/passwd", "..%2f..", "/", "\\", "//evil.example",
    "https://evil.example", "javascript:alert(1)", "<script>alert(1)</script>", "{{7*7}}",
    "${7*7}", "' OR 1=1 --", '"; --', "=cmd|' /C calc'!A0", "%s%n", "[]", "{}", '{"a":', "\u202e",
    "a\u0301" * 300, "🛒" * 500, "|", ",", "]C1010400638133393110ABC\x1d",
    "(01)04006381333931(3922)1", "https://x/01/04006381333931",
)  # fmt: skip


CORE = ("", "\x00", "\ud800", "-1", str(WHOLE), "1" + "0" * 400, "x" * 10_000, "½")
"""These are tried everywhere; of the others every page gets some, different ones in each run."""


def nasty(chance: random.Random) -> list[str]:
    return [*CORE, *chance.sample(NASTY, 4)]


@pytest.fixture
def chance() -> random.Random:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    return random.Random(seed)


def field_names() -> list[str]:
    found = {
        name
        for file in (ROOT / "store").rglob("*views*.py")
        for name in _READS.findall(file.read_text("utf-8"))
    }
    found |= {
        name
        for file in (ROOT / "store").rglob("forms.py")
        for name in _READS.findall(file.read_text("utf-8"))
    }
    return sorted(found | {"csrf", "lang", "next", "at"})


FIELDS = field_names()


def test_the_fields_were_found() -> None:
    expected = {"code", "quantity", "key", "seen_minor", "label", "reason", "identifier", "amount"}
    assert expected <= set(FIELDS)
    assert len(FIELDS) > 30


@dataclass
class Shop:
    """A shop with one browser for each kind of visitor, and the ids of other people's things."""

    world: World
    browsers: dict[str, Visitor]
    lin: Somebody
    milk: Thing
    known: list[str]

    def sound(self, response: TestResponse, what: object) -> None:
        assert response.status_code < 500, (response.status_code, what, response.data[:300])
        assert b"Traceback" not in response.data  # Bytes: some answers are pictures.


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    # As a real shop answers: a fault becomes a 500 page, and the test sees it as the visitor would.
    return settings | {"TESTING": False, "SIGN_IN_TRIES": 10**6}


@pytest.fixture
def shop(world: World) -> Iterator[Shop]:
    passwords.set_hasher(passwords.QUICK)
    lin, milk = world.member("Lin", funds="100"), world.item(on_hand=50)
    sale = world.buy(lin, milk)
    people = {"shopper": lin, "staff": world.staff(), "owner": world.owner()}
    browsers = {role: world.client_for(member) for role, member in people.items()}
    browsers["guest"] = world.visitor()
    known = [
        sale.id,
        milk.code,
        milk.gtin or "",
        str(lin.id),
        "MAIN",
        ids.new(),
        "1",
        "2",
        lin.email,
    ]
    yield Shop(world, browsers, lin, milk, known)
    passwords.set_hasher(passwords.STRONG)
    assert world.faults() == []


def routes(app: Flask, method: str) -> list[str]:
    """The paths with {} for each value in them; those that end a sign-in are left out."""
    return sorted(
        re.sub(r"<[^>]+>", "{}", rule.rule)
        for rule in app.url_map.iter_rules()
        if method in (rule.methods or ())
        and rule.endpoint not in ("identity.sign_out", "identity.end_other_devices", "static")
    )


def some(app: Flask, method: str, chance: random.Random) -> list[str]:
    """All paths on PostgreSQL, stricter in what it keeps; half of them on SQLite, other ones in
    each run."""
    found = routes(app, method)
    if app.config["DATABASE_URL"].startswith("sqlite"):
        return chance.sample(found, len(found) // 2)
    return found


@functools.cache
def quoted(value: str) -> str:
    """In an address as a hostile client would write it: bytes that are no UTF-8 included."""
    return quote_from_bytes(value.encode("utf-8", "surrogatepass")[:3000], safe="") or "%20"


@pytest.mark.parametrize("role", ["guest", "owner"])
def test_every_page_with_every_nasty_value_in_its_address(
    shop: Shop, app: Flask, chance: random.Random, role: str
) -> None:
    client = shop.browsers[role].client
    for path in some(app, "GET", chance):
        for value in nasty(chance) if "{}" in path else [""]:
            shop.sound(client.get(path.replace("{}", quoted(value))), (path, value[:40]))


@pytest.mark.parametrize("role", ["guest", "owner"])
def test_every_page_with_every_nasty_value_in_its_question(
    shop: Shop, app: Flask, chance: random.Random, role: str
) -> None:
    client = shop.browsers[role].client
    for path in some(app, "GET", chance):
        here = path.replace("{}", shop.known[0])
        for value in chance.sample(nasty(chance), 3):
            question = "&".join(f"{name}={quoted(value[:100])}" for name in FIELDS)
            shop.sound(client.get(f"{here}?{question}"), (here, value[:40]))


@pytest.mark.parametrize("role", ["shopper", "owner"])
def test_every_form_with_every_nasty_value_in_all_its_fields(
    shop: Shop, app: Flask, chance: random.Random, role: str
) -> None:
    browser, many = shop.browsers[role], {"shopper": 5, "owner": 12}[role]
    for path in some(app, "POST", chance):
        for value in chance.sample(nasty(chance), many):
            form = dict.fromkeys(FIELDS, value[:600])
            form.pop("csrf")
            shop.sound(send(browser, path.replace("{}", shop.known[0]), form), (path, value[:40]))


def send(browser: Visitor, path: str, form: dict[str, str]) -> TestResponse:
    """A form whose values no browser would write, in bytes, with a true token."""
    if not browser._csrf:
        browser.get("/sign-in")
    fields = {"csrf": browser._csrf} | form
    body = "&".join(f"{name}={quoted(value)}" for name, value in fields.items())
    return browser._seen(
        browser.client.post(
            path, data=body.encode(), content_type="application/x-www-form-urlencoded"
        )
    )


VALUES = st.one_of(
    st.sampled_from(NASTY), st.text(max_size=200), st.integers().map(str),
    st.floats().map(str), st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")),
)  # fmt: skip


@hypothesis_settings(
    deadline=None,
    max_examples=150,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_random_visitors_with_random_forms(shop: Shop, app: Flask, data: st.DataObject) -> None:
    """Mixed with what is true: real codes, ids of other people's things, half-right forms."""
    role = data.draw(st.sampled_from(sorted(shop.browsers)))
    value = st.one_of(VALUES, st.sampled_from(shop.known))
    method = data.draw(st.sampled_from(["GET", "POST", "POST"]))
    path = data.draw(st.sampled_from(routes(app, method)))
    while "{}" in path:
        path = path.replace("{}", quoted(data.draw(value)), 1)
    form = data.draw(st.dictionaries(st.sampled_from(FIELDS), value, max_size=8))
    browser = shop.browsers[role]
    if method == "POST":
        response = send(browser, path, form)
    else:
        question = "&".join(f"{name}={quoted(text)}" for name, text in form.items())
        response = browser.client.get(f"{path}?{question}")
    shop.sound(response, (role, method, path, form))


def test_bodies_that_are_not_what_they_say(shop: Shop, app: Flask, chance: random.Random) -> None:
    browser = shop.browsers["owner"]
    token = browser._csrf
    kinds = (
        "application/json", "text/plain", "multipart/form-data", "multipart/form-data; boundary=",
        "multipart/form-data; boundary=x", "application/x-www-form-urlencoded; charset=utf-7",
        "application/x-www-form-urlencoded", "", "x", "\u00fc/\u00fc",
    )  # fmt: skip
    part = b'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n%s\r\n--x--'
    true = b"csrf=%s" % token.encode()
    bodies = (b"", b"{", b"--x", b"--x\r\n\r\n--x--", b"\xff" * 100, true, part % token.encode(),
              b"&" * 5000, b"=" * 5000, b"a=1&" * 2000, true + b"&%00=%00&%ff=%fe")  # fmt: skip
    for path in some(app, "POST", chance):
        for kind, body in chance.sample(list(itertools.product(kinds, bodies)), 8):
            here = path.replace("{}", shop.known[0])
            answer = browser.client.post(here, data=body, content_type=kind)
            shop.sound(answer, (here, kind, body[:30]))


def test_ten_megabytes_are_refused_before_they_are_read(shop: Shop, app: Flask) -> None:
    browser = shop.browsers["owner"]
    body = b"csrf=" + browser._csrf.encode() + b"&code=" + b"x" * 10_000_000
    for path in routes(app, "POST"):
        answer = browser.client.post(
            path.replace("{}", shop.known[0]), data=body,
            content_type="application/x-www-form-urlencoded",
        )  # fmt: skip
        assert answer.status_code in (401, 404, 413), (path, answer.status_code)


def test_cookies_that_are_none_of_ours(shop: Shop, app: Flask) -> None:
    names = ("visit", "lang", "at", "basket", "place", "notes")
    for value in (*NASTY[:20], "a" * 43, '"\\000"', '"\\377\\200"', "é" * 43, "=;=;", "x" * 4000):
        client = app.test_client(use_cookies=False)
        header = "; ".join(f"{name}={value}" for name in names)
        raw = re.sub(r"[\r\n\x00\ud800-\udfff]", "", header).encode().decode("latin-1")
        for path in ("/", "/basket", f"/i/{shop.milk.code}", "/me", "/desk", "/sign-in", "/scan"):
            shop.sound(client.get(path, headers={"Cookie": raw}), (path, value))


def test_headers_that_are_odd(shop: Shop, app: Flask) -> None:
    client = shop.browsers["owner"].client
    odd = {
        "Accept-Language": ("x" * 5000, "en;q=nan", "zh-" * 500, ";;;", "é"),
        "Accept": ("x" * 5000, "linkset", "*/*;q=x"),
        "Host": ("evil.example", "[::1", "a b", "x:99999999999", ""),
        "If-None-Match": ('"', "x" * 5000), "Range": ("bytes=9-1", "x"),
        "X-Forwarded-For": ("é", "x" * 5000), "User-Agent": ("\u00ff" * 500, ""),
    }  # fmt: skip
    for name, values in odd.items():
        for value in values:
            for path in ("/", f"/i/{shop.milk.code}", f"/01/{shop.milk.gtin}", "/basket"):
                shop.sound(client.get(path, headers={name: value}), (path, name, value[:40]))


def test_nothing_a_shopper_says_changes_a_price_or_a_role(shop: Shop) -> None:
    """Extra fields, and prices of one's own, are no part of any form."""
    browser, before = shop.browsers["shopper"], shop.world.balance(shop.lin)
    form = MultiDict(
        {"code": shop.milk.code, "quantity": "1", "key": ids.new(), "seen_minor": "100000",
         "price": "0.01", "unit_minor": "1", "total_minor": "1", "member_id": "2", "role": "owner",
         "balance_minor": "1000000", "currency": "JPY", "again": "1", "confirmed": "1"}
    )  # fmt: skip
    answer = browser.post("/sales", dict(form.items()))
    assert answer.status_code == 303
    assert before - shop.world.balance(shop.lin) == shop.milk.price_minor
    browser.post("/me/name", {"name": "Lin", "role": "owner", "balance_minor": "1000000"})
    assert browser.get("/owner").status_code == 403


def test_a_form_with_nul_is_refused_before_anything_reads_it(shop: Shop) -> None:
    """No person can type it and no column keeps it: the same refusal, whatever page it was for."""
    for name in ("identifier", "next", "code"):
        answer = send(shop.browsers["shopper"], "/sales", {name: "a\x00b"})
        assert answer.status_code == 422, (name, answer.status_code)
