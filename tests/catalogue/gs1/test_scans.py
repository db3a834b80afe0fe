"""One reading for whatever was scanned or typed."""

from __future__ import annotations

import json
import timeit
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.catalogue.gs1 import CodeFault, build_link, parse_link, read, read_link
from store.catalogue.gs1.ais import AIS, check_value
from store.catalogue.gs1.associations import check_associations
from store.catalogue.gs1.element_string import build, build_bracketed, parse, parse_bracketed
from store.catalogue.gs1.gtin import check_digit, compress_upc_e, expand_upc_e, normalise
from store.catalogue.gs1.in_store import read_in_store

GTIN = "06950207003912"


@pytest.mark.parametrize(
    "text",
    [
        "6950207003912",
        " 6 950207 003912\n",
        "6950207-003912",
        "６９５０２０７００３９１２",
        GTIN,
        "]E06950207003912",
        f"]C101{GTIN}",
        f"\x1d01{GTIN}",
        f"01{GTIN}",
        f"(01){GTIN}",
        f"（01）{GTIN}",
        f"https://shop.example/01/{GTIN}",
        f"http://anything.example:81/some/path/01/{GTIN}?l=1",
        f"]Q1https://shop.example/01/{GTIN}",
        f"HTTPS://SHOP.EXAMPLE/01/{GTIN}",
        "https://shop.example/01/6950207003912/",
        "shop.example/01/6950207003912",
    ],
)
def test_every_way_to_say_one_gtin(text: str) -> None:
    scan = read(text)
    assert scan.gtin == GTIN
    assert scan.ais == (("01", GTIN),)
    assert scan.text == text


def test_a_labels_link_tells_its_label_and_host() -> None:
    scan = read(f"https://Shop.example:8000/01/{GTIN}?l=K7%2F1&linkType=gs1:pip")
    assert (scan.kind, scan.host, scan.repairs) == ("digital_link", "shop.example:8000", ())
    assert scan.param("l") == "K7/1"
    assert scan.param("linkType") == "gs1:pip"
    assert scan.param("none") is None


def test_a_link_with_everything() -> None:
    scan = read(
        f"https://shop.example/01/{GTIN}/22/V/10/B1/21/S1?17=261200&15=261124&3103=000750&3932=1561299&30=4",
        this_year=2026,
    )
    assert (scan.variant, scan.batch, scan.serial) == ("V", "B1", "S1")
    assert scan.expires_on == date(2026, 12, 31)
    assert scan.best_before_on == date(2026, 11, 24)
    assert (scan.weight_g, scan.count) == (750, 4)
    assert (scan.price, scan.currency) == (Decimal("12.99"), "CNY")


def test_a_mended_link_says_where_to_go() -> None:
    scan = read("https://shop.example/01/6950207003912/?l=1")
    assert scan.repairs == ("empty path segment", "short GTIN")
    assert scan.link
    assert scan.link.uri() == f"https://shop.example/01/{GTIN}?l=1"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("https://shop.example/i/TEA-1", "TEA-1"),
        ("https://shop.example/deep/i/TEA-1/?l=7", "TEA-1"),
        ("https://shop.example/i/%E8%8C%B6%201?l=7", "茶 1"),
    ],
)
def test_goods_without_a_gtin_have_a_path_of_their_own(text: str, code: str) -> None:
    scan = read(text)
    assert (scan.kind, scan.code, scan.gtin, scan.host) == ("item", code, None, "shop.example")


def test_upc_e_and_gtin_8_are_told_apart_where_they_can_be() -> None:
    assert read("04252614").gtin == "00042100005264"
    assert read("96385074").gtin == "00000096385074"
    both = read("01234565")
    assert (both.gtin, both.alternative) == ("00012345000065", "00000001234565")
    assert read("]E496385074").gtin == "00000096385074"


@pytest.mark.parametrize(
    "sign", ["\x1d", "<GS>", "{GS}", "[gs]", "\u241d", "\\x1d", "~d029", "\u2194"]
)
@pytest.mark.parametrize("before", ["", "]C1", "]d2", "\x1d", "\ufeff"])
def test_a_separator_that_a_scanner_spells_ends_the_batch(before: str, sign: str) -> None:
    # Else the last day would be a part of the batch, and goods past it would be sold.
    scan = read(f"{before}01{GTIN}10AB/1{sign}17261231{sign}21X\r\n")
    assert (scan.gtin, scan.batch, scan.serial) == (GTIN, "AB/1", "X")
    assert scan.expires_on == date(2026, 12, 31)


def test_what_is_written_for_people_may_have_blanks_around_its_brackets() -> None:
    scan = read(f" (01) {GTIN} (10) AB<GS> (17) 261231\t")
    assert (scan.gtin, scan.batch, scan.expires_on) == (GTIN, "AB", date(2026, 12, 31))


def test_an_envelope_of_elements() -> None:
    scan = read(f"[)>\x1e05\x1d01{GTIN}\x1d10AB\x1e\x04")
    assert (scan.gtin, scan.batch) == (GTIN, "AB")


@pytest.mark.parametrize(
    "text",
    [
        '\'àà-"_&"""ç"&',  # The French keyboard's digits,
        "čééžšá+šššíš+",  # the Czech one's,
        'httpsM!!shop:exq,ple!à&!à\'àà-"_&"""ç"&',
        "httpsÖ--shop.example-01-04006381333931",
        "httpsÖ--shop.example-01-04006381333931_l´AB1Y",
        "httpÑ--shop.example-01-04006381333931",
        "\u200e4006381333931\u200b",
        "\x024006381333931\x03",
        "]Q3https://shop.example/01/04006381333931",
    ],
)
def test_a_hand_scanner_on_a_keyboard_of_another_country(text: str) -> None:
    scan = read(text)
    assert (scan.gtin, scan.text) == ("04006381333931", text)


def test_of_another_keyboard_only_what_leaves_no_doubt_is_believed() -> None:
    french = read('httpsM!!shop:exq,ple!à&!à\'àà-"_&"""ç"&!&à!?qAw)&§&è=é-&é"&7l=QWç')
    assert (french.batch, french.param("l")) == ("MaQz-1", "AZ9")
    assert french.expires_on == date(2026, 12, 31)
    known = read("httpsÖ--localhostÖ8000-01-04006381333931-10-AB1_17´261231/l´AB1Y")
    assert (known.batch, known.expires_on, known.host) == (
        "AB1",
        date(2026, 12, 31),
        "localhost:8000",
    )
    assert known.param("l") is None
    # y and z are each other's on some of them: rather no batch than another one.
    assert read("httpsÖ--shop.example-01-04006381333931-10-Y1_17´261231").batch is None
    assert read("httpsÖ--shop.example-i-TEA1").kind == "other"
    for text in ('\'àà-"_&"""ç"é', "((((((((-", "čéé"):
        assert read(text).gtin is None, text


def test_issue_and_price_beside_the_bars_of_a_periodical_are_no_part_of_its_number() -> None:
    for text in ("977147396801203", "9771473968012 03", "]E3977147396801203"):
        assert read(text).gtin == "09771473968012", text
    assert read("978020137962451995").gtin == "09780201379624"
    assert read("]E3400638133393105").gtin == "04006381333931"
    # Other goods have none: what looks like it is something else.
    assert read("400638133393105").kind == "other"
    assert read("977147396801303").kind == "other"


def test_a_scale_label_has_weight_or_price_but_no_gtin() -> None:
    weighed = read("2112345012346")
    assert (weighed.kind, weighed.code, weighed.weight_g) == ("in_store", "2112345", 1234)
    assert weighed.gtin is None
    priced = read("2312345012999")
    assert (priced.code, priced.price) == ("2312345", Decimal("12.99"))
    ours = read("2312345012999", layouts=("23iiiiiWW.WWWc",))
    assert (ours.price, ours.weight_g) == (None, 1299)


@pytest.mark.parametrize(
    "text", ["", " ", "TEA-1", "K7X2QP", "12345", "(red)", "WIFI:S:x;;", "https://x.example/", "]"]
)
def test_what_is_no_code_is_left_to_the_caller(text: str) -> None:
    scan = read(text)
    assert (scan.kind, scan.text, scan.gtin) == ("other", text, None)


def test_thirteen_digits_with_a_slip_may_still_be_a_sku_but_the_slip_is_told() -> None:
    scan = read("6950207003913")
    assert scan.kind == "other"
    assert scan.fault
    assert scan.fault.at == 12


@pytest.mark.parametrize(
    "text",
    [
        "https://shop.example/01/06950207003913",
        "]C10106950207003913",
        "(01)06950207003913",
        "\x1d99",
        f"https://shop.example/01/{GTIN}?17=261331",
        "x" * 8192,
    ],
)
def test_a_broken_code_of_gs1_is_refused(text: str) -> None:
    with pytest.raises(CodeFault):
        read(text)


def test_a_leap_day_survives_another_century() -> None:
    scan = read(f"(01){GTIN}(17)000229", this_year=2070)
    assert scan.expires_on == date(2100, 2, 28)


def test_a_label_is_read_in_well_under_a_tenth_of_a_millisecond() -> None:
    uri = f"https://shop.example/01/{GTIN}?l=AB12CD34EF567890"
    best_s = min(timeit.repeat(lambda: read(uri), number=200, repeat=30)) / 200
    assert best_s < 100e-6


# --- whatever comes ----------------------------------------------------------------------------

READERS: list[Any] = [
    read,
    parse_link,
    read_link,
    parse,
    parse_bracketed,
    normalise,
    expand_upc_e,
    compress_upc_e,
    check_digit,
    read_in_store,
    lambda text: parse(text, announced=False),
    lambda text: parse_bracketed(text, unknown=True),
    lambda text: build_link([("01", GTIN), ("10", text)], "https://shop.example"),
    lambda text: build_link([(text, text)], "x", unknown_as_attributes=True),
    lambda text: build([("10", text)]),
]
ANY_CHARACTER = st.characters(exclude_categories=())  # Lone surrogates and NUL among them.
PIECES = st.sampled_from(
    [
        *"https:// HTTP:// shop.example / // ? & = # % %00 %zz + ( ) \\( ^ ]C1 ]d2 ]E0".split(),
        *"/01/ 01 06950207003912 6950207003912 /10/ 10 /21/ 17 261231 3103 000750 gtin".split(),
        *"/i/ 8110 7258 0123456123456111101231 8007 DE91100000000123456789 8030 ==".split(),
        *"21123450 12346 00 ² １ ٠ ／ （".split(),
        *("\x1d", "\ud800", "\x00", " ", "\n"),
    ]
)
TEXTS = st.one_of(
    st.text(ANY_CHARACTER, max_size=60),
    st.text("0123456789", max_size=20),
    st.lists(PIECES, max_size=14).map("".join),
)


def fault_of(reader: Any, text: str) -> CodeFault | None:
    try:
        reader(text)
    except CodeFault as fault:
        return fault
    return None


@given(TEXTS)
@settings(max_examples=600, deadline=None)
def test_no_text_raises_anything_but_a_refusal_that_can_be_sent(text: str) -> None:
    for reader in READERS:
        fault = fault_of(reader, text)
        if fault:
            assert json.loads(json.dumps(fault.data)) == fault.data
            assert fault.message.encode()
            assert fault.at is None or fault.at >= 0


@pytest.mark.parametrize("piece", ["0", "/01/", "(01)", "\x1d", "&17=1", "/i/", "%", "\ud800", "²"])
def test_ten_thousand_characters_are_refused_or_read_at_once(piece: str) -> None:
    for lead in ("", "https://shop.example", "(10)", "]C1", f"https://x/01/{GTIN}?"):
        for length in (8000, 10_000):
            text = (lead + piece * 10_000)[:length]
            for reader in READERS:
                fault = fault_of(reader, text)
                assert fault is None or len(fault.message) < 400


def _value(ai: str) -> st.SearchStrategy[str]:
    """Values of an identifier whose parts have no rules but their characters."""
    letters = {"N": "0123456789", "X": "!\"%&'()*+,-./09:;<=>?AZ_az", "Y": "#-/09AZ"}
    parts = [
        st.text(letters[part.charset], min_size=part.shortest, max_size=part.longest)
        for part in AIS[ai].components
    ]
    return st.tuples(*parts).map("".join)


FREE = [
    ai
    for ai, each in AIS.items()
    if not any(part.lints or part.charset == "Z" or part.optional for part in each.components)
]
ELEMENTS = st.lists(st.sampled_from(FREE), min_size=1, max_size=6, unique=True).flatmap(
    lambda ais: st.tuples(*(st.tuples(st.just(ai), _value(ai)) for ai in ais))
)


@given(ELEMENTS)
@settings(max_examples=300, deadline=None)
def test_elements_go_into_a_string_and_come_back(elements: tuple[tuple[str, str], ...]) -> None:
    assert parse(build(elements)) == elements
    assert parse_bracketed(build_bracketed(elements)) == elements


@given(
    st.integers(0, 10**13 - 1),
    st.dictionaries(st.sampled_from(["22", "10", "21", "17", "91", "30", "3922", "240"]), TEXTS),
)
@settings(max_examples=300, deadline=None)
def test_elements_go_into_a_link_and_come_back(number: int, others: dict[str, str]) -> None:
    payload = f"{number:013}"
    elements = [("01", f"{payload}{check_digit(payload)}")]
    for ai, value in others.items():
        try:
            check_value(AIS[ai], value)
            check_associations([*elements, (ai, value)])
        except CodeFault:
            continue
        elements.append((ai, value))
    link = parse_link(build_link(elements, "https://shop.example"))
    assert sorted(link.elements) == sorted(elements)
    assert parse_link(link.uri()).uri() == link.uri()
