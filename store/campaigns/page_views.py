"""The card of a campaign on the shop's front page, in the basket and on the account's page: only
for who is signed in, agreed to it, and was drawn for it. No item page shows one: it would ask one
statement more of every label."""

from __future__ import annotations

from typing import NamedTuple

from flask import Response, after_this_request, redirect, url_for
from flask.typing import ResponseReturnValue

from .. import forms as fields
from .. import identity, web
from ..membership.consents import VERSION
from . import pages
from .blueprint import blueprint
from .letter_views import reason

__all__ = ["blueprint"]

BACK = {"shop": "sales.shop", "basket": "sales.basket", "me": "identity.account"}


class Shown(NamedTuple):
    """A card as a template shows it; `version` is that of the words that ending it refers to."""

    campaign_id: int
    heading: str
    words: str
    coupon: str | None
    why: str
    version: int


@blueprint.app_template_global()
def campaign_card() -> Shown | None:
    """What waits for whoever is signed in. It counts as seen when the page is done."""
    member = identity.current()
    card = pages.waiting(member.id) if member is not None else None
    if member is None or card is None:
        return None
    plan, member_id = card.campaign, member.id
    said = plan.texts.get(web.language()) or next(iter(plan.texts.values()))
    shown = Shown(
        plan.id, said["subject"], said["words"], plan.coupon, reason(plan, card.agreed_at), VERSION
    )
    if card.is_new:

        @after_this_request
        def mark(response: Response) -> Response:
            if response.status_code == 200:
                pages.seen(shown.campaign_id, member_id)
            return response

    return shown


@blueprint.post("/me/campaigns/<number:campaign_id>/dismissals", endpoint="dismiss")
def dismiss(campaign_id: int) -> ResponseReturnValue:
    """Put away, for good."""
    member = identity.signed_in()
    back = fields.choice("back", tuple(BACK), "shop")
    pages.dismiss(campaign_id, member.id)
    return redirect(url_for(BACK[back]), 303)
