"""Commands of membership: `flask membership …`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import current_app
from flask.cli import AppGroup

from .. import catalogue, money, stock
from ..db import transaction
from ..errors import Invalid, Refusal
from . import offers, tiers
from .models import AUDIENCES, KINDS
from .offers import CHANNELS, Known, Wanted

group = AppGroup("membership", help="Offers and coupons.")
COMMANDS: list[click.Command] = [group]


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except Refusal as refusal:
        sys.exit(f"{refusal.code}: {refusal.message}")


@group.command("offers")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_offers(as_json: bool) -> None:
    """List the offers, the newest first: id, name, whether it is over, sales, what it took off."""
    found = [_row(each) for each in offers.listed()]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for row in found:
        over = "over" if row["over"] else "open"
        click.echo(f"{row['id']}\t{row['name']}\t{over}\t{row['sales']}\t{row['off']}")


def _row(each: Known) -> dict[str, object]:
    rule = each.rule
    return {"id": rule.id, "name": rule.names.get("en") or next(iter(rule.names.values())),
            "kind": rule.kind, "over": each.is_over, "by_code": bool(rule.by_code),
            "sales": each.sales, "off": money.text(each.off_minor, rule.currency)}  # fmt: skip


@group.command("offer")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("value")
@click.option("--pays", type=int, help="Of so many for fewer: how many are paid for.")
@click.option("--item", metavar="ITEM", help="Only this item.")
@click.option("--category", metavar="CODE", help="Only this category.")
@click.option("--location", metavar="CODE", help="Only at this location.")
@click.option("--channel", type=click.Choice(CHANNELS), help="Only in this channel.")
@click.option(
    "--for", "audience", type=click.Choice(AUDIENCES[:3]), default="all", show_default=True
)
@click.option("--coupon", is_flag=True, help="Had with a coupon only.")
def add_offer(
    kind: str, value: str, pays: int | None, item: str | None, category: str | None,
    location: str | None, channel: str | None, audience: str, coupon: bool,
) -> None:  # fmt: skip
    """Begin an offer now. VALUE is percent, an amount, a price, or how many are taken."""
    currency = current_app.config["CURRENCY"]
    with _said():
        plain = kind in ("percent", "n_for_m")
        if plain and not (value.isascii() and value.isdigit() and len(value) < 9):
            raise Invalid(f"{value[:40]!r} is not a whole number", field="value")
        number = int(value) if plain else money.parse(value, currency, field="value")
        wanted = Wanted(
            kind, number, currency, pays, {}, _item(item), _category(category),
            stock.location(location).id if location else None, channel, audience, by_code=coupon,
        )  # fmt: skip
        with transaction():
            offer_id = offers.add(wanted, made_by=None)
    click.echo(offer_id)


@group.command("end")
@click.argument("offer", type=int)
def end_offer(offer: int) -> None:
    """End an offer now."""
    with _said(), transaction():
        offers.end(offer, by=None)
    click.echo(offer)


@group.command("coupons")
@click.argument("offer", type=int)
@click.option("--code", default="", help="A code of your own.")
@click.option("--many", type=int, default=1, show_default=True, help="So many that nobody guesses.")
@click.option("--uses", type=int, help="How often each may be used; any number of times without.")
def add_codes(offer: int, code: str, many: int, uses: int | None) -> None:
    """Make codes for an offer that is had with a coupon; prints each."""
    with _said(), transaction():
        found = offers.add_codes(offer, code=code, many=many, most_uses=uses)
    for each in found:
        click.echo(each)


@group.command("tiers")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_tiers(as_json: bool) -> None:
    """List the tiers, the lowest first: name, threshold, percent of points, percent off,
    free delivery."""
    plan = tiers.now()
    found = [_tier(each, plan) for each in plan.tiers] if plan is not None else []
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for row in found:
        click.echo("\t".join(str(each) for each in row.values()))


def _tier(each: tiers.Tier, plan: tiers.Plan) -> dict[str, object]:
    spending = plan.basis == "spending"
    return {"name": each.names["en"], "basis": plan.basis, "days": plan.days,
            "least": money.text(each.least, plan.currency) if spending else each.least,
            "points_percent": each.percent, "off_percent": each.off_percent,
            "free_delivery": each.free_delivery}  # fmt: skip


def _item(code: str | None) -> int | None:
    if code is None:
        return None
    found = catalogue.find_item(code)
    if found is None:
        raise Invalid(f"There is no item {code[:40]!r}", field="item")
    return found.id


def _category(code: str | None) -> int | None:
    if code is None:
        return None
    for one in catalogue.categories():
        if one.code == code:
            return one.id
    raise Invalid(f"There is no category {code[:40]!r}", field="category")
