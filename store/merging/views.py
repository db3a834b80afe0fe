"""A member's own pages of two accounts: showing that the other is theirs, seeing what will come
together, and doing it; and afterwards what came from where."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from .. import forms as fields
from .. import identity, money, post, web
from ..errors import Invalid, NotFound, Refusal, TooMany
from ..identity import (
    code_views,
    codes,
    confirm_views,
    factors,
    forms,
    identifiers,
    passkey_views,
    pins,
    proving,
)
from ..identity.entering import MoreNeeded
from ..identity.passkeys import PasskeyRefused
from ..identity.sign_ins import MemberDisabled, WrongPassword
from ..sales.receipts.receipts import receipts_of
from ..sales.shown_views import shown_receipt
from . import history, joining, preview

blueprint = Blueprint("merging", __name__)

SHOWN = 100
_NOT_PROVEN = (
    Invalid, TooMany, post.PostBusy, codes.WrongCode, codes.CodeOver, WrongPassword, MoreNeeded,
    MemberDisabled, PasskeyRefused, proving.NoOtherAccount, proving.MergeBlocked,
)  # fmt: skip


@blueprint.app_template_global()
def merged_accounts() -> bool:
    """Whether another account of the signed-in member's came into theirs."""
    member = identity.current()
    return member is not None and bool(history.of_member(member.id, 1))


@blueprint.get("/me/merge")
def start() -> ResponseReturnValue:
    """How to show that another account is theirs; and what came together before."""
    return _start_page()


def _start_page(refusal: Refusal | None = None, typed: str = "") -> ResponseReturnValue:
    member, practice = identity.signed_in(), current_app.config["PRACTICE_POST"]
    field, said = _fault(refusal) if refusal else ("", "")
    page = render_template(
        "merging/start.html", field=field, said=said, typed=typed,
        sent=codes.latest(code_views.visit_digest(), live=True), any_code=code_views.any_code(),
        is_fresh=confirm_views.signed_in_anew(), minutes=codes.MINUTES,
        practice=practice and current_app.config["DEMO"],
        merges=history.of_member(member.id, SHOWN), next_path=url_for("merging.start"),
    )  # fmt: skip
    if refusal is None:
        return page
    again = {"Retry-After": str(refusal.retry_after_s)} if isinstance(refusal, TooMany) else {}
    return page, refusal.status, again


def _fresh() -> int:
    """Whose request it is. A phone that was left lying brings nobody's accounts together. Raises
    SignInAgain."""
    member = identity.signed_in()
    if not confirm_views.signed_in_anew():
        raise pins.SignInAgain()
    return member.id


@blueprint.post("/me/merge/code")
def ask() -> ResponseReturnValue:
    """Send a code there. The answer is the same whoever the address belongs to."""
    _fresh()
    typed = ""
    try:
        typed = forms.identifier()
        kind, value = identifiers.normalise(typed)
        if not code_views.can_send(kind, value):
            raise Invalid("No code can be sent there", field="identifier", fault="unreached")
        code_views.post_code(kind, value)
    except (Invalid, TooMany, post.PostBusy) as refusal:
        return _start_page(refusal, typed)
    return redirect(url_for("merging.start"), 303)


@blueprint.post("/me/merge/prove")
def prove() -> ResponseReturnValue:
    """By the code, or by the password of the other account."""
    member_id, visit, typed = _fresh(), code_views.visit_digest(), ""
    try:
        if "code" in request.form:
            proving.by_code(member_id, visit, request.form["code"], identity.caller())
        else:
            typed = forms.identifier()
            proving.by_password(member_id, typed, forms.password(), visit, identity.caller())
    except _NOT_PROVEN as refusal:
        return _start_page(refusal, typed)
    return redirect(url_for("merging.shown"), 303)


@blueprint.post("/me/merge/passkey")
def prove_by_passkey() -> ResponseReturnValue:
    member_id, visit = _fresh(), code_views.visit_digest()
    answer, site = request.form.get("credential", ""), passkey_views.site()
    try:
        proving.by_passkey(member_id, answer, visit, site, identity.caller())
    except _NOT_PROVEN as refusal:
        return _start_page(refusal)
    return redirect(url_for("merging.shown"), 303)


@blueprint.post("/me/merge/second")
def second() -> ResponseReturnValue:
    """The second step of the other account, where it has one."""
    member_id = _fresh()
    try:
        typed = request.form.get("code", "")
        proving.second(member_id, code_views.visit_digest(), typed, identity.caller())
    except (factors.WrongFactor, TooMany) as refusal:
        return _shown_page(refusal)
    return redirect(url_for("merging.shown"), 303)


@blueprint.get("/me/merge/preview")
def shown() -> ResponseReturnValue:
    """What will come together, once all is shown of the other account; nothing of it before."""
    return _shown_page()


def _shown_page(refusal: Refusal | None = None) -> ResponseReturnValue:
    member_id = identity.signed_in().id
    found = proving.standing(member_id, code_views.visit_digest())
    if found is None or not confirm_views.signed_in_anew():
        return redirect(url_for("merging.start"), 303)
    field, said = _fault(refusal) if refusal else ("", "")
    values: dict[str, Any] = {"proof": found, "field": field, "said": said}
    if not found.owes_second:
        theirs, mine = preview.of(found.other_id), preview.of(member_id)
        values |= {
            "rows": preview.rows(theirs, mine), "money": _money(theirs, mine),
            "theirs": identifiers.of_member(found.other_id),
            "mine": identifiers.of_member(member_id), "why": joining.blocks(found.other_id),
        }  # fmt: skip
    return render_template("merging/shown.html", **values), refusal.status if refusal else 200


def _money(theirs: preview.Holding, mine: preview.Holding) -> list[tuple[str, str, str]]:
    """In each currency: there, here, together."""
    language, found = web.language(), []
    for currency in sorted({*theirs.money, *mine.money}):
        there, here = theirs.money.get(currency, 0), mine.money.get(currency, 0)
        sums = (there, here, there + here)
        found.append(tuple(money.show(each, currency, language) for each in sums))
    return found  # type: ignore[return-value]


@blueprint.post("/me/merge")
def join() -> ResponseReturnValue:
    """Both are one from now on. A second tap answers the same. Raises SignInAgain, ProofOver,
    MergeBlocked."""
    member_id = _fresh()
    proof = fields.text("proof", least=1, most=20)
    merge_id = joining.join(member_id, code_views.visit_digest(), proof)
    flash(_("Your two accounts are one now."), "good")
    return redirect(url_for("merging.merged", merge_id=merge_id), 303)


@blueprint.post("/me/merge/end")
def let_go() -> ResponseReturnValue:
    """They leave it at two accounts."""
    proving.let_go(identity.signed_in().id, code_views.visit_digest())
    return redirect(url_for("identity.account"), 303)


@blueprint.get("/me/merge/<merge_id>")
def merged(merge_id: str) -> str:
    """What came from which account, and when. Raises NotFound."""
    found = history.one(identity.signed_in().id, merge_id)
    if found is None:
        raise NotFound("There is no such account of yours")
    listed = receipts_of(history.sales_of(merge_id, SHOWN))
    return render_template(
        "merging/merged.html", merge=found, many=history.count_sales(merge_id),
        sales=[shown_receipt(sale) for sale in listed], most=SHOWN,
    )  # fmt: skip


def _fault(refusal: Refusal) -> tuple[str, str]:
    """(field, what to say) in the visitor's language."""
    if isinstance(refusal, proving.NoOtherAccount):
        return "", _("There is no other account under this. If the address is yours, add it to "
                     "this account under “Phone and e-mail”.")  # fmt: skip
    if isinstance(refusal, proving.MergeBlocked):
        return "", _("This is the account of somebody who works here. Sign in to it, and bring the "
                     "other one there.")  # fmt: skip
    if isinstance(refusal, MoreNeeded):
        return "", _("This address alone does not open that account. Show it by its password or "
                     "its passkey.")  # fmt: skip
    return forms.fault(refusal)
