"""Pages of a shopper's account: its statement, and topping it up."""

from __future__ import annotations

from flask import current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from .. import forms, identity, ids, money, web
from ..errors import Invalid, NotFound
from . import (
    asking,
    attempts,
    card_views,
    complaint_views,
    gateway_views,
    ledger,
    limit_views,
    notice_views,
    onward_views,
    statement_views,
    statements,
    topups,
)
from .bank import views as bank_views
from .blueprint import blueprint
from .costs import file_views as costs_file_views
from .costs import views as costs_views
from .gateways import Gateway
from .gateways.offered import set_up
from .gateways.simulated import WISHES

__all__ = [
    "bank_views", "blueprint", "card_views", "complaint_views", "costs_file_views",
    "costs_views", "gateway_views", "limit_views", "notice_views", "onward_views",
    "statement_views",
]  # fmt: skip

PAGE = 50
SUGGESTED = ("20", "50", "100", "200")


def gateway(name: str = "simulated") -> Gateway:
    """A way in which money comes from outside. Raises NotFound where it is not switched on."""
    found = set_up(current_app.config).get(name)
    if found is None:
        raise NotFound("This shop takes top-ups at the till only")
    return found


def currency() -> str:
    return str(current_app.config["CURRENCY"])


def limit_minor() -> int:
    return money.parse(current_app.config["TOP_UP_LIMIT"], currency())


@blueprint.get("/me/account")
def statement() -> str:
    """Every posting of the member's account, newest first, with the balance after each."""
    member = identity.signed_in()
    mark = statements.mark_of(request.args.get("before", "")[:64], member.id, currency())
    found = statements.statement(
        member.id, currency(), before=mark.before if mark else None, limit=PAGE + 1,
        held_minor=mark.balance_minor if mark else None,
    )  # fmt: skip
    next_mark = statements.Mark(found[PAGE - 1].id, found[PAGE].balance_minor) if (
        len(found) > PAGE
    ) else None  # fmt: skip
    return render_template(
        "payment/statement.html",
        postings=found[:PAGE],
        next_before=statements.text_of(next_mark, member.id, currency()) if next_mark else None,
        waiting=topups.waiting(member.id),
        this_month=statement_views.this_month(),
        balance_minor=ledger.balance_of(member.id, currency()),
        currency=currency(),
        can_top_up=current_app.config["SIMULATED_GATEWAY"],
    )


@blueprint.get("/me/top-up")
def top_up() -> ResponseReturnValue:
    """Ask for an amount; `next` is where the shopper wanted to pay, `amount` what is missing."""
    return _top_up_page(request.args.get("amount", "")[:20], request.args.get("next", ""))


@blueprint.post("/me/top-up")
def start_top_up() -> ResponseReturnValue:
    member = identity.signed_in()
    wish = forms.choice("wish", WISHES, "approve")
    key = forms.text("key", least=8, most=64)
    typed = forms.choice("suggested", ("", *SUGGESTED)) or request.form.get("amount", "")[:20]
    try:
        minor = money.parse(typed, currency())
        wanted = attempts.Wanted(
            member.id, minor, currency(), key, wish,
            subject=current_app.config["SHOP_NAME"], base_url=web.base_url(),
        )  # fmt: skip
        mine = topups.top_up(wanted, gateway(), most_minor=limit_minor())
    except Invalid as refusal:
        return _top_up_page(typed, request.form.get("next", ""), refusal), refusal.status
    forward = identity.safe_next(request.form.get("next", ""))
    return redirect(url_for("payment.top_up_state", top_up_id=mine.id, next=forward), 303)


def _top_up_page(amount: str, forward: str, refusal: Invalid | None = None) -> str:
    member = identity.signed_in()
    return render_template(
        "payment/top_up.html", key=ids.new(), currency=currency(), amount=amount,
        next=identity.safe_next(forward), wishes=WISHES, refused=refusal,
        suggested=[(text, money.parse(text, currency())) for text in SUGGESTED],
        can_top_up=current_app.config["SIMULATED_GATEWAY"], limit_minor=limit_minor(),
        balance_minor=ledger.balance_of(member.id, currency()),
    )  # fmt: skip


@blueprint.get("/me/top-up/<top_up_id>")
def top_up_state(top_up_id: str) -> str:
    """What became of a top-up: booked, declined, or still being checked."""
    member = identity.signed_in()
    return render_template(
        "payment/top_up_state.html",
        top_up=topups.find(top_up_id, member.id),
        balance_minor=ledger.balance_of(member.id, currency()),
        currency=currency(),
        next=identity.safe_next(request.args.get("next", "")),
    )


@blueprint.post("/me/top-up/<top_up_id>/checks")
def check(top_up_id: str) -> ResponseReturnValue:
    """Ask the provider now, for a shopper who does not want to wait."""
    member = identity.signed_in()
    mine = topups.find(top_up_id, member.id)
    asking.ask_about(mine, gateway(mine.gateway))
    forward = identity.safe_next(request.form.get("next", ""))
    return redirect(url_for("payment.top_up_state", top_up_id=top_up_id, next=forward), 303)
