"""Commands of sales: `flask sales …`."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from ..errors import Refusal
from ..stock import reservations
from . import basket
from .refunds import refund as give_back

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
def refund(sale_id: str, made_by: int, reason: str) -> None:
    """Give a whole sale back; prints the refund's id."""
    try:
        click.echo(give_back(sale_id, made_by=made_by, reason=reason[:200]))
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal
