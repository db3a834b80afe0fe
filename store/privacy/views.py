"""A member's own pages of privacy: all that is held about them, as pages and as one file, and the
way out."""

from __future__ import annotations

from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    stream_with_context,
    url_for,
)  # fmt: skip
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import clock, forms, identity, money, payment, post, web
from ..errors import NotFound
from ..identity import confirm_views, pins
from . import erasing, exporting, retention
from .holdings import SECTIONS

blueprint = Blueprint("privacy", __name__)

SHOWN = 200


@blueprint.get("/me/privacy")
def overview() -> str:
    """What is held, by section, and what can be done about it."""
    member = identity.signed_in()
    values = exporting.values_of(member.id)
    counts = {one.name: exporting.count(one, member.id, values) for one in SECTIONS}
    return render_template("privacy/overview.html", counts=counts)


@blueprint.get("/me/privacy/<section>")
def held(section: str) -> str:
    """The newest rows of a section, in words."""
    member, found = identity.signed_in(), exporting.section_named(section)
    if found is None:
        raise NotFound("Nothing is held under this name")
    rows = exporting.rows(found, member.id, SHOWN)
    values = exporting.values_of(member.id)
    return render_template(
        "privacy/held.html", section=section, rows=rows, moment=clock.parse,
        many=exporting.count(found, member.id, values),
    )  # fmt: skip


@blueprint.get("/me/privacy.json")
def data() -> Response:
    """Everything, as one document."""
    member = identity.signed_in()
    pieces = stream_with_context(exporting.export(member.id))
    answer = Response(pieces, mimetype="application/json")
    answer.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/me/privacy/erasure")
def erasure() -> ResponseReturnValue:
    """What goes, what stays, what must be ended first."""
    return _page()


@blueprint.post("/me/privacy/erasure")
def erase() -> ResponseReturnValue:
    """The person goes. Asks for a sign-in of the last minutes and for a word, so that a phone that
    was left lying is not enough. Raises SignInAgain, ErasureBlocked."""
    member = identity.signed_in()
    typed = forms.text("word", least=1, most=40)
    if not confirm_views.signed_in_anew():
        raise pins.SignInAgain()
    if typed.strip().casefold() not in _words():
        return _page(said=True)
    erasing.erase(member.id, forfeit=forms.flag("forfeit"))
    web.renew_visit()
    flash(gettext("You are gone from this shop. Nothing here names you any more."), "good")
    return redirect(url_for("sales.shop"), 303)


def _words() -> set[str]:
    """What may be typed, in whatever language the page was shown."""
    return {"erase", "删除", gettext("erase").casefold()}


def _page(**values: Any) -> ResponseReturnValue:
    member, currency = identity.signed_in(), str(web.setting("CURRENCY"))
    balance = payment.balance_of(member.id, currency)
    why = erasing.blocks(member.id)
    page = render_template(
        "privacy/erasure.html", why=[one for one in why if one != erasing.BALANCE],
        balance=money.show(balance, currency, web.language()) if balance else "",
        has_balance=erasing.BALANCE in why, fresh=confirm_views.signed_in_anew(), **values,
    )  # fmt: skip
    return page, 422 if values.get("said") else 200


@post.writes(retention.NOTICE)
def write_notice(subject: str, to: str, language: str) -> post.Mail | None:
    """The letter that an account is going to be erased. Not to an address that is the member's no
    longer."""
    member_id = int(subject)
    if identity.proven_mail(member_id) != to:
        return None
    shop, days = current_app.config["SHOP_NAME"], int(current_app.config["ERASURE_NOTICE_DAYS"])
    title = gettext("Your account at %(shop)s", shop=shop)
    words = gettext(
        "You have not been here for a long time. In %(days)s days we erase who you are: your name, "
        "your addresses and how you sign in. If you want to stay, sign in once before then.",
        days=days,
    )
    base = str(current_app.config["BASE_URL"])
    link = f"{base}{url_for('identity.sign_in', _external=False)}\n" if base else ""
    return post.Mail(to, title, f"{words}\n\n{link}", "", language)
