"""Commands of payment: `flask payment …`."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from .. import identity, logbook, money
from ..db import transaction
from ..errors import NotFound, Refusal
from . import asking, bank, cards, complaints, costs, escrow, ledger, paybacks
from .costs import commands as costs_commands
from .gateways import Gateway
from .gateways.bank import NAME, Bank
from .gateways.offered import set_up
from .sandboxes.practice import practice
from .sandboxes.serving import Served

group = AppGroup("payment", help="Payment: accounts and money on its way in.")
COMMANDS: list[click.Command] = [group]
for _command in costs_commands.COMMANDS:
    group.add_command(_command)


@group.command("top-up")
@click.argument("identifier", metavar="EMAIL")
@click.argument("amount")
@click.option("--note", default="paid in cash")
def top_up(identifier: str, amount: str, note: str) -> None:
    """Book money that a member paid in at the till; prints the balance. AMOUNT is decimal."""
    currency = current_app.config["CURRENCY"]
    try:
        member = identity.find(identifier)
        if member is None:
            raise NotFound(f"Nobody is known as {identifier!r}")
        minor = money.parse(amount, currency)
        if minor <= 0:
            raise click.ClickException("The amount must be more than 0")
        with transaction():
            ledger.deposit(member.id, minor, currency, "cash", note=note[:200])
            said = {"amount_minor": minor, "currency": currency}
            logbook.note("account.topped_up", member.id, after=said)
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(money.text(ledger.balance_of(member.id, currency), currency))


@group.command("settle")
def settle() -> None:
    """Ask the gateways about payments that are still open, and for what goes back; prints how many
    were settled."""
    click.echo(settle_pending())


@group.command("practice")
@click.option("--host", default="127.0.0.1")
@click.option("--port", type=int, required=True)
@click.option("--shop", "shop_url", required=True, help="Where notices go: http://127.0.0.1:8000.")
def run_practice(host: str, port: int, shop_url: str) -> None:
    """Be the practice providers of a demo shop, until the process is ended."""
    folder = Path(current_app.config["INSTANCE"], "practice")
    served = Served(practice(current_app.config, shop_url, folder), host, port)
    served.server.serve_forever()


def settle_pending() -> int:
    """What the worker does again and again: no notice may be the only way to know."""
    # Orders that wait for a transfer end in time where the shop takes none any more.
    gateways: dict[str, Gateway] = {NAME: Bank("", "")} | set_up(current_app.config)
    costs.work(current_app.config["TIME_ZONE"])
    escrow.release_due()
    complaints.work(gateways)
    settled = asking.ask_again(gateways) + paybacks.work(gateways) + cards.work(gateways)
    return settled + bank.work()
