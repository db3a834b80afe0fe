"""The house's own rules as they stand on their pages: how people buy, what the desk asks, and how
offers are sent. What they come with is what most shops want; each holds from the next opening.
"""

from __future__ import annotations

from collections.abc import Callable

from flask_babel import gettext

from .. import forms, money, web
from ..errors import Invalid
from .fields import Field

__all__ = ["RULES", "title", "words"]


def _amount(name: str) -> str:
    minor = forms.amount(name, web.setting("CURRENCY"))
    return money.text(minor, web.setting("CURRENCY"))


def _whole(most: int) -> Callable[[str], int]:
    return lambda name: forms.whole(name, least=0, most=most)


def _hours(name: str) -> str:
    """Empty, or two times of day; whoever starts the shop reads them again."""
    said = forms.text(name, most=20).replace(" ", "").replace("–", "-").replace("：", ":")
    if said and (said.count("-") != 1 or said.count(":") != 2):
        raise Invalid("Quiet hours are like 21:00-09:00", field=name)
    return said


def _numbers(most: int, *names: str) -> tuple[Field, ...]:
    return tuple(Field(name, "short", _whole(most)) for name in names)


def _amounts(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name, "short", _amount) for name in names)


def _flags(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name, "flag", forms.flag) for name in names)


RULES: dict[str, tuple[Field, ...]] = {
    "buying": (
        *_flags("GUESTS"),
        *_amounts("CONFIRM_OVER", "BUY_LIMIT", "DAY_LIMIT", "TOP_UP_LIMIT"),
        *_numbers(3_650, "RETURN_DAYS"),
        *_numbers(600, "WARRANTY_MONTHS"),
        *_flags("RETURN_OPENED", "AGE_REMEMBERED"),
        *_amounts("CASH_ON_DELIVERY"),
        *_numbers(365, "ESCROW_DAYS"),
    ),
    "desk": (
        Field("SECOND_FACTOR", "who", lambda name: forms.choice(name, ("off", "owners", "staff"))),
        *_amounts("REFUND_APPROVAL_ABOVE"),
        *_flags("TILL_BLIND"),
        *_numbers(1_440, "EXIT_OFFLINE_MINUTES"),
        *_numbers(720, "DESK_OFFLINE_HOURS"),
        *_numbers(365, "REORDER_LEAD_DAYS", "REORDER_SAFETY_DAYS", "REORDER_COVER_DAYS"),
    ),
    "offers": (
        *_flags("ASK_CONSENT"),
        Field("QUIET_HOURS", "short", _hours),
        *_numbers(1_000, "CAMPAIGN_LETTERS"),
        Field("CAMPAIGN_DAYS", "short", lambda name: forms.whole(name, least=1, most=365)),
    ),
}


def title(group: str) -> str:
    """What a page of rules is called."""
    titles: dict[str, str] = {
        "buying": gettext("Buying and returns"),
        "desk": gettext("Desk and stock"),
        "offers": gettext("Offers and letters"),
    }
    return titles[group]


def words(name: str) -> tuple[str, str]:
    """What a rule is called, and a hint."""
    none, any_sum = gettext("0: never"), gettext("0: any amount")
    return {
        "GUESTS": (gettext("Who has no account may buy, too"), ""),
        "CONFIRM_OVER": (
            gettext("One tap pays up to"), gettext("Above it the page asks once more."),
        ),
        "BUY_LIMIT": (gettext("Largest purchase from an account without its PIN"), any_sum),
        "DAY_LIMIT": (gettext("What leaves an account in a day without its PIN"), any_sum),
        "TOP_UP_LIMIT": (gettext("Largest single top-up"), ""),
        "RETURN_DAYS": (
            gettext("Goods are taken back for so many days"),
            gettext("Categories and items may have rules of their own."),
        ),
        "WARRANTY_MONTHS": (
            gettext("Goods have a guarantee of so many months"), gettext("0: none is said"),
        ),
        "RETURN_OPENED": (gettext("Opened goods are taken back"), ""),
        "AGE_REMEMBERED": (
            gettext("Members may let the shop remember that their age was seen"), "",
        ),
        "CASH_ON_DELIVERY": (gettext("Largest order that is paid to the courier"), none),
        "ESCROW_DAYS": (
            gettext("The money of an order is held for so many days after it arrived"), none,
        ),
        "SECOND_FACTOR": (
            gettext("A second sign is needed to sign in by"),
            gettext("An app or a passkey; whoever has none yet sets it up at the next sign-in."),
        ),
        "REFUND_APPROVAL_ABOVE": (
            gettext("A colleague approves refunds above"), gettext("0: none is approved"),
        ),
        "TILL_BLIND": (gettext("Staff count a till before they see what should be in it"), ""),
        "EXIT_OFFLINE_MINUTES": (
            gettext("An exit checks without a network for so many minutes"), none,
        ),
        "DESK_OFFLINE_HOURS": (
            gettext("What staff do without a network is kept for so many hours"), none,
        ),
        "REORDER_LEAD_DAYS": (gettext("Days from an order until the goods are here"), ""),
        "REORDER_SAFETY_DAYS": (gettext("Days that stock lasts longer, to be safe"), ""),
        "REORDER_COVER_DAYS": (gettext("Days that an order lasts"), ""),
        "ASK_CONSENT": (gettext("A first receipt asks who wants to hear of offers"), ""),
        "QUIET_HOURS": (
            gettext("Campaigns send nothing between"), gettext("Like 21:00-09:00; empty: always"),
        ),
        "CAMPAIGN_LETTERS": (
            gettext("Most letters of campaigns to one member"), gettext("0: any number"),
        ),
        "CAMPAIGN_DAYS": (gettext("…in so many days"), ""),
    }[name]  # fmt: skip
