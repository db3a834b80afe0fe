"""What a request of a shopper says: where, whose basket, which goods; read strictly.

Prices and totals are never taken from here: what was seen only tells whether the shopper must be
asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from flask import current_app, request
from werkzeug.wrappers import Response as BaseResponse

from .. import catalogue, forms, identity, ids, labels, money, stock, web
from ..db import shop_engine
from ..errors import Invalid
from ..visits import secret_of
from .basket import basket
from .buying import MOST_LINES, MOST_PIECES, Line, Wishes
from .refunds.refunds import Part
from .shelf.item_facts import BASKET_COOKIE, place_code

MOST_AT_ONCE = 99


def currency() -> str:
    return str(current_app.config["CURRENCY"])


def key() -> bytes:
    return str(current_app.config["SECRET_KEY"]).encode()


def scans() -> labels.Scans:
    """What this process counts of the shop's labels."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    return labels.scans_of(shop_engine(), app.app_context)


def location_code() -> str:
    """Where the visitor shops: named in the address, chosen before, or the first location."""
    here = web.visited()
    asked = here.args.get("at") if here.environ.get("QUERY_STRING") else None
    if not asked and here.method == "POST":
        asked = here.form.get("at")
    return place_code(here, asked)


def location() -> stock.Location:
    return stock.selling_location(location_code())


def basket_secret() -> str | None:
    return secret_of(web.cookie(BASKET_COOKIE))


def holder() -> basket.Holder:
    member = identity.current()
    return basket.Holder(member.id if member else None, basket_secret())


def guest_holder(response: BaseResponse) -> basket.Holder:
    """For a change of the basket: a guest without a secret gets one with this answer."""
    known = holder()
    if known.member_id is None and known.secret is None:
        known = basket.Holder(None, ids.secret())
        assert known.secret
        web.set_cookie(response, BASKET_COOKIE, known.secret, basket.KEPT_DAYS)
    return known


def asks_for_links() -> bool:
    """Whether a program asks the resolver for links, and not a person for the page."""
    return "json" in web.visited().environ.get("HTTP_ACCEPT", "")


def item_id(code: str) -> int:
    """The item that any code names. Raises ItemNotForSale."""
    found = catalogue.find_item(code, base_url=web.base_url())
    if found is None:
        raise catalogue.ItemNotForSale("There is no such item")
    return found.id


def line(known: int | None = None) -> Line:
    """One item: code, quantity, the unit price that was seen, the label that was scanned."""
    return Line(
        known if known is not None else item_id(forms.text("code", least=1, most=64)),
        forms.whole("quantity", least=1, most=MOST_AT_ONCE, default=1),
        seen_minor=forms.whole("seen_minor", least=0, most=money.LARGEST_MINOR),
        label_id=_label(),
    )


def _label() -> str | None:
    said = forms.text("label", most=40)
    return labels.read(said, key().decode()) if said else None


def purchase_key() -> str:
    return forms.text("key", least=8, most=64)


def account_minor() -> int:
    """What of it shall leave the account, where a provider brings the rest."""
    return forms.whole("account_minor", least=0, most=money.LARGEST_MINOR, default=0)


def to_account() -> bool:
    """Whether money goes to the account instead of its source."""
    return forms.choice("to", ("source", "account"), "source") == "account"


def seen_by_item(item_ids: list[int]) -> dict[int, int]:
    """The unit prices that a basket showed: a field `seen-<item id>` for each line."""
    return {
        item_id: forms.whole(f"seen-{item_id}", least=0, most=money.LARGEST_MINOR, default=0)
        for item_id in item_ids
    }


def seen_total() -> int | None:
    """What all of it costs as the page said; it says so where offers took something off."""
    if "seen_total" not in request.form:
        return None
    return forms.whole("seen_total", least=0, most=money.LARGEST_MINOR)


def age_checked() -> int:
    """The least age that staff have looked at, as the page asked for it; 0 is none."""
    return forms.whole("age_checked", least=0, most=99, default=0)


def parts() -> list[Part] | None:
    """Units by line: a field `quantity-<position>` for each, or `quantity-<position>-<item id>` for
    pieces out of the bundle on it; None where the form has none. What is not wanted is left out."""
    names = [name for name in request.form if name.startswith("quantity-")]
    if not names:
        return None
    read = [_POSITION.match(name) for name in names]
    if len(names) > MOST_LINES + MOST_INSIDE or not all(read):
        raise Invalid("The sale has no such line", field="quantity")
    found = [
        Part(int(match[1]), forms.whole(match[0], least=0, most=MOST_PIECES),
             int(match[2]) if match[2] else None)
        for match in read
        if match
    ]  # fmt: skip
    return [part for part in found if part.quantity]


_POSITION = re.compile(r"quantity-([1-9][0-9]{0,5})(?:-([1-9][0-9]{0,14}))?\Z", re.ASCII)
MOST_INSIDE = 1_000
"""So many fields for what is in bundles a form may have."""


def wishes() -> Wishes:
    """What a page asks before it spends: nothing that the shopper has answered already."""
    limit = confirm_over_minor(current_app.config)
    return Wishes(
        confirm_over_minor=None if forms.flag("confirmed") else limit,
        ask_again_within_s=None if forms.flag("again") else current_app.config["BUY_AGAIN_S"],
    )


def confirm_over_minor(shop: Mapping[str, Any]) -> int:
    """Above this the page asks before it spends."""
    return _minor(shop["CONFIRM_OVER"], shop["CURRENCY"])


_minor = cache(money.parse)
