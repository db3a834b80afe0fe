"""Commands of stock: `flask stock …`."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from typing import TextIO

import click
from flask.cli import AppGroup

from .. import catalogue
from ..db import transaction
from ..errors import Invalid, NotFound, Refusal
from .batch_codes import call_back, open_batch, pieces_of
from .levels import count_to, levels, on_hand
from .levels import receive as receive_goods
from .levels import transfer as move
from .locations import (
    MAIN,
    WHEN_EMPTY,
    add_location,
    location,
    locations,
    set_when_empty,
)
from .standing import put_on_shelf

group = AppGroup("stock", help="Stock: what is where.")
COMMANDS: list[click.Command] = [group]

at = click.option("--location", "code", metavar="CODE", default=MAIN, show_default=True)


def item_id(code: str) -> int:
    """The item that a GTIN, SKU or short code names. Raises NotFound."""
    found = catalogue.find_item(code)
    if found is None:
        raise NotFound(f"There is no item {code!r}")
    return found.id


@group.command("receive")
@click.argument("item", metavar="ITEM")
@click.argument("quantity", type=int)
@at
@click.option("--batch", default="", help="The batch on the pack.")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="Its last day of sale.")
@click.option("--note", default="")
def receive(
    item: str, quantity: int, code: str, batch: str, expires: datetime | None, note: str
) -> None:
    """Goods come in; prints what is on hand then. ITEM is a GTIN, SKU or short code."""
    if expires and not batch:
        raise click.UsageError("--expires needs --batch")
    last = expires.date() if expires else None
    try:
        with transaction():
            wanted = item_id(item)
            batch_id = open_batch(wanted, batch, last) if batch else None
            on_hand = receive_goods(
                wanted, location(code).id, quantity, note=note[:200], batch_id=batch_id
            )
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(on_hand)


@group.command("recall")
@click.argument("item", metavar="ITEM")
@click.argument("batch")
@click.option("--back", is_flag=True, help="Sell it again.")
def recall(item: str, batch: str, back: bool) -> None:
    """Call a batch back: nobody can buy of it, in any shop; prints how many pieces are there."""
    try:
        with transaction():
            batch_id = open_batch(item_id(item), batch)
            call_back(batch_id, member_id=None, back=back)
            click.echo(pieces_of(batch_id))
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal


@group.command("count")
@click.argument("item", metavar="ITEM")
@click.argument("counted", type=int)
@at
@click.option("--note", default="")
def count(item: str, counted: int, code: str, note: str) -> None:
    """What was counted becomes the level; prints the difference."""
    try:
        with transaction():
            difference = count_to(
                item_id(item), location(code).id, counted, member_id=None, note=note[:200]
            )
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(difference)


@group.command("transfer")
@click.argument("item", metavar="ITEM")
@click.argument("quantity", type=int)
@click.option("--from", "source", metavar="CODE", required=True)
@click.option("--to", "target", metavar="CODE", required=True)
@click.option("--note", default="")
def transfer(item: str, quantity: int, source: str, target: str, note: str) -> None:
    """Move goods from one location to another; prints what is on hand at the second then."""
    try:
        wanted, goes_to = item_id(item), location(target).id
        with transaction():
            move(wanted, quantity, location(source).id, goes_to, note=note[:200])
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(on_hand(wanted, goes_to))


@group.command("import")
@click.argument("file", type=click.File(encoding="utf-8-sig"))
@at
def import_(file: TextIO, code: str) -> None:
    """Set levels from a CSV with the columns item and quantity (and location, shelf where wanted);
    prints how many rows were taken. A row that cannot be taken is named and left out; running it
    again changes nothing."""
    rows = csv.DictReader(file)
    if not {"item", "quantity"} <= set(rows.fieldnames or ()):
        raise click.ClickException("The file needs the columns item and quantity")
    taken = rejected = 0
    for number, row in enumerate(rows, start=2):
        try:
            _set_level(row, row.get("location") or code)
            taken += 1
        except Refusal as refusal:
            rejected += 1
            click.echo(f"row {number}: {refusal.message}", err=True)
    if rejected:
        click.echo(f"{rejected} rows were left out", err=True)
    click.echo(taken)


def _set_level(row: dict[str, str], code: str) -> None:
    text = (row["quantity"] or "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise Invalid(f"{text[:20]!r} is not a quantity", field="quantity")
    with transaction():
        wanted, place = item_id(row["item"] or ""), location(code).id
        count_to(wanted, place, int(text), member_id=None, note="imported")
        if row.get("shelf"):
            put_on_shelf(wanted, place, row["shelf"])


@group.command("level")
@click.argument("item", metavar="ITEM")
@click.option("--location", "code", metavar="CODE", help="Only this location.")
@click.option("--json", "as_json", is_flag=True)
def level(item: str, code: str | None, as_json: bool) -> None:
    """What is on hand, by location; the last line is the sum over all of them."""
    try:
        wanted = item_id(item)
        places = [location(code)] if code else locations(transit=True)
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal
    found = levels([(wanted, place.id) for place in places])
    rows = [
        {"location": place.code, "on_hand": found.get((wanted, place.id), 0)} for place in places
    ]
    total = sum(int(str(row["on_hand"])) for row in rows)
    if as_json:
        click.echo(json.dumps({"item": item, "on_hand": total, "locations": rows}))
        return
    for row in rows:
        click.echo(f"{row['location']}\t{row['on_hand']}", err=True)
    click.echo(total)


@group.command("when-empty")
@click.argument("code")
@click.argument("what", type=click.Choice(WHEN_EMPTY))
def when_empty(code: str, what: str) -> None:
    """What a place does when its book says zero and the shopper holds the item: refuse, or sell it
    as found and have the shelf counted; prints that."""
    try:
        with transaction():
            set_when_empty(location(code).id, what)
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(what)


@group.command("add-location")
@click.argument("code")
@click.argument("name")
@click.option("--kind", type=click.Choice(["shop", "warehouse"]), default="shop")
@click.option("--address", default="")
def add(code: str, name: str, kind: str, address: str) -> None:
    """Add a shop or a warehouse; prints its code."""
    try:
        with transaction():
            added = add_location(code, name[:120], kind, address[:300])
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(added.code)
