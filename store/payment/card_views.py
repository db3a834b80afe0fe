"""Pages of a member's kept cards: which there are, and removing one."""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import identity
from . import cards
from .blueprint import blueprint
from .card_models import SavedMeans
from .gateways import Keeps
from .gateways.offered import set_up

_BRANDS = {
    "visa": "Visa", "mastercard": "Mastercard", "amex": "American Express", "unionpay": "UnionPay",
    "jcb": "JCB", "discover": "Discover", "diners": "Diners Club",
}  # fmt: skip


@blueprint.app_template_global()
def card_name(card: SavedMeans) -> str:
    """A kept card as its member knows it."""
    return f"{_BRANDS.get(card.brand) or gettext('Card')} •••• {card.last4}"


@blueprint.app_template_global()
def keeps_cards() -> bool:
    """Whether a provider of this shop keeps cards for shoppers."""
    return bool(_keeping())


@blueprint.get("/me/cards", endpoint="cards")
def shown() -> str:
    """The member's kept cards. Changes nothing."""
    found = cards.of_member(identity.signed_in().id, _keeping())
    return render_template(
        "payment/cards.html", cards=[(card, cards.is_expired(card)) for card in found]
    )


@blueprint.post("/me/cards/<card_id>/removals", endpoint="remove_card")
def remove(card_id: str) -> ResponseReturnValue:
    """Offered no longer from now on, and its provider is told to keep it no longer."""
    cards.remove(identity.signed_in().id, card_id)
    flash(gettext("The card is removed."), "good")
    return redirect(url_for("payment.cards"), 303)


def _keeping() -> list[str]:
    found: dict[str, object] = dict(set_up(current_app.config))
    return [name for name, one in found.items() if isinstance(one, Keeps)]
