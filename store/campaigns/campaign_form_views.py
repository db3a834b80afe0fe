"""Reading the form of a campaign, strictly."""

from __future__ import annotations

from datetime import datetime

from flask import request
from flask_babel import gettext

from .. import clock, forms, web
from ..errors import Invalid
from ..membership import coupons_for, read_code
from ..membership.consents import CHANNELS
from . import saved
from .plans import MOST_DAYS, MOST_HELD, Wanted

__all__ = ["wanted", "why"]

MOST_SUBJECT, MOST_WORDS, MOST_SMS = 120, 4_000, 300


def wanted() -> Wanted:
    """The campaign that the form describes. Raises Invalid."""
    name = forms.text("name", least=1, most=60)
    channel = forms.choice("channel", CHANNELS)
    coupon = _coupon()
    return Wanted(
        name, _segment(), channel,
        {language: _texts(language, channel) for language in web.LANGUAGES}, coupon,
        coupon is not None and forms.flag("own"),
        forms.whole("held", least=0, most=MOST_HELD),
        forms.whole("days", least=1, most=MOST_DAYS), _due(),
    )  # fmt: skip


def _segment() -> int:
    number = forms.whole("segment", least=1, most=10**14)
    if number not in {one.id for one in saved.listed()}:
        raise Invalid("There is no such segment", field="segment")
    return number


def _texts(language: str, channel: str) -> dict[str, str]:
    least = 0 if channel == "sms" else 1
    most = MOST_SMS if channel == "sms" else MOST_WORDS
    subject = forms.text(f"subject_{language}", least=least, most=MOST_SUBJECT)
    field = f"words_{language}"
    lines = request.form.get(field, "").replace("\r\n", "\n").replace("\r", "\n").strip()
    for line in lines.split("\n"):
        forms.checked(field, line, least=0, most=most)
    if not 1 <= len(lines) <= most:
        raise Invalid(f"{field} must have 1 to {most} characters", field=field)
    if channel == "sms":
        lines = " ".join(lines.split())
    return {"subject": subject, "words": lines}


def _coupon() -> str | None:
    said = forms.text("coupon", most=32)
    if not said:
        return None
    code = read_code(said)
    found = coupons_for([(code, None)]).get((code, None))
    if found is None or found.is_ended:
        raise Invalid("There is no such coupon, or it is over", field="coupon")
    return found.code


def _due() -> datetime | None:
    """A moment to come."""
    found = forms.moment("due", web.setting("TIME_ZONE"))
    if found is not None and found <= clock.now():
        raise Invalid("This is no time to come", field="due")
    return found


def why(refusal: Invalid) -> str:
    """What is wrong with the form, in the visitor's language."""
    field = refusal.field or ""
    says: dict[str, str] = {
        "name": gettext("A name has 1 to 60 characters."),
        "segment": gettext("Choose a segment."),
        "coupon": gettext("There is no such coupon, or it is over."),
        "due": gettext("Say a time to come, or leave it empty."),
        "held": gettext("Held out are 0 to %(most)d percent.", most=MOST_HELD),
        "days": gettext("Measured are 1 to %(most)d days.", most=MOST_DAYS),
        "subject": gettext(
            "Write a subject in each language, of %(most)d characters at most.", most=MOST_SUBJECT
        ),
        "words": gettext(
            "Write the words in each language, of %(most)d characters at most, or %(sms)d by SMS.",
            most=MOST_WORDS, sms=MOST_SMS,
        ),
    }  # fmt: skip
    known = says.get(field) or says.get(field.partition("_")[0])
    return str(known or gettext("Please look at what you have written."))
