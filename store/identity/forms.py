"""Forms of identity: what was typed, and what to say beside a field that cannot be taken."""

from __future__ import annotations

from flask import request
from flask_babel import gettext as _
from flask_babel import ngettext

from .. import forms
from ..errors import Invalid, Refusal, TooMany
from ..post import PostBusy
from .admitting import HalfOver
from .codes import CodeOver, WrongCode
from .entering import MoreNeeded
from .factors import FactorNeeded, WrongFactor
from .identifiers import IdentifierTaken
from .login import safe_next
from .oidc import OutsideAway, OutsideRefused
from .outside import LastSign, OutsideTaken
from .passkeys import PasskeyRefused
from .sign_ins import MemberDisabled, WrongPassword
from .signs import TooManySigns

__all__ = ["fault", "identifier", "name", "new_path", "next_path", "password"]


def identifier() -> str:
    return forms.text("identifier", most=254)


def name() -> str:
    return forms.text("name", most=120)


def password(field: str = "password") -> str:
    """A password as it was typed: blanks at its ends belong to it."""
    return request.form.get(field, "")


def next_path() -> str:
    """Where to go on to, from the form or the address; safe whatever it says."""
    return safe_next(request.form.get("next") or request.args.get("next"))


def new_path() -> str:
    """Where somebody goes on to who is new here: to paying, where an empty account pays nothing."""
    given = request.form.get("new") or request.args.get("new")
    return safe_next(given) if given else next_path()


def fault(refusal: Refusal) -> tuple[str, str]:
    """(field, what to say beside it) in the visitor's language; no field: above the form."""
    if isinstance(refusal, Invalid) and refusal.field == "password":
        return "password", {
            "length": _("Choose a password of 8 to 200 characters."),
            "common": _("This is one of the first passwords that are guessed. Choose another."),
            "own_name": _("Choose a password that is not your name, e-mail or phone number."),
        }.get(refusal.data.get("fault", ""), _("This password cannot be used. Choose another."))
    if isinstance(refusal, Invalid) and refusal.data.get("fault") == "unreached":
        return "identifier", _("This shop sends no codes there.")
    if isinstance(refusal, Invalid) and refusal.field == "identifier":
        return "identifier", _("Enter an e-mail address or a phone number.")
    if isinstance(refusal, Invalid):
        return refusal.field, _("This cannot be used. Please shorten it or leave it out.")
    if isinstance(refusal, TooMany):
        minutes = (refusal.retry_after_s + 59) // 60
        return "", _(
            "Too many tries. Please wait %(minutes)s min, then try again.", minutes=minutes
        )
    if isinstance(refusal, WrongCode):
        return "code", ngettext(
            "This is not the code. You have one more try.",
            "This is not the code. You have %(num)s more tries.",
            refusal.data["left"],
        ) if refusal.data["left"] else _("This is not the code. Have a new one sent.")
    if isinstance(refusal, WrongFactor):
        return "code", _("This is not the code of this moment. Wait for the next one.")
    if isinstance(refusal, HalfOver):
        return "", _("That took too long. Please sign in from the beginning.")
    if isinstance(refusal, FactorNeeded):
        return "", _("This shop asks it of you. Add a passkey first, or move it to another phone.")
    if isinstance(refusal, CodeOver):
        return "", _("This code is not valid any more. Have a new one sent.")
    if isinstance(refusal, PostBusy):
        return "", _("Messages cannot be sent just now. Please try again in a minute.")
    if isinstance(refusal, PasskeyRefused):
        return "", _("This passkey does not fit. Please try again, or go on another way.")
    if isinstance(refusal, OutsideAway):
        return "", _("This provider does not answer just now. Please go on another way.")
    if isinstance(refusal, OutsideRefused):
        return "", _("You were not signed in from outside. Please try again, or go on another way.")
    if isinstance(refusal, OutsideTaken):
        return "", _("This outside account belongs to another account here.")
    if isinstance(refusal, LastSign):
        return "", _("This is the only way into your account. Add another one first.")
    if isinstance(refusal, MoreNeeded):
        return "", _("This account is closed to codes alone. Please ask in the shop.")
    if isinstance(refusal, WrongPassword):
        return "password", _("Wrong password, or no account with this phone or e-mail.")
    if isinstance(refusal, IdentifierTaken):
        return "", _("There is an account with this already. Sign in with its password.")
    if isinstance(refusal, TooManySigns):
        return "", _("You have as many as an account can have. Remove one first.")
    if isinstance(refusal, MemberDisabled):
        return "", _("This account is closed. Please ask in the shop.")
    raise refusal
