"""GS1 Digital Link URIs: a web address that holds a key, its qualifiers and attributes.

Source: GS1 Digital Link Standard: URI Syntax 1.6. The path ends in the key and its qualifiers,
`/01/{gtin}/22/{variant}/10/{batch}/21/{serial}`; attributes stand in the query, `?17=261231`,
beside parameters that mean nothing to GS1 (`l=…`, `linkType=…`), which are kept as they are.
Host and leading path may be anything. No compression, no word instead of a number (`/gtin/`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote_plus

from .ais import AIS, Identifier, check_value, identify, value_fault
from .associations import Elements, check_associations, without_repeats
from .element_string import check_unknown
from .fault import LONGEST_TEXT, CodeFault, excerpt, refuse_too_long
from .lints import check_digit_sum
from .percent import escape, raw_offset, unescape

__all__ = ["CANONICAL_STEM", "DigitalLink", "arrange", "build", "parse", "read_params"]

CANONICAL_STEM = "https://id.gs1.org"

_SCHEMES = ("https://", "HTTPS://", "http://", "HTTP://")
_URI_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")
_HOST_FAULT = re.compile(r"[_~?#@!$&'()*+,;=%]")

# What nearly every label holds, read in one step: a GTIN and parameters that need no decoding.
_PARAM = r"[A-Za-z][A-Za-z0-9._\-]*=[A-Za-z0-9._~\-]*"
_PLAIN = re.compile(
    rf"(https?://[A-Za-z0-9.\-]+(?::[0-9]+)?)/01/([0-9]{{14}})(?:\?({_PARAM}(?:&{_PARAM})*)?)?"
)

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class DigitalLink:
    """A link taken apart. `raw_params` are the query's other parameters, still encoded."""

    stem: str
    key: Pair
    qualifiers: tuple[Pair, ...] = ()
    attributes: tuple[Pair, ...] = ()
    raw_params: tuple[str, ...] = ()
    fragment: str = ""

    @property
    def elements(self) -> tuple[Pair, ...]:
        return (self.key, *self.qualifiers, *self.attributes)

    @property
    def gtin(self) -> str | None:
        return self.key[1] if self.key[0] == "01" else None

    @property
    def params(self) -> tuple[Pair, ...]:
        """The other parameters, decoded: (("l", "AB12"),)."""
        return read_params(self.raw_params)

    @property
    def canonical(self) -> str:
        """The same thing on GS1's own host, without foreign parameters."""
        return self.uri(CANONICAL_STEM, keep_params=False)

    def uri(self, stem: str | None = None, *, keep_params: bool = True) -> str:
        """The link in its right form, on its own stem or another: for printing or a redirect.

        Attributes of predefined length come first, as GS1's own software writes them.
        """
        path = "".join(
            f"/{ai}/{escape(value, in_query=False)}" for ai, value in (self.key, *self.qualifiers)
        )
        ordered = sorted(self.attributes, key=_separated)
        query = [f"{ai}={escape(value, in_query=True)}" for ai, value in ordered]
        if keep_params:
            query += self.raw_params
        base = (self.stem if stem is None else stem).rstrip("/")
        tail = f"#{self.fragment}" if keep_params and self.fragment else ""
        return f"{base}{path}{'?' if query else ''}{'&'.join(query)}{tail}"


def read_params(raw_params: Iterable[str]) -> tuple[Pair, ...]:
    """Parameters as a web form writes them, decoded."""
    pairs: list[Pair] = []
    for raw in raw_params:
        name, _, value = raw.partition("=")
        coded = "%" in raw or "+" in raw
        pairs.append((unquote_plus(name), unquote_plus(value)) if coded else (name, value))
    return tuple(pairs)


def parse(uri: str) -> DigitalLink:
    """Read strictly, as GS1's Barcode Syntax Engine does. Raises CodeFault with the place.

    Refusals in order: characters, scheme, host, no key in the path, an empty or malformed value,
    qualifiers that do not belong or stand in the wrong order, attributes that are repeated or do
    not belong in the query, companions.
    """
    plain = _PLAIN.fullmatch(uri)
    if plain and not check_digit_sum(plain[2]) and len(uri) <= LONGEST_TEXT:
        params = tuple(plain[3].split("&")) if plain[3] else ()
        return DigitalLink(plain[1], ("01", plain[2]), raw_params=params)
    return _parse_any(uri)


def _parse_any(uri: str) -> DigitalLink:
    refuse_too_long(uri)
    good = _URI_CHARACTERS.match(uri)
    if good is None or good.end() < len(uri):
        at = good.end() if good else 0
        raise CodeFault(f"{excerpt(uri[at])} may not stand in a web address.", at=at)
    path_at = _path_start(uri)
    rest, _, fragment = uri[path_at:].partition("#")
    path, question, query = rest.partition("?")
    stem_end, pairs = _path_pairs(path, path_at)
    attributes, raw_params = _query_pairs(query, path_at + len(path) + len(question))
    key, qualifiers = pairs[0], pairs[1:]
    _check_order(key[0], [ai for ai, _ in qualifiers])
    _check_attributes(key[0], qualifiers, attributes)
    link = DigitalLink(
        stem=uri[:path_at] + path[:stem_end],
        key=key,
        qualifiers=tuple(qualifiers),
        attributes=tuple(attributes),
        raw_params=raw_params,
        fragment=fragment,
    )
    check_associations(link.elements)
    return link


def build(
    elements: Elements,
    stem: str,
    *,
    params: Iterable[Pair] = (),
    unknown_as_attributes: bool = False,
) -> str:
    """The URI of the elements on a stem such as `https://shop.example`; `params` go at its end.

    The first key among the elements leads, its qualifiers follow in the standard's order, all
    else becomes attributes. Raises CodeFault where that is not allowed.
    """
    link = arrange(elements, stem, unknown_as_attributes=unknown_as_attributes)
    extra = [
        f"{escape(name, in_query=True)}={escape(text, in_query=True)}" for name, text in params
    ]
    uri = link.uri()
    return f"{uri}{'&' if '?' in uri else '?'}{'&'.join(extra)}" if extra else uri


def arrange(elements: Elements, stem: str, *, unknown_as_attributes: bool = False) -> DigitalLink:
    """Share the elements out between key, qualifiers and attributes of a link on that stem."""
    once = without_repeats(elements)
    for ai, value in once:
        if ai in AIS or not unknown_as_attributes:
            check_value(identify(ai), value)
        else:
            check_unknown(ai, value)
    check_associations(once)
    values = dict(once)
    key = next((ai for ai in values if ai in AIS and AIS[ai].is_key), None)
    if key is None:
        raise CodeFault("No element is a key of a Digital Link, such as (01).")
    # Of the alternatives the one that takes most of them; the first where they are even.
    order = max(AIS[key].qualifiers, key=lambda each: len(values.keys() & each), default=())
    qualifiers = tuple((ai, values.pop(ai)) for ai in order if ai in values)
    lead = (key, values.pop(key))
    for ai in values:
        if ai in AIS and not AIS[ai].attribute:
            raise CodeFault(f"AI ({ai}) may not stand in a Digital Link's query.", ai=ai)
    return DigitalLink(stem, lead, qualifiers, tuple(values.items()))


def _path_start(uri: str) -> int:
    """Where the path begins, after a scheme and a host that may be there."""
    scheme = next((each for each in _SCHEMES if uri.startswith(each)), None)
    if scheme is None:
        raise CodeFault("A Digital Link begins with https:// or http://.", at=0)
    slash = uri.find("/", len(scheme))
    if slash <= len(scheme):
        raise CodeFault("A host and a path are needed.", at=len(scheme))
    bad = _HOST_FAULT.search(uri, len(scheme), slash)
    if bad:
        raise CodeFault(f"{excerpt(bad[0])} may not stand in a host.", at=bad.start())
    return slash


def _path_pairs(path: str, path_at: int) -> tuple[int, list[Pair]]:
    """Where the link's own part of the path begins, and its pairs.

    From the right, pair by pair, to the first that is a key; so `/01/` may stand earlier in a path
    without harm. A pair of no known identifier ends the search.
    """
    found: list[tuple[Identifier, str, int]] = []
    end = len(path)
    while True:
        value_slash = path.rfind("/", 0, end)
        ai_slash = path.rfind("/", 0, max(value_slash, 0))
        identifier = AIS.get(path[ai_slash + 1 : value_slash]) if ai_slash >= 0 else None
        if identifier is None:
            raise CodeFault("The path does not end in a key such as /01/.", at=path_at)
        found.append((identifier, path[value_slash + 1 : end], value_slash + 1))
        if identifier.is_key:
            break
        end = ai_slash
    found.reverse()
    return ai_slash, [
        (identifier.ai, _decoded(identifier, raw, path_at + at, in_query=False))
        for identifier, raw, at in found
    ]


def _query_pairs(query: str, at: int) -> tuple[list[Pair], tuple[str, ...]]:
    attributes: list[Pair] = []
    others: list[str] = []
    for part in query.split("&"):
        name, equals, raw = part.partition("=")
        if equals and name.isdigit():
            attributes.append(
                (name, _decoded(identify(name, at=at), raw, at + len(name) + 1, in_query=True))
            )
        elif part:
            others.append(part)
        at += len(part) + 1
    return attributes, tuple(others)


def _decoded(identifier: Identifier, raw: str, at: int, *, in_query: bool) -> str:
    """A value without its encoding, checked; faults are placed in the encoded text."""
    if not raw:
        raise CodeFault(f"AI ({identifier.ai}) has no value.", at=at, ai=identifier.ai)
    value = unescape(raw, in_query=in_query)
    fault = value_fault(identifier, value)
    if fault:
        check_value(identifier, value, at=at + raw_offset(raw, fault[0]) - fault[0])
    return value


def _check_order(key: str, qualifiers: list[str]) -> None:
    """The qualifiers must be some of one alternative, in its order."""
    if not _in_order(key, qualifiers):
        raise CodeFault(
            f"({') ('.join(qualifiers)}) may not follow ({key}) in a path, or not in this order.",
            ai=key,
        )


def _in_order(key: str, qualifiers: list[str]) -> bool:
    if not qualifiers:
        return True
    return any(
        qualifiers == [ai for ai in alternative if ai in qualifiers]
        for alternative in AIS[key].qualifiers
    )


def _check_attributes(key: str, qualifiers: list[Pair], attributes: list[Pair]) -> None:
    present = [ai for ai, _ in qualifiers]
    seen = {key, *present}
    for ai, _ in attributes:
        if ai in seen:
            raise CodeFault(f"AI ({ai}) is there twice.", ai=ai)
        seen.add(ai)
        if not AIS[ai].attribute:
            raise CodeFault(f"AI ({ai}) may not stand in a Digital Link's query.", ai=ai)
        if any(ai in each and set(present) <= set(each) for each in AIS[key].qualifiers):
            raise CodeFault(f"AI ({ai}) belongs in the path, not in the query.", ai=ai)


def _separated(pair: Pair) -> bool:
    return pair[0] not in AIS or AIS[pair[0]].separated
