"""Commands of sales: `flask sales …`."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from .. import ids
from ..errors import Refusal
from ..stock import reservations
from .basket import basket
from .refunds.approvals import Wanted, asking
from .refunds.refunds import Part
from .refunds.refunds import refund as give_back

group = AppGroup("sales", help="Sales: baskets and what became of them.")
COMMANDS: list[click.Command] = [group]


@group.command("sweep")
def sweep() -> None:
    """Remove baskets that nobody touched for a month, end reservations whose time is up; prints how
    many baskets."""
    reservations.sweep()
    click.echo(basket.sweep())


@group.command("refund")
@click.argument("sale_id", metavar="SALE")
@click.option("--by", "made_by", type=int, required=True, help="The member who gives it back.")
@click.option("--reason", default="")
@click.option(
    "--line", "lines", multiple=True, metavar="POSITION:QUANTITY",
    help="Only so many units of this line; may be said for several lines.",
)  # fmt: skip
def refund(sale_id: str, made_by: int, reason: str, lines: tuple[str, ...]) -> None:
    """Give a sale back, all that is left of it or some units; prints the refund's id."""
    try:
        parts = [_part(line) for line in lines] or None
        reason = reason[:200]
        with asking(Wanted(sale_id[:20], made_by, ids.new(), reason, parts)):
            click.echo(give_back(sale_id, made_by=made_by, reason=reason, parts=parts))
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal


def _part(text: str) -> Part:
    position, _, quantity = text.partition(":")
    if not all(
        part.isascii() and part.isdigit() and len(part) < 10 for part in (position, quantity)
    ):
        raise click.BadParameter(f"{text!r} is not like 1:2 (two units of the first line)")
    return Part(int(position), int(quantity))
