"""Pages of consent: what a member agreed to, asked after a purchase, and the link that ends it."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import forms as fields
from .. import identity, post, web
from . import consents
from .blueprint import blueprint
from .consents import CHANNELS

__all__ = ["stop_path"]

web.exempt_from_csrf("membership.stopped")


@blueprint.get("/me/consent", endpoint="consent")
def show() -> str:
    """Each way on its own: the words, what was said last, and one tap for the other."""
    member = identity.signed_in()
    shop, settings = web.setting("SHOP_NAME"), current_app.config
    standing = consents.standing(member.id)
    used = {"mail": post.can_mail(settings), "sms": post.can_text(settings), "page": True}
    shown = [one for one in CHANNELS if used[one] or one in standing]
    return render_template(
        "membership/consent.html", standing=standing, history=consents.history(member.id),
        ways=_ways(member.id), version=consents.VERSION,
        texts={one: consents.text_of(one, web.language(), shop) for one in shown},
    )  # fmt: skip


@blueprint.post("/me/consent", endpoint="set_consent")
def set_one() -> ResponseReturnValue:
    """One way, one tap."""
    member = identity.signed_in()
    channel = fields.choice("channel", CHANNELS)
    place = fields.choice("place", ("account", "page"), "account")
    wanted = fields.flag("wanted")
    _decide(member.id, {channel: wanted}, place)
    flash(gettext("Saved.") if wanted else gettext("Nothing more comes by this way."), "good")
    return redirect(url_for("membership.consent"), 303)


@blueprint.post("/me/consent/receipt", endpoint="consent_after")
def set_after_purchase() -> ResponseReturnValue:
    """What was ticked on a receipt. What was not is a no, and is not asked again."""
    member = identity.signed_in()
    sale_id = fields.text("sale", least=1, most=20)
    asked, ticked = set(request.form.getlist("asked")), set(request.form.getlist("yes"))
    _decide(member.id, {one: one in ticked for one in CHANNELS if one in asked}, "receipt")
    flash(gettext("Saved. You can change it under your account at any time."), "good")
    return redirect(url_for("sales.receipt", sale_id=sale_id), 303)


def _decide(member_id: int, wanted: dict[str, bool], place: str) -> None:
    consents.decide(
        member_id, wanted, place=place, shop=web.setting("SHOP_NAME"),
        language=fields.choice("language", tuple(web.LANGUAGES)),
        version=fields.whole("version", least=1, most=10**6),
    )  # fmt: skip


def _ways(member_id: int) -> list[str]:
    """The ways that lead to this member: addresses that are proven, and the pages."""
    settings = current_app.config
    mail = post.can_mail(settings) and identity.proven_mail(member_id)
    sms = post.can_text(settings) and identity.proven_phone(member_id)
    return [one for one, there in (("mail", mail), ("sms", sms), ("page", True)) if there]


@blueprint.app_template_global()
def consent_to_ask() -> dict[str, Any] | None:
    """What a receipt asks somebody who has never been asked; None where nothing is."""
    member = identity.current() if current_app.config["ASK_CONSENT"] else None
    if member is None or consents.standing(member.id):
        return None
    shop, language = web.setting("SHOP_NAME"), web.language()
    texts = {one: consents.text_of(one, language, shop) for one in _ways(member.id)}
    return {"texts": texts, "version": consents.VERSION}


# The link in a letter. It needs no sign-in, and names nobody.


@blueprint.get("/stop/<mark>", endpoint="stop")
def show_stop(mark: str) -> str:
    """Whoever opens the link sees one button: programs that look at links press none."""
    _, channel = consents.read_mark(_key(), mark)
    return render_template("membership/stop.html", mark=mark, channel=channel, done=False)


@blueprint.post("/stop/<mark>", endpoint="stopped")
def do_stop(mark: str) -> str:
    """The button of the page, or of a mail program (RFC 8058, which wants no redirect)."""
    member_id, channel = consents.read_mark(_key(), mark)
    one_click = request.form.get("List-Unsubscribe") == "One-Click"
    place = "one_click" if one_click else "link"
    consents.stop(member_id, channel, place=place, language=web.language())
    return render_template("membership/stop.html", mark=mark, channel=channel, done=True)


def stop_path(member_id: int, channel: str) -> str:
    """The path of the link that ends a way, for a letter to this member."""
    return f"/stop/{consents.mark_of(_key(), member_id, channel)}"


def _key() -> bytes:
    return web.setting("SECRET_KEY").encode()
