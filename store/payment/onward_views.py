"""On to a provider that wants a form from the shopper's own browser, and back from it."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from .. import identity, web
from ..errors import NotFound
from .blueprint import blueprint
from .gateways import ByForm, NoticeForged
from .gateways.offered import set_up

web.exempt_from_csrf("payment.back_from_provider")


@blueprint.get("/payments/onward/<gateway>")
def onward(gateway: str) -> str:
    """A form that posts itself to the provider. Its fields stand in the address, and only what this
    shop has signed is shown: nobody else can make it."""
    found: object = set_up(current_app.config).get(gateway)
    said = request.args.to_dict()
    said.pop("lang", None)  # The page's language is ours and no part of what was signed.
    if not isinstance(found, ByForm):
        raise NotFound("This shop has no such gateway")
    try:
        there = found.posts_to(said)
    except (NoticeForged, ValueError, KeyError) as error:
        raise NotFound("There is no such payment") from error
    parts = urlsplit(there)
    g.more_form = f" {parts.scheme}://{parts.netloc}"
    prefix = url_for("payment.onward", gateway=gateway)
    back = urlsplit(said.get("frontUrl", "")).path.removeprefix(prefix)
    return render_template(
        "payment/onward.html", action=there, fields=said, gateway=gateway,
        back=identity.safe_next(back),
    )  # fmt: skip


@blueprint.post("/payments/onward/<gateway>/<path:back>")
def back_from_provider(gateway: str, back: str) -> ResponseReturnValue:
    """The browser comes back by a form of the provider's. It is believed in nothing: the page that
    it is sent on to asks the provider."""
    request.get_data(cache=False)  # Too much of it is refused like everywhere.
    return redirect(identity.safe_next("/" + back.lstrip("/")), 303)
