"""Pages of a spot check: what staff do with the bag, and the shopper's answer on their phone."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from .. import catalogue, clock, forms, identity, ids, sales, stock, web
from ..errors import Invalid, NotFound
from ..sales.refunds.refund_limits import ApprovalNeeded
from ..stock.locations import location_by_id
from . import ages, spots, steps
from .blueprint import blueprint
from .uses import Check

STEPS = ("pass", "widen", "ask", "anew", "refuse")


# Staff


@blueprint.get("/desk/exit/<sale_id>")
@identity.needs("check_exit")
def spot_check(sale_id: str) -> str:
    """One check: what is to be done, the bag, what is different. Changes nothing."""
    check = spots.found(sale_id)
    receipt = sales.receipt(sale_id) if check else None
    if check is None or receipt is None:
        raise NotFound("There is no such check")
    g.more_script = " 'wasm-unsafe-eval'"
    pieces = spots.pieces_of(check, receipt)
    last = request.args.get("item", "")
    ended_by = identity.names_of([check.ended_by]).get(check.ended_by, "") if check.ended_by else ""
    return render_template(
        "door/check.html", check=check, receipt=receipt, pieces=pieces, goods=spots.goods(pieces),
        place=location_by_id(check.location_id), picture_url=catalogue.picture_url,
        scanned=sum(piece.found for piece in pieces),
        unpaid=[piece for piece in pieces if piece.unpaid],
        absent=[piece for piece in pieces if piece.absent],
        last=next((piece for piece in pieces if str(piece.item_id) == last), None),
        key=ids.new(), ended_by=ended_by,
        age=next((each for each in ages.asked_of(sale_id) if each.state == "open"), None),
    )  # fmt: skip


@blueprint.post("/desk/exit/<sale_id>/scans")
@identity.needs("check_exit")
def scan_bag(sale_id: str) -> ResponseReturnValue:
    """One piece out of the bag, by its label, its GTIN or any code of it; or one back."""
    code = forms.scanned("code")
    key = forms.text("key", least=8, most=64)
    many = -1 if forms.flag("back") else 1
    try:
        item = catalogue.find_item(code, base_url=web.base_url())
    except Invalid:
        item = None  # A code that breaks its standard is the code of nothing here.
    if item is None:
        flash(gettext("Nothing has the code “%(code)s”.", code=code[:60]), "bad")
        return _to(sale_id)
    try:
        steps.scan(sale_id, item.id, many, identity.signed_in().id, key, clock.now())
    except steps.CheckOver:
        flash(_moved_on(), "warn")
    return _to(sale_id, item=item.id)


@blueprint.post("/desk/exit/<sale_id>/steps")
@identity.needs("check_exit")
def step_check(sale_id: str) -> ResponseReturnValue:
    """The next step of a check: let through, scan all, ask the shopper, scan again, refused."""
    step = forms.choice("step", STEPS)
    asked = _asked(sale_id)
    try:
        if step == "pass":
            steps.pass_(sale_id, asked)
        elif step == "refuse":
            steps.refuse(sale_id, asked)
        else:
            {"widen": steps.widen, "ask": steps.ask, "anew": steps.anew}[step](sale_id)
    except steps.CheckOver:
        flash(_moved_on(), "warn")
    except ages.AgeFirst as first:
        ages.begin(sale_id, first.data["least_age"], asked)
        flash(gettext("Look at an ID first."), "warn")
    except ages.AgeRefused:
        flash(
            gettext("Not old enough: take it out of the bag, then scan again from the start."),
            "bad",
        )
    except steps.BagDiffers:
        flash(gettext("Not yet: scan what is still missing, or ask the shopper."), "warn")
    except steps.BagFits:
        flash(gettext("All that was paid is there, and nothing else. Let it through."), "good")
    except steps.NobodyToAsk:
        flash(_at_the_till(), "warn")
    except ApprovalNeeded:
        flash(_two_people(), "warn")
    except catalogue.ItemNotForSale:
        flash(gettext("Something in the bag is not for sale here. Take it out, scan again."), "bad")
    except (stock.OutOfStock, sales.NotSoManyLeft):
        flash(gettext("The shop's books do not fit this bag. Settle it at the till."), "bad")
    return _to(sale_id)


def _asked(sale_id: str) -> Check:
    check = spots.found(sale_id)
    if check is None:
        raise NotFound("There is no such check")
    key = forms.text("key", least=8, most=64)
    return Check(identity.signed_in().id, check.location_id, clock.now(), key)


def _to(sale_id: str, **more: Any) -> ResponseReturnValue:
    return redirect(url_for("door.spot_check", sale_id=sale_id, **more), 303)


def _moved_on() -> str:
    return str(gettext("This check has moved on; this is how it stands now."))


def _two_people() -> str:
    words = gettext("Two people must agree to so much: refund it on the sale's page, scan again.")
    return str(words)


def _at_the_till() -> str:
    return str(gettext("This sale is in nobody's name: settle the difference at the till."))


# The shopper


@blueprint.post("/sales/<sale_id>/check")
def answer_check(sale_id: str) -> ResponseReturnValue:
    """The shopper's yes or no to the difference that their phone showed."""
    member, back = identity.signed_in(), redirect(url_for("sales.receipt", sale_id=sale_id), 303)
    answer = forms.choice("answer", ("yes", "no"))
    shown = forms.whole("round", least=1, most=1_000_000)
    try:
        if answer == "no":
            steps.decline(sale_id, member.id, shown)
            return back
        yes = steps.Yes(sale_id, member.id, shown, identity.confirmed(member.id), clock.now())
        steps.settle(yes)
    except steps.CheckOver:
        flash(gettext("This has changed meanwhile. Nothing was charged."), "warn")
    except sales.PriceRose:
        steps.price_anew(sale_id)
        flash(gettext("A price has changed. Nothing was charged: look at it again."), "warn")
    except (ages.AgeFirst, ages.AgeRefused):
        flash(gettext("Somebody looks at an ID first. Nothing was charged."), "warn")
    return back
