"""Pages of a shopper's account: its statement; the other pages of payment are in their files."""

from __future__ import annotations

from flask import current_app, render_template, request

from .. import identity
from . import (
    card_views,
    complaint_views,
    gateway_views,
    ledger,
    limit_views,
    notice_views,
    offering_views,
    onward_views,
    statement_views,
    statements,
    topup_views,
    topups,
)
from .bank import views as bank_views
from .blueprint import blueprint
from .costs import file_views as costs_file_views
from .costs import views as costs_views

__all__ = [
    "bank_views", "blueprint", "card_views", "complaint_views", "costs_file_views",
    "costs_views", "gateway_views", "limit_views", "notice_views", "offering_views",
    "onward_views", "statement_views", "topup_views",
]  # fmt: skip

PAGE = 50


def currency() -> str:
    return str(current_app.config["CURRENCY"])


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
        can_top_up=offering_views.pays_outside(),
    )
