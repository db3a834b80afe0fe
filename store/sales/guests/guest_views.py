"""Who may see a guest's receipt, and what a guest does with it: have it sent, and keep it."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ... import forms as fields
from ... import (
    identity,
    ids,
    money,
    post,
    web,
)
from ...errors import Invalid, NotFound, TooMany
from ...payment.gateways.bank import NAME as BANK
from ...payment.gateways.offered import set_up
from ...visits import secret_of
from .. import forms
from ..receipts.receipt_paper_views import receipt_pdf
from ..receipts.receipts import Receipt, receipt
from ..shown_views import blueprint
from . import denial_views, guests

COOKIE = "guest"
KEPT_DAYS = 400


def lets_guests_pay() -> bool:
    """Whether somebody without an account may buy here: by a provider, where there is one."""
    ways = set_up(current_app.config).keys() - {BANK}
    return bool(current_app.config["GUESTS"]) and bool(ways)


def secret() -> str | None:
    """What this device is known by as a guest's, if it is."""
    return secret_of(web.cookie(COOKIE))


def remember(response: Response) -> Response:
    """Before a guest can pay their device has a secret, so that a form which is sent twice is one
    guest's."""
    if secret() is None:
        web.set_cookie(response, COOKIE, ids.secret(), KEPT_DAYS)
    return response


def device() -> int | None:
    """The guest of this device, if it has paid here."""
    return guests.known(secret())


def pays() -> int:
    """The guest who begins to pay on this device. Raises SignInNeeded where none may, or too many
    payments were begun here: who signs in goes on."""
    known = secret()
    if known is None or not lets_guests_pay():
        raise identity.SignInNeeded()
    try:
        limits = identity.caller().guest_payments(known, current_app.config["GUEST_PAYMENTS"])
        identity.count_tries(limits)
    except TooMany as refusal:
        flash(gettext("Many payments were begun here. Please sign in, and go on."), "warn")
        raise identity.SignInNeeded() from refusal
    return guests.enter(known)


def visible(sale_id: str) -> Receipt:
    """A receipt that this visitor may see: a member's own; a guest's on the device that bought it,
    or by its link. Not yours looks like not there. Raises SignInNeeded, NotFound."""
    member = identity.current()
    found = receipt(sale_id, member.id) if member is not None else None
    if found is None and guests.is_open_to(sale_id, secret(), said(), forms.key()):
        found = receipt(sale_id)
    if found is None and member is None:
        raise identity.SignInNeeded()
    if found is None:
        raise NotFound("There is no such receipt")
    return found


def said() -> str:
    """What the address of a guest's receipt has in it to open it anywhere."""
    return (request.args.get("k") or "")[:32]


def shown_to_guest(found: Receipt) -> dict[str, Any] | None:
    """What the receipt's page needs where it is in nobody's name; None where it is a member's.
    `k` keeps the way open for who came by the link."""
    if found.member_id is not None:
        return None
    k = guests.link_key(forms.key(), found.id)
    return {
        "k": said() or None, "mails": post.can_mail(current_app.config),
        "keep": url_for("sales.claims", sale=found.id, k=k),
    }  # fmt: skip


@blueprint.app_template_global()
def guests_may_pay() -> bool:
    """For the pages that ask who pays."""
    return lets_guests_pay()


@blueprint.post("/sales/<sale_id>/letters", endpoint="send_to_guest")
def send(sale_id: str) -> ResponseReturnValue:
    """Send the receipt's link to an address that the guest types. It opens nothing but this."""
    found = visible(sale_id)
    if found.member_id is not None or not post.can_mail(current_app.config):
        raise NotFound("There is no such receipt")
    kind, to = identity.normalise(fields.text("address", least=3, most=254))
    if kind != "email":
        raise Invalid("This is no e-mail address", field="address")
    identity.count_tries(identity.caller().guest_mails(secret() or sale_id))
    guests.send_receipt(found.id, to, web.language())
    flash(gettext("It is on its way to %(address)s.", address=to), "good")
    return redirect(url_for("sales.receipt", sale_id=found.id, k=said() or None), 303)


@post.writes(guests.LETTER)
def write_receipt(sale_id: str, to: str, language: str) -> post.Mail | None:
    """The letter with a guest's receipt and its link; none where the sale is somebody's by now."""
    found = receipt(sale_id)
    if found is None or found.member_id is not None:
        return None
    total = money.show(found.total_minor, found.currency, language)
    shop = current_app.config["SHOP_NAME"]
    subject = gettext("Your receipt from %(shop)s: %(amount)s", shop=shop, amount=total)
    words = [gettext("Your receipt is attached.")]
    if base := str(current_app.config["BASE_URL"]):
        k = guests.link_key(forms.key(), found.id)
        path = url_for("sales.receipt", sale_id=found.id, k=k, _external=False)
        words.append(gettext("To see it, and to keep it in an account: %(link)s", link=base + path))
        other = base + denial_views.link_of(found.id, to)
        words.append(gettext("This was not you? Say so here: %(link)s", link=other))
    attached = post.Attachment(f"{found.number}.pdf", "application/pdf", receipt_pdf(found))
    return post.Mail(to, subject, "\n\n".join(words) + "\n", "", language, (attached,))
