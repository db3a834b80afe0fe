"""Commands of sellers: `flask sellers …`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup

from .. import catalogue, clock, money
from ..catalogue.figures import read_rate
from ..errors import Invalid, Refusal
from . import contracts, payouts, settling
from .figures import list_sellers, settlements

group = AppGroup("sellers", help="Sellers under one roof: contracts, settlements, payouts.")
COMMANDS: list[click.Command] = [group]

Command = Callable[..., Any]


def _terms(command: Command) -> Command:
    """The options that say a contract."""
    for option in (
        click.option("--on", "calendar", default="days:1", show_default=True, metavar="CALENDAR",
                     help="When it is settled: days:7, weekly:5 (1 is Monday) or monthly:1."),
        click.option("--fee", default="0", metavar="PERCENT",
                     help="What the seller bears of payments by card or through a gateway."),
        click.option("--line-fee", default="0", metavar="AMOUNT",
                     help="What the house keeps of each line besides."),
        click.option("--commission", required=True, metavar="PERCENT",
                     help="What the house keeps of each line."),
    ):  # fmt: skip
        command = option(command)
    return command


def _agreed(commission: str, line_fee: str, fee: str, calendar: str) -> contracts.Agreed:
    kind, _, day = calendar.partition(":")
    if not (day.isascii() and day.isdigit() and len(day) < 4):
        raise Invalid(f"{calendar!r} is not like days:7, weekly:5 or monthly:1", field="calendar")
    return contracts.Agreed(
        _percent(commission, "commission"),
        money.parse(line_fee, current_app.config["CURRENCY"], field="line_fee"),
        _percent(fee, "fee"), kind, int(day),
    )  # fmt: skip


def _percent(text: str, field: str) -> int:
    return read_rate(f"{text.rstrip('%')}%", field)


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal


@group.command("add")
@click.argument("code")
@click.argument("name")
@click.option("--name-zh", default="", help="The name in Chinese.")
@_terms
def add(code: str, name: str, name_zh: str, **terms: str) -> None:
    """A new seller with a contract from now on; prints the code."""
    with _said():
        made = contracts.add(code, _agreed(**terms), names={"en": name, "zh": name_zh})
    click.echo(made.code)


@group.command("contract")
@click.argument("code")
@click.option("--from", "day", type=click.DateTime(["%Y-%m-%d"]), help="The first day; now.")
@_terms
def contract(code: str, day: Any, **terms: str) -> None:
    """A new contract for a seller; what was sold before stays under the old one. Prints when it
    begins."""
    with _said():
        found = catalogue.seller_with(code)
        first: date | None = day.date() if day else None
        click.echo(contracts.begin(found.id, _agreed(**terms), first).isoformat())


@group.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_all(as_json: bool) -> None:
    """All sellers, with what they are owed and what is to be paid out."""
    currency, now = current_app.config["CURRENCY"], clock.now()
    rows = [
        {"code": one.seller.code, "names": one.seller.names, "items": one.items,
         "owed": money.text(one.owed_minor, currency),
         "to_be_paid_out": money.text(one.due_minor, currency),
         "currency": currency, "active": one.seller.archived_at is None}
        for one in list_sellers(now, now, currency)
    ]  # fmt: skip
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
    for row in () if as_json else rows:
        name = next(iter(row["names"].values()))
        amounts = f"{row['owed']:>14} {row['to_be_paid_out']:>14} {currency}"
        click.echo(f"{row['code']:<20} {amounts}  {name}")


@group.command("settle")
@click.argument("codes", nargs=-1, metavar="[CODE …]")
def settle(codes: tuple[str, ...]) -> None:
    """Settle what the calendars of these sellers, or of all, say is to be settled today; prints how
    many settlements were made. Ended in between, it goes on where it was when it is run again."""
    with _said():
        click.echo(len(settling.settle(codes or None, _show)))


@group.command("payouts")
@click.option("--json", "as_json", is_flag=True)
def list_due(as_json: bool) -> None:
    """Payouts that are due: the settlement, the seller, the amount, the account."""
    rows = [
        {"settlement": one.settlement.id, "seller": one.seller.code,
         "amount": money.text(one.settlement.payout_minor, one.settlement.currency),
         "currency": one.settlement.currency, "holder": one.seller.bank_holder,
         "bank": one.seller.bank_name, "account": one.seller.bank_account}
        for one in settlements(limit=10_000, due=True)
    ]  # fmt: skip
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
    for row in () if as_json else rows:
        click.echo("\t".join(row.values()))


@group.command("paid")
@click.argument("settlement")
@click.argument("reference")
def paid(settlement: str, reference: str) -> None:
    """The bank has paid out a SETTLEMENT under this REFERENCE; prints the settlement."""
    with _said():
        payouts.pay(settlement, reference, steps=_steps(settlement, "paid"), made_by=None)
    click.echo(settlement)


@group.command("failed")
@click.argument("settlement")
@click.argument("reason")
def failed(settlement: str, reason: str) -> None:
    """What was paid out came back from the bank, and is due again; prints the settlement."""
    with _said():
        payouts.fail(settlement, reason, steps=_steps(settlement, "due"), made_by=None)
    click.echo(settlement)


def _steps(settlement_id: str, after: str) -> int:
    """What has happened to a payout; where it is in the wanted state already, before that."""
    happened = payouts.steps_of(settlement_id)
    state = "due" if not happened or happened[0].event == "fail" else "paid"
    return len(happened) - (bool(happened) and state == after)


def _show(progress: settling.Progress) -> None:
    if not sys.stderr.isatty() and progress.done % 50_000:
        return
    text = (
        f"{progress.seller}: {progress.done:,} of {progress.in_all:,} entries"
        if progress.seller
        else f"{progress.done:,} sales and refunds looked at"
    )
    click.echo(f"\r{text}", nl=not sys.stderr.isatty(), err=True)
