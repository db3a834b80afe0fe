"""Pages of topping up: how much, by which means, the wait for the provider, what became of it."""

from __future__ import annotations

from flask import current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from .. import forms, identity, ids, money, web
from ..errors import Invalid, NotFound
from . import asking, attempts, in_wechat_views, ledger, topups
from .blueprint import blueprint
from .gateways import Gateway
from .gateways.bank import NAME as BANK
from .gateways.simulated import WISHES
from .models import OPEN, Attempt
from .offering_views import gateway_named, gateway_of, offered_here, pays_outside

__all__ = ["suggested"]

# Amounts that people put into a purse. What a unit of a currency without decimals is worth is
# nearer to a cent.
SUGGESTED = (20, 50, 100, 200)
LONGEST_WAY_BACK = 500


@blueprint.get("/me/top-up")
def top_up() -> ResponseReturnValue:
    """Ask for an amount; `next` is where the shopper wanted to pay, `amount` what is missing."""
    return _page_of_amounts(request.args.get("amount", "")[:20])


@blueprint.get("/me/top-up/ways", endpoint="top_up_ways")
def ways() -> ResponseReturnValue:
    """By which means shall so much come? One button for each that takes it from this browser."""
    member = identity.signed_in()
    typed = request.args.get("amount", "")[:20]
    try:
        minor = _amount(typed)
    except Invalid as refusal:
        return _page_of_amounts(typed, refusal), refusal.status
    if ask := in_wechat_views.to_ask():
        return redirect(ask, 303)
    return render_template(
        "payment/top_up_ways.html", key=ids.new(), currency=_currency(), amount_minor=minor,
        amount=money.text(minor, _currency()), next=_next(), gateways=offered_here(minor),
        wishes=WISHES, balance_minor=ledger.balance_of(member.id, _currency()),
    )  # fmt: skip


@blueprint.post("/me/top-up")
def start_top_up() -> ResponseReturnValue:
    """To the provider. The same page sent twice is one payment."""
    member = identity.signed_in()
    wish = forms.choice("wish", WISHES, "approve")
    key = forms.text("key", least=8, most=64)
    typed = request.form.get("amount", "")[:20]
    try:
        minor = _amount(typed)
    except Invalid as refusal:
        return _page_of_amounts(typed, refusal), refusal.status
    means = forms.text("means", least=1, most=40)
    wanted = attempts.Wanted(
        member.id, minor, _currency(), key, wish, subject=current_app.config["SHOP_NAME"],
        base_url=web.base_url(), address=request.remote_addr or "", back_to=_next(),
        **in_wechat_views.terms(means),
    )  # fmt: skip
    mine = topups.top_up(wanted, _taking(means, minor), most_minor=_limit_minor())
    return redirect(url_for("payment.top_up_state", top_up_id=mine.id, go=1), 303)


def _taking(means: str, minor: int) -> Gateway:
    """The provider that was chosen. Raises NotFound, and Invalid where it does not take so much
    from this browser."""
    found = gateway_named(means)
    if found.name == BANK:
        raise NotFound("An account is not filled by bank transfer")
    if found.name not in {one.name for one in offered_here(minor)}:
        raise Invalid("This amount is not paid in this way here", field="means")
    return found


@blueprint.get("/me/top-up/<top_up_id>")
def top_up_state(top_up_id: str) -> str:
    """Where the shopper comes back to from the provider: booked, declined, over, or still open."""
    member = identity.signed_in()
    mine = topups.find(top_up_id, member.id)
    return render_template(
        "payment/top_up_state.html", top_up=mine, currency=_currency(),
        amount=money.text(mine.amount_minor, mine.currency),
        balance_minor=ledger.balance_of(member.id, _currency()),
        waits=mine.state in OPEN, go=request.args.get("go") == "1",
        window=in_wechat_views.window(mine), next=identity.safe_next(mine.back_to),
    )  # fmt: skip


@blueprint.post("/me/top-up/<top_up_id>/checks")
def check(top_up_id: str) -> ResponseReturnValue:
    """Ask the provider now, for a shopper who is back and does not want to wait."""
    mine = _mine(top_up_id)
    asking.ask_about(mine, gateway_of(mine))
    return redirect(url_for("payment.top_up_state", top_up_id=top_up_id), 303)


@blueprint.post("/me/top-up/<top_up_id>/cancellations", endpoint="abandon_top_up")
def abandon(top_up_id: str) -> ResponseReturnValue:
    """The shopper does not want to pay in this way any more."""
    mine = _mine(top_up_id)
    asking.abandon(mine, gateway_of(mine))
    return redirect(url_for("payment.top_up_state", top_up_id=top_up_id), 303)


def _mine(top_up_id: str) -> Attempt:
    return topups.find(top_up_id, identity.signed_in().id)


def _page_of_amounts(amount: str, refusal: Invalid | None = None) -> str:
    member = identity.signed_in()
    return render_template(
        "payment/top_up.html", currency=_currency(), amount=amount, next=_next(), refused=refusal,
        suggested=suggested(_currency(), _limit_minor()), can_top_up=pays_outside(),
        limit_minor=_limit_minor(), balance_minor=ledger.balance_of(member.id, _currency()),
    )  # fmt: skip


def suggested(currency: str, limit_minor: int) -> list[tuple[str, int]]:
    """Usual amounts, as a form sends them and in minor units, within the limit."""
    times = 1 if money.decimals(currency) else 100
    found = [(str(each * times), money.parse(str(each * times), currency)) for each in SUGGESTED]
    return [one for one in found if one[1] <= limit_minor]


def _amount(typed: str) -> int:
    """Raises Invalid."""
    minor, most = money.parse(typed, _currency()), _limit_minor()
    if not 0 < minor <= most:
        raise Invalid("This amount cannot be topped up", field="amount", most_minor=most)
    return minor


def _next() -> str:
    """The page of this shop from which the shopper came, with which the provider's page is left
    again."""
    found = identity.safe_next(request.values.get("next", ""))
    return found if len(found) <= LONGEST_WAY_BACK else "/"


def _currency() -> str:
    return web.setting("CURRENCY")


def _limit_minor() -> int:
    return money.parse(web.setting("TOP_UP_LIMIT"), _currency())
