"""The card of a campaign on the shop's front page, on item pages, in the basket and on the
account's page: only for who is signed in, agreed to it, and was drawn for it."""

from __future__ import annotations

from typing import NamedTuple

from flask import Response, after_this_request, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from .. import forms as fields
from .. import identity, web
from ..membership.consents import VERSION
from ..sales.shelf import beside
from . import item_cards, pages
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
    is_own: bool
    why: str
    version: int


@blueprint.app_template_global()
def campaign_card() -> Shown | None:
    """What waits for whoever is signed in. It counts as seen when the page is done."""
    member = identity.current()
    card = pages.waiting(member.id) if member is not None else None
    return _shown(card, member.id) if member is not None and card is not None else None


class _OnItems:
    """The same on item pages."""

    may_be = staticmethod(item_cards.may_be)

    def shown(self, mark: int | None, path: str) -> Markup:
        member = identity.current()
        card = item_cards.waiting(mark, member.id) if member is not None else None
        if member is None or card is None:
            return Markup()
        shown = _shown(card, member.id)
        page = render_template("campaigns/card.html", given_card=shown, card_back="item", path=path)
        return Markup(page)  # noqa: S704 -- A template of ours has made it.


beside.put(_OnItems())


def _shown(card: pages.Card, member_id: int) -> Shown:
    plan = card.campaign
    said = plan.texts.get(web.language()) or next(iter(plan.texts.values()))
    shown = Shown(
        plan.id, said["subject"], said["words"], card.coupon,
        bool(card.coupon and plan.own_codes), reason(plan, card.agreed_at), VERSION,
    )  # fmt: skip
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
    back = fields.choice("back", (*BACK, "item"), "shop")
    pages.dismiss(campaign_id, member.id)
    if back == "item":
        return redirect(identity.safe_next(request.form.get("next")), 303)
    return redirect(url_for(BACK[back]), 303)
