"""The resolver: what a GS1 Digital Link on the shop's own host leads to.

After the GS1-Conformant Resolver Standard 1.2: the link itself is the item's page, which is its
product information and its default link; `linkType=linkset` or an Accept header of a linkset
answers the list of links (RFC 9264); what breaks the syntax is refused with 400, what nothing is
known about with 404. Links are never compressed. Pure: it is handed the request's parts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote_plus

from sqlalchemy import select

from ..db import connection
from ..errors import NotFound
from . import gs1
from .codes import ItemNotForSale
from .models import Item

__all__ = ["CORS", "Answer", "Resolved", "description", "link_header", "page_headers", "resolve"]

VOCABULARY = "https://ref.gs1.org/voc/"
CONTEXT = "https://ref.gs1.org/standards/resolver/linkset-context"
LINKSET = "application/linkset+json"
LINK_TYPES = ("pip", "defaultLink")
"""What we have for an item. Certificates, recipes and the like come when an item has them."""

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Expose-Headers": "Link",
}


class Answer(NamedTuple):
    """Body, status and headers: what a view may answer as it stands."""

    body: str
    status: int
    headers: dict[str, str]


class Resolved(NamedTuple):
    """Either an `answer` to send, or the GTIN of the item whose page is wanted, with everything
    that the link says besides (batch, serial, expiry …) in `ais`."""

    gtin: str
    ais: Mapping[str, str]
    answer: Answer | None = None


class LinkTypeUnknown(NotFound):
    """The item is known, but there is no link of this kind. `data`: link_types that there are."""

    code = "link_type_unknown"
    title = "There is no link of this kind"


_PLAIN = re.compile(r"/01/(\d{14})\Z", re.ASCII)


def resolve(path: str, query: str, accept: str, base_url: str) -> Resolved:
    """`path` is decoded, `query` as it was sent. Raises CodeFault (400) for a broken link,
    NotFound (404) for a key that is no GTIN, ItemNotForSale (404) and LinkTypeUnknown (404) where
    links are asked for that we do not have. A harmless deviation is answered with 307."""
    link_type = _parameter(query, "linkType")
    wants_linkset = link_type in ("linkset", "all") or (not link_type and _prefers_linkset(accept))
    plain = _PLAIN.match(path)
    asks_for_links = bool(link_type) or wants_linkset
    if plain and not asks_for_links and gs1.is_gtin(plain[1]) and not _has_attributes(query):
        return Resolved(plain[1], {"01": plain[1]})
    # Path characters that a URI must encode were decoded on the way here.
    encoded = "/".join(quote(part, safe=_IN_PATH) for part in _parts_of(path))
    address = f"{base_url}{encoded}" + (f"?{query}" if query else "")
    reading = gs1.read_link(address)
    link = reading.link
    if link.gtin is None:
        raise NotFound("This shop knows goods by their GTIN only", key=link.key[0])
    ais = dict(link.elements)
    if reading.repairs:
        return Resolved(link.gtin, ais, _redirect(link.uri()))
    if wants_linkset:
        return Resolved(link.gtin, ais, _linkset(link, base_url))
    if link_type:
        return Resolved(link.gtin, ais, _one_link(link, link_type))
    return Resolved(link.gtin, ais)


_IN_PATH = ":@!$&'()*+,;=-._~"
_QUALIFIERS = ("22", "10", "21")
"""What may follow a GTIN in a path, in the order that the standard gives them."""


def _parts_of(path: str) -> list[str]:
    """The parts of a path between its slashes. A slash within a batch or a serial was encoded and
    is not any more, here: where the parts are no pairs, a value goes on until the next key that
    may follow. (A value like `A/21/B` reads as a batch with a serial: nothing here can tell;
    `sales.packs` asks which batches there are.)"""
    parts = path.split("/")
    head, rest = parts[:3], parts[3:]
    if not rest or head[1] != "01" or rest[0] not in _QUALIFIERS or "" in rest:
        return parts
    if len(rest) % 2 == 0 and set(rest[::2]) <= set(_QUALIFIERS):
        return parts
    found, at, later = head, 0, list(_QUALIFIERS)
    while at < len(rest):
        later = later[later.index(rest[at]) + 1 :]
        end = at + 2
        while end < len(rest) and not (rest[end] in later and end + 1 < len(rest)):
            end += 1
        found += [rest[at], "/".join(rest[at + 1 : end])]
        at = end
    return found


def _parameter(query: str, name: str) -> str:
    if name not in query:
        return ""
    for part in query.split("&"):
        key, _, value = part.partition("=")
        if key == name:
            return unquote_plus(value)
    return ""


def _has_attributes(query: str) -> bool:
    """Whether a parameter is an application identifier, which strict reading must look at."""
    return any(part[:1].isdigit() for part in query.split("&"))


def _prefers_linkset(accept: str) -> bool:
    """Named in the Accept header, and before any page; browsers never name it."""
    if LINKSET not in accept and "application/ld+json" not in accept:
        return "application/json" in accept and "text/html" not in accept
    return "text/html" not in accept or accept.index("application/l") < accept.index("text/html")


def _redirect(address: str) -> Answer:
    # 307 and not 308: what is right for a link today need not be remembered for ever.
    return Answer("", 307, {**CORS, "Location": address})


def _one_link(link: gs1.DigitalLink, link_type: str) -> Answer:
    name = link_type.removeprefix("gs1:").removeprefix(VOCABULARY)
    if name not in LINK_TYPES or name == link_type:
        raise LinkTypeUnknown(
            f"There is no link of the type {link_type[:80]!r}",
            link_types=[f"gs1:{known}" for known in LINK_TYPES],
        )
    _names(link)
    # Our page is the target; the rest of the query goes along, as the standard wants.
    kept = tuple(raw for raw in link.raw_params if not raw.startswith("linkType="))
    parts = link.uri(keep_params=False)
    joint = "&" if "?" in parts else "?"
    return _redirect(parts + (joint + "&".join(kept) if kept else ""))


def _linkset(link: gs1.DigitalLink, base_url: str) -> Answer:
    names = _names(link)
    page = link.uri(base_url, keep_params=False)
    titles = names or {}
    targets: list[dict[str, Any]] = [
        {"href": page, "title": title, "type": "text/html", "hreflang": [language]}
        for language, title in titles.items()
    ]
    fallback = {"href": page, "title": next(iter(titles.values()), page), "type": "text/html"}
    body = {
        "linkset": [
            {
                "anchor": page,
                "itemDescription": fallback["title"],
                f"{VOCABULARY}defaultLink": [fallback],
                f"{VOCABULARY}pip": targets or [fallback],
            }
        ]
    }
    headers = {
        **CORS,
        "Content-Type": LINKSET,
        "Link": f'<{CONTEXT}>; rel="http://www.w3.org/ns/json-ld#context"; '
        'type="application/ld+json"',
        "Vary": "Accept",
        "Cache-Control": "public, max-age=300",
    }
    return Answer(json.dumps(body, ensure_ascii=False), 200, headers)


def _names(link: gs1.DigitalLink) -> Mapping[str, str]:
    """The item's names by language. Raises ItemNotForSale."""
    query = select(Item.names).where(Item.gtin == link.gtin, Item.archived_at.is_(None))
    row = connection().execute(query).first()
    if row is None:
        raise ItemNotForSale("Nothing is known about this GTIN here", gtin=link.gtin)
    names: Mapping[str, str] = row[0]
    return names


def link_header(page: str) -> str:
    """What an item's page says about itself in its Link header, so that machines find the rest."""
    return (
        f'<{page}?linkType=linkset>; rel="linkset"; type="{LINKSET}", '
        f'<{page}>; rel="{VOCABULARY}pip"; type="text/html"'
    )


def page_headers(page: str) -> list[tuple[str, str]]:
    """What a Digital Link's page says in its headers: `page` is its address."""
    return [*CORS.items(), ("Link", link_header(page))]


def description(base_url: str, shop_name: str) -> dict[str, Any]:
    """The resolver description file, `/.well-known/gs1resolver`."""
    return {
        "name": f"{shop_name}: resolver of the shop's own labels",
        "resolverRoot": base_url,
        "supportedPrimaryKeys": ["01"],
        "supportedLinkType": [{"namespace": VOCABULARY, "prefix": "gs1:"}],
        "linkTypeDefaultCanBeLinkset": False,
        "jsonLdContextLocation": CONTEXT,
        "contact": {"fn": shop_name},
    }
