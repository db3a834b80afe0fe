"""The words of a campaign as its member reads them: in a mail, in an SMS, on the shop's pages. Each
says why they get it, and how one tap ends it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from flask import current_app, render_template
from flask_babel import gettext

from .. import post, web
from ..membership import coupons_for
from ..membership.consent_views import stop_path
from ..post.speaking import speaking
from ..reports.calendar import zone
from ..sales.shown_views import full_date
from . import saved, turns
from .models import Campaign
from .segment_views import words

__all__ = ["Preview", "previews", "reason", "why_not"]


class Preview(NamedTuple):
    """A letter as it would be read, in one language."""

    language: str
    subject: str
    text: str


class Letter(NamedTuple):
    """What a letter says. `code` is its coupon, `is_own` the reader's alone; `home` is the shop's
    address, `stop` the link that ends it."""

    channel: str
    shop: str
    title: str
    words: str
    code: str | None
    is_own: bool
    why: str
    home: str
    stop: str

    @property
    def text(self) -> str:
        """All of it as plain text; of a card what stands on it."""
        coupon = gettext("Your coupon: %(code)s", code=self.code) if self.code else ""
        if coupon and self.is_own:
            coupon += " · " + gettext("It is yours alone, and holds once.")
        if self.channel == "page":
            return "\n\n".join(filter(None, (self.words, coupon, self.why)))
        if self.channel == "sms":
            end = gettext("To end this: %(link)s", link=self.stop)
            return " ".join(filter(None, (f"{self.shop}:", self.words, coupon, self.why, end)))
        end = gettext(
            "One tap, without signing in, and no more of these come: %(link)s", link=self.stop
        )
        parts = (self.words, coupon, self.home, f"-- \n{self.shop}", self.why, end)
        return "\n\n".join(filter(None, parts)) + "\n"


@post.writes(turns.LETTER)
def write(subject: str, to: str, language: str) -> post.Mail | post.Sms | None:
    """The letter to one member, if they still want it. Raises NotNow."""
    campaign_id, _, member_id = subject.partition(":")
    told = turns.hand_over(int(campaign_id), int(member_id), to)
    if told is None:
        return None
    plan = told.campaign
    stop = _base() + stop_path(told.member_id, plan.channel)
    letter = _letter(plan, language, told.agreed_at, stop, told.coupon)
    if plan.channel == "sms":
        return post.Sms(to, letter.text)
    html = render_template("campaigns/letter.html", letter=letter, language=language)
    return post.Mail(to, letter.title, letter.text, html, language, (), stop)


def previews(plan: Campaign, at: datetime) -> list[Preview]:
    """The letter in each language, for somebody who agreed at that moment, with a link that ends
    nothing."""
    found = []
    for language in web.LANGUAGES:
        with speaking(language):
            stop = f"{_base()}/stop/{plan.channel[0]}…"
            coupon = f"{plan.coupon}-…" if plan.own_codes else plan.coupon
            letter = _letter(plan, language, at, stop, coupon)
            found.append(Preview(language, letter.title, letter.text))
    return found


def why_not(plan: Campaign) -> str | None:
    """What the shop lacks to start it, in the visitor's language."""
    settings, channel = current_app.config, plan.channel
    if channel == "mail" and not post.can_mail(settings):
        return str(gettext("This shop sends no mail yet: set how under First steps."))
    if channel == "sms" and not post.can_text(settings):
        return str(gettext("This shop sends no SMS yet: set how under First steps."))
    if channel != "page" and not _base():
        return str(gettext("Set the shop’s address first: each letter has a link that ends it."))
    asked = (plan.coupon or "", None)
    found = coupons_for([asked]).get(asked) if plan.coupon else None
    if plan.coupon and (found is None or found.is_ended):
        return str(gettext("There is no such coupon, or it is over."))
    return None


def _letter(
    plan: Campaign, language: str, agreed_at: datetime, stop: str, code: str | None
) -> Letter:
    said = plan.texts.get(language) or next(iter(plan.texts.values()))
    return Letter(
        plan.channel, str(current_app.config["SHOP_NAME"]), said["subject"], said["words"], code,
        bool(code and plan.own_codes), reason(plan, agreed_at), f"{_base()}/", stop,
    )  # fmt: skip


def reason(plan: Campaign, agreed_at: datetime) -> str:
    """Why a member gets it: what is true of them, and what they agreed to, and when."""
    true = words(saved.known(plan.segment_id).segment)
    day = full_date(agreed_at.astimezone(zone()).date())
    said = {"true": true, "day": day}
    if plan.channel == "mail":
        return str(gettext(
            "You get this because this is true of you: %(true)s; and because you agreed to offers "
            "by e-mail on %(day)s.", **said,
        ))  # fmt: skip
    if plan.channel == "sms":
        return str(gettext("Because: %(true)s; you agreed to offers by SMS on %(day)s.", **said))
    return str(gettext(
        "You see this because this is true of you: %(true)s; and because you agreed to offers on "
        "our pages on %(day)s.", **said,
    ))  # fmt: skip


def _base() -> str:
    """The shop's address for links in letters. Practice letters, which nobody is sent, lead to this
    machine where none is set."""
    settings = current_app.config
    if settings["BASE_URL"] or not settings["PRACTICE_POST"]:
        return str(settings["BASE_URL"])
    return f"http://localhost:{settings['PORT']}"
