"""Receipts to keep: as PDF, and by mail to the member's own proven address."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ... import forms as fields
from ... import identity, money, post
from ...errors import NotFound
from ..guests.guest_views import visible
from ..returns.return_views import receipt_rules
from ..shown_views import blueprint
from . import receipt_mails
from .receipt_paper_views import guarantee_words, receipt_pdf, refund_pdf
from .receipts import (
    Receipt,
    ReceiptRefund,
    receipt,
    sale_of_refund,
)


@blueprint.get("/sales/<sale_id>/receipt.pdf", endpoint="receipt_pdf")
def as_pdf(sale_id: str) -> Response:
    """The receipt as PDF, in the visitor's language."""
    found = visible(sale_id)
    return _pdf(receipt_pdf(found), found.number)


@blueprint.get("/sales/<sale_id>/refunds/<refund_id>.pdf", endpoint="refund_pdf")
def refund_as_pdf(sale_id: str, refund_id: str) -> Response:
    """The note of one refund as PDF."""
    found = visible(sale_id)
    return _pdf(refund_pdf(found, _refund(found, refund_id)), refund_id)


@blueprint.post("/sales/<sale_id>/mails", endpoint="mail_receipt")
def mail(sale_id: str) -> ResponseReturnValue:
    """Send it to me: the receipt, or with `refund` that refund's note."""
    found, key = _mine(sale_id), fields.text("key", least=8, most=64)
    refund_id = fields.text("refund", most=20)
    if not post.can_mail(current_app.config):
        raise NotFound("This shop sends no mail")
    kind, subject = receipt_mails.RECEIPT, found.id
    if refund_id:
        kind, subject = receipt_mails.REFUND, _refund(found, refund_id).id
    to = receipt_mails.send(identity.signed_in().id, kind, subject, key)
    flash(gettext("It is on its way to %(address)s.", address=to), "good")
    return redirect(url_for("sales.receipt", sale_id=found.id), 303)


@blueprint.post("/me/sales/mails", endpoint="mail_receipts")
def mail_all() -> ResponseReturnValue:
    """Every receipt by mail from now on, or none."""
    member = identity.signed_in()
    if not post.can_mail(current_app.config):
        raise NotFound("This shop sends no mail")
    receipt_mails.wish(member.id, fields.flag("wanted"))
    return redirect(url_for("sales.history"), 303)


def by_mail(member_id: int) -> dict[str, Any] | None:
    """The address that receipts go to, and whether all of them do; None where none can."""
    to = identity.proven_mail(member_id) if post.can_mail(current_app.config) else None
    return {"to": to, "all": receipt_mails.wants(member_id)} if to else None


@post.writes(receipt_mails.RECEIPT)
def write_receipt(sale_id: str, to: str, language: str) -> post.Mail | None:
    """The letter with a receipt. Not to an address that is the member's no longer."""
    found = receipt(sale_id)
    if found is None or not _still_theirs(found, to):
        return None
    total = money.show(found.total_minor, found.currency, language)
    shop = current_app.config["SHOP_NAME"]
    subject = gettext("Your receipt from %(shop)s: %(amount)s", shop=shop, amount=total)
    guarantees = guarantee_words(receipt_rules(found)["warranties"])
    words = [gettext("Your receipt is attached."), *guarantees, *_link(found)]
    return _mail(to, subject, words, language, found.number, receipt_pdf(found))


@post.writes(receipt_mails.REFUND)
def write_refund(refund_id: str, to: str, language: str) -> post.Mail | None:
    """The letter with the note of a refund."""
    found = receipt(sale_of_refund(refund_id) or "")
    if found is None or not _still_theirs(found, to):
        return None
    refund = _refund(found, refund_id)
    total = money.show(refund.total_minor, found.currency, language)
    shop = current_app.config["SHOP_NAME"]
    subject = gettext("Your refund from %(shop)s: %(amount)s", shop=shop, amount=total)
    words = [gettext("The note of your refund is attached."), *_link(found)]
    return _mail(to, subject, words, language, refund.id, refund_pdf(found, refund))


def _mail(
    to: str, subject: str, words: list[str], language: str, number: str, content: bytes
) -> post.Mail:
    attached = post.Attachment(f"{number}.pdf", "application/pdf", content)
    return post.Mail(to, subject, "\n\n".join(words) + "\n", "", language, (attached,))


def _link(found: Receipt) -> list[str]:
    base = str(current_app.config["BASE_URL"])
    path = url_for("sales.receipt", sale_id=found.id, _external=False)
    return [gettext("To see it or to return something: %(link)s", link=base + path)] if base else []


def _still_theirs(found: Receipt, to: str) -> bool:
    return found.member_id is not None and identity.proven_mail(found.member_id) == to


def _mine(sale_id: str) -> Receipt:
    found = receipt(sale_id, identity.signed_in().id)
    if found is None:
        raise NotFound("There is no such receipt")
    return found


def _refund(found: Receipt, refund_id: str) -> ReceiptRefund:
    for refund in found.refunds:
        if refund.id == refund_id:
            return refund
    raise NotFound("There is no such refund")


def _pdf(content: bytes, name: str) -> Response:
    answer = Response(content, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
