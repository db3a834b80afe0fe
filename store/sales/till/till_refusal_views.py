"""What a till refuses, and how it says so while somebody waits."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext, ngettext

from ... import (
    membership,
    money,
    payment,
    stock,
    web,
)
from ...errors import Refusal
from ...payment.calls import GatewayAway
from .. import forms
from ..ages.ages import AgeNotChecked
from ..basket.basket_views import BasketChanged
from ..buying import PriceRose
from ..limits import ConfirmationNeeded

__all__ = ["CodeNeeded", "GivenTooLittle", "in_words"]


class GivenTooLittle(Refusal):
    """Less cash was given than the basket costs. `data`: total_minor, given_minor."""

    code = "given_too_little"
    status = 409
    title = "That is less than the total"


class CodeNeeded(Refusal):
    """Nobody spends what is not theirs: an account pays where its member's own code was seen."""

    code = "member_code_needed"
    status = 403
    title = "The account pays once the member's code was scanned"


def in_words(refusal: Refusal, code: str = "") -> Any:
    """A refusal in a line that staff read while somebody waits. Nothing was charged."""
    data = refusal.data
    if isinstance(refusal, stock.OutOfStock):
        return ngettext(
            "The book has only %(num)d of %(item)s here. Nothing was charged.",
            "The book has only %(num)d of %(item)s here. Nothing was charged.",
            data["left"], item=data["item"],
        )  # fmt: skip
    if isinstance(refusal, payment.InsufficientFunds):
        held = money.show(data["balance_minor"], forms.currency(), web.language())
        return gettext("The account holds only %(amount)s. Nothing was charged.", amount=held)
    if isinstance(refusal, ConfirmationNeeded):
        return gettext("This is above the limit of the account. Nothing was charged.")
    if isinstance(refusal, PriceRose):
        return gettext("A price has gone up. Tell the new total, then take the money.")
    if isinstance(refusal, GivenTooLittle):
        return gettext("That is less than the total. Nothing was sold.")
    if isinstance(refusal, BasketChanged):
        return gettext("The basket has changed. Look at it again.")
    if isinstance(refusal, membership.PointsRefused):
        return gettext("These points are not there any more. Look at the basket again.")
    if isinstance(refusal, CodeNeeded):
        return gettext("To pay from the account, scan the code on the member's phone.")
    if isinstance(refusal, AgeNotChecked):
        return gettext("Ask for the age first. Nothing was sold.")
    if isinstance(refusal, GatewayAway):
        return gettext("This does not answer just now. Take the money in another way.")
    if code:
        return gettext("“%(code)s” is not for sale here.", code=code)
    return gettext("This was not sold: %(why)s", why=refusal.title)
