"""Pages of the till: scan, say who pays and how, hand over the receipt.

The till's basket is kept like a guest's, by a secret in this browser's cookie, so that a reload, a
dead battery or another tab loses nothing. Its key is the purchase key: however often the tender is
sent, one basket is one sale.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from flask import current_app, flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from markupsafe import Markup
from werkzeug.wrappers import Response

from ... import (
    catalogue,
    identity,
    ids,
    membership,
    money,
    payment,
    stock,
    web,
)
from ... import forms as fields
from ...errors import Invalid, NotFound, Refusal
from ...identity import member_cards, member_codes
from ...labels import qr
from ...payment import attempts
from ...payment.gateways.offered import codes
from .. import forms
from ..ages import ages
from ..basket import basket
from ..basket.basket_views import BasketChanged
from ..buying import MOST_PIECES, Buy, Line
from ..checkout import buy
from ..paying.member_code_views import code_was_shown, from_code, shown_here
from ..receipts.receipts import receipt
from ..returns.return_views import receipt_rules
from ..rounding import in_cash, tendered
from ..shown_views import blueprint, shown_receipt
from ..staff import known as _known
from ..staff import member_numbered, place_here
from . import empties_views
from .empties import Returned, sell_with
from .till_refusal_views import CodeNeeded, GivenTooLittle, in_words

COOKIE = "till"
MEANS = ("cash", "card", "account")
_MANY = re.compile(r"([1-9][0-9]{0,2})\*(.+)\Z", re.DOTALL)


@blueprint.get("/desk/till", endpoint="till")
@identity.needs("sell")
def till_page() -> ResponseReturnValue:
    """The basket of this till, and how it is paid. Changes nothing."""
    who = request.args.get("who", "").strip()[:254]
    if code := request.args.get("code", ""):
        return _of_code(code)
    found = _known(who) if who else None
    if found is not None:
        empties: dict[str, Any] = dict(empties_views.asked())
        return redirect(url_for("sales.till", member=found.id, **empties), 303)
    if who:
        flash(gettext("Nobody is known by this."), "warn")
    g.more_script = " 'wasm-unsafe-eval'"
    member, contents, seller = buyer_here(), basket_here(), identity.signed_in()
    paid = basket.paid_at_till(seller.id, contents.key) if contents else None
    lines = contents.lines if contents and not paid else []
    last = request.args.get("last", "")
    kinds, counts = catalogue.deposits(forms.currency()), empties_views.asked()
    off = empties_views.amount(counts, kinds) if lines else 0
    total = contents.total_minor if contents and lines else 0
    return render_template(
        "sales/till.html", place=place_here(), lines=lines, paid=paid, who=who, member=member,
        last=next((line for line in lines if str(line.item_id) == last), None),
        key=contents.key if contents else "", currency=forms.currency(),
        least_age=contents.least_age if contents and lines else 0, born_by=_born_by(contents),
        total_minor=total, empties_minor=off, pay_minor=total - off, kinds=kinds, counts=counts,
        cash_minor=in_cash(total - off, forms.currency()),
        begun=[[line.item_code, line.quantity, line.one_minor, line.deposit_minor]
               for line in lines if line.for_sale],
        came={name.removeprefix("empties-"): many for name, many in counts.items()},
        pieces=contents.pieces if contents and lines else 0,
        off_minor=contents.off_minor if contents and lines else 0,
        coupon=contents.coupon if contents and lines else "",
        coupon_refusal=contents.coupon_refusal if contents else None,
        points=contents if lines and contents and contents.points_there else None,
        decimals=money.decimals(forms.currency()),
        balance_minor=payment.balance_of(member.id, forms.currency()) if member else None,
        shown=shown_here() if member and code_was_shown(member.id) else "",
        waiting=attempts.open_at_till(seller.id),
        codes=codes(current_app.config, amount_minor=total, currency=forms.currency()),
    )  # fmt: skip


@blueprint.post("/desk/till/lines")
@identity.needs("sell")
def till_add() -> ResponseReturnValue:
    """One more scan. `3*` before a code means three of it."""
    text = request.form.get("code", "").strip()
    if member_codes.is_code(text):
        return _of_code(text)
    many = _MANY.match(text)
    quantity, code = (int(many[1]), many[2]) if many else (1, text)
    response = back()
    try:
        item_id = forms.item_id(_code(code))
        holder = _holder(response)
        _tidy()
        basket.add(holder, Line(item_id, quantity), place_here().id, forms.currency())
    except Refusal as refusal:
        if (card := member_cards.held_by(text)) is not None:
            asked: dict[str, Any] = dict(empties_views.asked())
            return redirect(url_for("sales.till", member=card.id, **asked), 303)
        flash(str(in_words(refusal, code[:40])), "bad")
        return response
    response.location = _address(last=item_id)
    return response


@blueprint.post("/desk/till/quantity")
@identity.needs("sell")
def till_quantity() -> ResponseReturnValue:
    line_id = fields.whole("line_id", least=1, most=10**15)
    quantity = fields.whole("quantity", least=0, most=MOST_PIECES)
    try:
        basket.set_quantity(_holder(), line_id, quantity)
    except NotFound:
        flash(gettext("The basket has changed. Look at it again."), "warn")
    return back()


@blueprint.post("/desk/till/coupon")
@identity.needs("sell")
def till_coupon() -> ResponseReturnValue:
    """A coupon that the shopper shows; an empty one takes it out."""
    code = fields.text("coupon", most=64)
    known = membership.read_code(code)
    if code and not known:
        flash(gettext("There is no such coupon."), "warn")
        return back()
    basket.set_coupon(_holder(), known)
    return back()


@blueprint.post("/desk/till/points")
@identity.needs("sell")
def till_points() -> ResponseReturnValue:
    """The member who is named wants to spend their points on this basket, or not. Raises
    CodeNeeded where they have not shown their code."""
    wanted, member = fields.flag("wanted"), buyer_here()
    if wanted and (member is None or not code_was_shown(member.id)):
        raise CodeNeeded()
    basket.set_points(_holder(), wanted)
    return back()


@blueprint.post("/desk/till/clear")
@identity.needs("sell")
def till_clear() -> ResponseReturnValue:
    basket.clear(_holder(), forms.purchase_key())
    return redirect(url_for("sales.till"), 303)


@blueprint.post("/desk/till/sales")
@identity.needs("sell")
def till_sell() -> ResponseReturnValue:
    """Take the money: in cash, by card (the terminal stands outside; staff say that it agreed), or
    from the member's account."""
    seller, key = identity.signed_in(), forms.purchase_key()
    sale_id, given = basket.paid_at_till(seller.id, key), None
    if sale_id is None:
        try:
            sale_id, given = _sell(seller.id, key)
        except Invalid:
            raise
        except Refusal as refusal:
            flash(str(in_words(refusal)), "bad")
            return back()
    basket.clear(_holder(), key)
    return redirect(url_for("sales.till_receipt", sale_id=sale_id, given=given), 303)


@blueprint.get("/desk/till/sales/<sale_id>")
@identity.needs("sell")
def till_receipt(sale_id: str) -> str:
    """The receipt, on the screen with the change and on paper."""
    found = receipt(sale_id)
    if found is None or found.channel != "till":
        raise NotFound("There is no such sale")
    given = request.args.get("given", "")
    how = tendered(found)
    paid = int(given) if given.isascii() and given.isdigit() and len(given) < 16 else 0
    names = identity.names_of([each for each in (found.member_id, found.sold_by) if each])
    return render_template(
        "sales/till_receipt.html", sale=shown_receipt(found), given_minor=paid,
        change_minor=max(0, paid - how.paid_minor), tendered=how,
        buyer=names.get(found.member_id or 0, ""), seller=names.get(found.sold_by or 0, ""),
        place=stock.location_by_id(found.location_id),
        rules=receipt_rules(found),
        code=Markup(qr.svg(qr.matrix(_address_of(found.id)))),  # noqa: S704
    )  # fmt: skip


def _address_of(sale_id: str) -> str:
    """What the code on paper says: the buyer's phone opens it, the desk's scan field finds it."""
    return f"{web.base_url()}{url_for('sales.receipt', sale_id=sale_id)}"


def _sell(seller_id: int, key: str) -> tuple[str, int | None]:
    """The sale, and what was given in cash, if anything was said."""
    means, member = fields.text("means", least=1, most=16), buyer_here()
    if means not in MEANS or (means == "account" and member is None):
        raise Invalid("A till takes cash, a card, or the account of a member", field="means")
    if means == "account" and member is not None and not code_was_shown(member.id):
        raise CodeNeeded()
    contents = basket_here()
    if contents is None or not contents.lines or contents.key != key:
        raise BasketChanged()
    seen = forms.seen_by_item([line.item_id for line in contents.lines])
    counts = empties_views.asked()
    off = empties_views.amount(counts, catalogue.deposits(forms.currency())) if counts else 0
    owed = in_cash(contents.total_minor - off, forms.currency())
    given = _given(owed) if means == "cash" else None
    asked = Buy(member.id if member else None, contents.location_id, forms.currency(),
                contents.wanted(seen), key, "till", seller_id, means=means,
                coupon=contents.holding_coupon, points=contents.points,
                seen_total_minor=forms.seen_total(), age_checked=forms.age_checked())  # fmt: skip
    if not counts:
        return buy(asked).sale_id, given
    back = Returned(
        contents.location_id, forms.currency(), empties_views.quantities(), key, seller_id,
        asked.member_id, means,
    )  # fmt: skip
    return sell_with(asked, back)[0].sale_id, given


def _born_by(contents: basket.Contents | None) -> date | None:
    """Until when who takes this basket along was born; None where it is for everybody."""
    age = contents.least_age if contents else 0
    return ages.born_by(age, ages.today()) if age else None


def _given(total_minor: int) -> int | None:
    said = fields.text("given", most=20)
    if not said:
        return None
    given = money.parse(said, forms.currency(), field="given")
    if given < total_minor:
        raise GivenTooLittle(total_minor=total_minor, given_minor=given)
    return given


def _of_code(text: str) -> ResponseReturnValue:
    """A member's code was scanned: the buyer is known, and was here."""
    known: dict[str, Any] = {**from_code(_code(text)), **empties_views.asked()}
    return redirect(url_for("sales.till", **known), 303)


def _code(text: str) -> str:
    """What was scanned, with the control characters of GS1 strings. Raises Invalid."""
    if not 1 <= len(text) <= 1000 or any("\ud800" <= one <= "\udfff" for one in text):
        raise Invalid("code must have 1 to 1000 characters", field="code")
    return text


def _tidy() -> None:
    """What was paid is out of the basket before the next scan comes in, even when the answer to
    the sale was lost."""
    contents = basket_here()
    if contents and basket.paid_at_till(identity.signed_in().id, contents.key):
        basket.clear(_holder(), contents.key)


def _holder(response: Response | None = None) -> basket.Holder:
    secret = web.cookie(COOKIE)
    if not secret or len(secret) != 43 or not secret.isascii():
        secret = ids.secret()
        if response is not None:
            web.set_cookie(response, COOKIE, secret, basket.KEPT_DAYS)
    return basket.Holder(None, secret)


def basket_here() -> basket.Contents | None:
    member = buyer_here()
    may_spend = member is not None and code_was_shown(member.id)
    buyer = basket.Buyer(member.id if member else None, "till", may_spend)
    return basket.contents(_holder(), forms.currency(), buyer)


def buyer_here() -> identity.Member | None:
    """The member that the page was told, if any."""
    number = request.values.get("member", "")
    return member_numbered(number)


def _address(last: int | None = None) -> str:
    member = buyer_here()
    known: dict[str, Any] = dict(empties_views.asked())
    if member:
        known |= {"member": member.id, "shown": shown_here() or None}
    return url_for("sales.till", last=last, **known)


def back() -> Response:
    return make_response(redirect(_address(), 303))
