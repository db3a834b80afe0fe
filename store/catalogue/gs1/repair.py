"""Lenient reading of Digital Links: harmless deviations mended, so that a phone can be sent on.

Strict reading is for what we print and for the resolver's 400. A shopper before a shelf must not
be punished for a link that lost a zero on its way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .ais import AIS
from .digital_link import DigitalLink, Pair, parse
from .fault import CodeFault, refuse_too_long
from .percent import escape, unescape

__all__ = ["Reading", "read_link"]

# The words that stood for numbers until version 1.2 of the standard.
_WORDS = {
    "cpid": "8010",
    "cpsn": "8011",
    "cpv": "22",
    "gcn": "255",
    "gdti": "253",
    "giai": "8004",
    "ginc": "401",
    "gln": "414",
    "glnx": "254",
    "gmn": "8013",
    "grai": "8003",
    "gsin": "402",
    "gsrn": "8018",
    "gsrnp": "8017",
    "gtin": "01",
    "itip": "8006",
    "lot": "10",
    "party": "417",
    "payto": "415",
    "refno": "8020",
    "ser": "21",
    "srin": "8019",
    "sscc": "00",
}
_START = re.compile(
    r"(https?)://([^/?#]+)([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A link and what was mended. Without repairs the text was right as it stood; with them,
    `link.uri()` is the form to redirect to."""

    link: DigitalLink
    repairs: tuple[str, ...] = ()


def read_link(text: str) -> Reading:
    """Read strictly, else mend and read again. Raises the strict reading's CodeFault if neither.

    Mended: blanks around it, the scheme's capitals, empty path segments (a trailing slash), words
    for numbers (`/gtin/`), a GTIN of 8, 12 or 13 digits, qualifiers out of order or in the query,
    and an attribute that is repeated with the same value.
    """
    refuse_too_long(text)
    try:
        return Reading(parse(text))
    except CodeFault as fault:
        strict = fault
    start = _START.fullmatch(text.strip())
    if start is None:
        raise strict
    repairs: list[str] = []
    mended = _mended_uri(start, repairs)
    if mended is None:
        raise strict
    try:
        link = parse(mended)
    except CodeFault:
        raise strict from None
    return Reading(link, tuple(repairs) or ("blanks",))


def _mended_uri(start: re.Match[str], repairs: list[str]) -> str | None:
    scheme, host, path, query, fragment = start.groups(default="")
    if scheme not in ("http", "https", "HTTP", "HTTPS"):
        scheme = scheme.lower()
        repairs.append("scheme")
    segments = path.split("/")[1:]
    full = [each for each in segments if each]
    if len(full) < len(segments):
        repairs.append("empty path segment")
    found = _key_and_pairs(full, repairs)
    if found is None:
        return None
    stem, pairs = found
    attributes, others = _query(query, repairs)
    pairs, attributes = _sorted_pairs(pairs, attributes, repairs)
    link = DigitalLink(
        stem="/".join((f"{scheme}://{host}", *stem)),
        key=_full_gtin(pairs[0], repairs),
        qualifiers=tuple(pairs[1:]),
        attributes=tuple(_full_gtin(pair, repairs) for pair in attributes),
        raw_params=tuple(others),
        fragment=fragment,
    )
    return _as_found(link)


def _as_found(link: DigitalLink) -> str:
    """The URI with the attributes in their own order, so that strict reading keeps it."""
    path = replace(link, attributes=(), raw_params=(), fragment="").uri()
    query = [f"{ai}={escape(value, in_query=True)}" for ai, value in link.attributes]
    query += link.raw_params
    tail = f"#{link.fragment}" if link.fragment else ""
    return f"{path}{'?' if query else ''}{'&'.join(query)}{tail}"


def _key_and_pairs(segments: list[str], repairs: list[str]) -> tuple[list[str], list[Pair]] | None:
    """The path before the key, and the pairs from the key on, decoded."""
    pairs: list[Pair] = []
    for at in range(len(segments) - 2, -1, -2):
        word = segments[at]
        ai = word if word in AIS else _WORDS.get(word.lower())
        if ai is None:
            return None
        if ai != word:
            repairs.append("word for a number")
        pairs.insert(0, (ai, unescape(segments[at + 1], in_query=False)))
        if AIS[ai].is_key:
            return segments[:at], pairs
    return None


def _query(query: str, repairs: list[str]) -> tuple[list[Pair], list[str]]:
    attributes: list[Pair] = []
    others: list[str] = []
    for part in query.split("&"):
        name, equals, raw = part.partition("=")
        if equals and name.isdigit():
            pair = (name, unescape(raw, in_query=True))
            if pair in attributes:
                repairs.append("repeated attribute")
            else:
                attributes.append(pair)
        elif part:
            others.append(part)
    return attributes, others


def _sorted_pairs(
    pairs: list[Pair], attributes: list[Pair], repairs: list[str]
) -> tuple[list[Pair], list[Pair]]:
    """Qualifiers in the standard's order, those from the query among them."""
    key, given = pairs[0], pairs[1:]
    present = {ai for ai, _ in given}
    order = max(AIS[key[0]].qualifiers, key=lambda each: len(present & set(each)), default=())
    if not present <= set(order) or len(present) < len(given):
        return pairs, attributes
    moved = [pair for pair in attributes if pair[0] in order and pair[0] not in present]
    wanted = sorted(given + moved, key=lambda pair: order.index(pair[0]))
    if moved:
        repairs.append("qualifier in the query")
    if [pair for pair in wanted if pair in given] != given:
        repairs.append("order of qualifiers")
    left = [pair for pair in attributes if pair not in moved]
    new = [pair for pair in left if pair not in pairs]
    if len(new) < len(left):
        repairs.append("repeated attribute")
    return [key, *wanted], new


def _full_gtin(pair: Pair, repairs: list[str]) -> Pair:
    ai, value = pair
    if ai == "01" and len(value) in (8, 12, 13):
        repairs.append("short GTIN")
        return ai, value.zfill(14)
    return pair
