"""The letter that says what has changed of the ways into a member's account."""

from __future__ import annotations

from flask import current_app, url_for
from flask_babel import gettext as _

from .. import post
from . import notices


def register() -> None:
    """Say who writes these letters."""
    post.writes(notices.KIND)(write)


def write(subject: str, to: str, language: str) -> post.Mail | None:
    what, _colon, of = subject.partition(":")
    said = {
        "second_set": _("Two-step sign-in was set up."),
        "second_removed": _("Two-step sign-in was switched off."),
        "second_reset": _("Two-step sign-in and all passkeys were reset by the shop."),
        "sign_added": _("%(address)s was added. It opens your account from now on.", address=of),
        "sign_removed": _("%(address)s was taken off. It opens nothing any more.", address=of),
        "sign_moved": _("%(address)s was proven by somebody else, and went to them.", address=of),
        "merged": _("Another account of yours, %(address)s, came into this one.", address=of),
        "merged_away": _("Your account came into another one of yours, %(address)s.", address=of),
        "passkey_added": _("A passkey was added. It opens your account from now on."),
        "passkey_removed": _("A passkey was removed."),
    }.get(what)
    if said is None:
        return None
    shop = current_app.config["SHOP_NAME"]
    words = [
        said,
        _("If it was you, you need not do anything. If not, sign in, end the devices that are not "
          "yours, and tell the shop."),
    ]  # fmt: skip
    if base := str(current_app.config["BASE_URL"]):
        words.append(base + url_for("identity.devices", _external=False))
    subject_line = _("Your account at %(shop)s has changed", shop=shop)
    return post.Mail(to, subject_line, "\n\n".join(words) + "\n", "", language)
