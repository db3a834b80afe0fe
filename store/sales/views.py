"""Pages of a buy: the shop, an item, paying for it at once, the receipt, the history."""

from __future__ import annotations

from datetime import timedelta

from flask import current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from .. import clock, delivery, identity, ids, web
from .. import forms as fields
from ..answers import see_other
from ..payment.on_delivery import due_of
from . import forms
from .ages import known_age_views
from .basket import basket, basket_code_views, basket_views
from .buying import Buy
from .checkout import buy
from .express import REFUSED, Express
from .guests import claim_views, guest_views
from .guests.guest_views import shown_to_guest, visible
from .models import STANDING
from .orders import (
    courier_views,
    escrow_views,
    order_desk_views,
    order_views,
)
from .paying import card_views, member_code_views, paying_views
from .receipts import receipt_mail_views
from .receipts.receipt_mail_views import by_mail
from .receipts.receipts import receipts
from .refunds import approval_views, desk_views
from .returns import (
    hand_in_views,
    return_rule_views,
    return_views,
    warranties,
)
from .returns.return_views import receipt_rules
from .rounding import tendered
from .shelf import item_views
from .shelf.shelf import front, who_what_where
from .shown_views import blueprint, shown_receipt
from .till import (
    away_views,
    empties_views,
    marked_views,
    pay_in_views,
    till_code_views,
    till_day_views,
    till_views,
)

__all__ = [
    "Express",
    "approval_views",
    "away_views",
    "basket_code_views",
    "basket_views",
    "blueprint",
    "card_views",
    "claim_views",
    "courier_views",
    "desk_views",
    "empties_views",
    "escrow_views",
    "guest_views",
    "hand_in_views",
    "item_views",
    "known_age_views",
    "marked_views",
    "member_code_views",
    "order_desk_views",
    "order_views",
    "pay_in_views",
    "paying_views",
    "receipt_mail_views",
    "return_rule_views",
    "return_views",
    "till_code_views",
    "till_day_views",
    "till_views",
]

ASKED_WITHIN = timedelta(hours=1)
"""A receipt that is not older asks, once, who wants to hear of offers."""


@blueprint.get("/")
def shop() -> str:
    """The shop's front page: search, categories, items. Changes nothing."""
    place = forms.location()
    after = request.args.get("after", "0")
    page = front(
        place.id,
        forms.currency(),
        search=request.args.get("q", "")[:80],
        category=request.args.get("category", "")[:120],
        after=int(after) if after.isascii() and after.isdigit() and len(after) < 16 else 0,
    )
    return render_template(
        "sales/shop.html", page=page, location_name=place.name, currency=forms.currency(),
        query=request.args.get("q", "")[:80], category=request.args.get("category", "")[:120],
        last_ones=current_app.config["LAST_ONES"], basket_count=basket_count(),
    )  # fmt: skip


@blueprint.post("/sales")
def create() -> ResponseReturnValue:
    """The one tap: buy so many of one item, with the key that the page was made with. One
    statement says who, what and where; the buy itself is `checkout`'s."""
    visit = web.known_visit()
    code = fields.text("code", least=1, most=64)
    row = who_what_where(code, forms.location_code(), ids.digest(visit) if visit else None)
    if row is not None:
        identity.recognise(row)
    member = identity.signed_in()
    if REFUSED in request.environ:
        raise request.environ[REFUSED]
    item_id = row.id if row is not None else forms.item_id(code)
    location_id = row.location_id if row is not None else forms.location().id
    bought = buy(
        Buy(member.id, location_id, forms.currency(), (forms.line(item_id),),
            forms.purchase_key(), "shelf", wishes=forms.wishes(),
            is_confirmed=identity.confirmed(member.id), seen_total_minor=forms.seen_total())
    )  # fmt: skip
    return see_other(f"/sales/{bought.sale_id}")


@blueprint.get("/sales/<sale_id>", endpoint="receipt")
def receipt_page(sale_id: str) -> str:
    """Receipt and exit pass. Not yours looks like not there."""
    found = visible(sale_id)
    member, guest = identity.current(), shown_to_guest(found)
    comes = found.fulfilment != "taken"
    return render_template(
        "sales/receipt.html",
        sale=shown_receipt(found),
        rules=receipt_rules(found),
        basket_count=basket_count(),
        tendered=tendered(found),
        shipments=delivery.of_sale(found.id) if comes else [],
        where=delivery.of_order(found.id) if comes else None,
        mails=by_mail(member.id) if member and not guest else None,
        mail_key=ids.new(),
        guest=guest,
        is_new=clock.now() - found.created_at < ASKED_WITHIN,
        due_minor=due_of([found.id])[found.id] if found.state == "due" else 0,
        pass_svg_url=url_for("door.pass_image", sale_id=found.id)
        if found.state in STANDING and not comes
        else None,
    )


@blueprint.get("/me/sales")
def history() -> str:
    """Everything that this member bought, newest first."""
    member = identity.signed_in()
    before = request.args.get("before", "")[:20]
    found = receipts(member_id=member.id, before=before or None, limit=26)
    orders = [sale.id for sale in found[:25] if sale.fulfilment != "taken"]
    return render_template(
        "sales/history.html", sales=[shown_receipt(sale) for sale in found[:25]],
        shipments=delivery.of_sales(orders),
        warranties=warranties.until([sale.id for sale in found[:25]]),
        next_before=found[24].id if len(found) > 25 else None, mails=by_mail(member.id),
        basket_count=basket_count(),
    )  # fmt: skip


def basket_count() -> int:
    return basket.pieces(forms.holder())
