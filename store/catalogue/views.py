"""Pages of catalogue: pictures, the search for a code, the resolver's other addresses, the desk."""

from __future__ import annotations

from urllib.parse import quote, urlencode, urlsplit

from flask import Response, current_app, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound as NoSuchPage

from .. import web
from ..answers import add_headers, names_of
from ..errors import Invalid
from . import desk_views, forms, group_views, gs1, resolver
from .blueprint import blueprint
from .codes import ItemNotForSale, find_item, item_path
from .pictures import WIDTHS, picture_bytes

__all__ = ["blueprint", "desk_views", "group_views"]


# Pictures


@blueprint.get("/pictures/<picture>-<number:width>.webp")
def picture(picture: str, width: int) -> ResponseReturnValue:
    """A picture never changes under its address, so whoever has it need never ask again."""
    etag = f"{picture}-{width}"
    if width not in WIDTHS or len(picture) != 32 or not picture.isalnum():
        raise NoSuchPage()
    if request.if_none_match.contains(etag):
        answer = Response(status=304)
    else:
        found = picture_bytes(picture, width)
        if found is None:
            raise NoSuchPage()
        answer = Response(found[1], mimetype=found[0])
    answer.set_etag(etag)
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    # Nothing in it may act, should it ever be opened as a page.
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


# Codes


@blueprint.get("/scan")
def scan() -> ResponseReturnValue:
    """The scanner: the camera where there is one, and a field for any code."""
    # What reads codes in the page is compiled; nothing else of the policy is relaxed.
    g.more_script = " 'wasm-unsafe-eval'"
    return render_template("catalogue/scan.html")


@blueprint.get("/find")
def find() -> ResponseReturnValue:
    """The page of whatever was typed or scanned. A label of our own (`l`) goes along; it proves
    itself there. Raises ItemNotForSale, CodeFault."""
    text = request.args.get("code", "").strip()
    if not text:
        raise Invalid("Type the code below the bars or beside the square", field="code")
    item = find_item(text, base_url=web.base_url())
    if item is None or item.archived_at is not None:
        raise ItemNotForSale("Nothing here has this code", asked=text[:80])
    scan = gs1.read(text)
    path = item_path(item)
    said: dict[str, str] = {}
    if scan.gtin and scan.gtin == item.gtin:
        # What a pack says of itself goes along, in the order of the standard.
        batch = quote(scan.batch or "", safe="")
        path += f"/10/{batch}" if batch else ""
        said |= {ai: value for ai, value in scan.ais if ai == "17"}
    own = urlsplit(web.base_url()).netloc.lower()
    if scan.host == own and scan.param("l"):
        said["l"] = (scan.param("l") or "")[:40]
    return redirect(path + (f"?{urlencode(said)}" if said else ""), 303)


# The resolver, besides the item's page itself, which is the sales room's


_OTHER_KEYS = (
    "00", "253", "255", "401", "402", "414", "415", "417",
    "8003", "8004", "8006", "8010", "8013", "8017", "8018",
)  # fmt: skip


def other_key(rest: str) -> ResponseReturnValue:
    """A Digital Link of something that we do not sell: 400 where it is broken, else 404. Where a
    GTIN is in it (8006, a piece of an item), nothing is known about the piece."""
    forms.resolve()
    raise NoSuchPage()


for _key in _OTHER_KEYS:
    blueprint.add_url_rule(f"/{_key}/<path:rest>", view_func=other_key)


@blueprint.get("/gtin/<path:rest>")
def old_link(rest: str) -> ResponseReturnValue:
    """Until 2022 links had words for numbers; they are sent on to the right form."""
    resolved = forms.resolve()
    return resolved.answer or redirect(f"/01/{resolved.gtin}", 307)


@blueprint.get("/.well-known/gs1resolver")
def description() -> ResponseReturnValue:
    return resolver.description(web.base_url(), current_app.config["SHOP_NAME"])


@blueprint.after_app_request
def _as_resolver(response: Response) -> Response:
    """Scripts of any site may read what a Digital Link says (nobody is signed in to them: they are
    sent no cookies), and pages say where their linkset is."""
    path, headers = web.visited().path, response.headers
    if path.startswith("/01/") or path == "/.well-known/gs1resolver":
        # An answer of the resolver itself carries these already.
        there = names_of(headers)
        if "access-control-allow-origin" not in there:
            add_headers(headers, resolver.CORS.items())
        if response.status_code == 200 and path.startswith("/01/") and "link" not in there:
            headers.add("Link", resolver.link_header(f"{web.base_url()}{path.rstrip('/')}"))
    return response
