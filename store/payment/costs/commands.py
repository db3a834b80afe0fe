"""Commands of costs: `flask payment terms …`, `take-file`, `costs`."""

from __future__ import annotations

import csv
import json
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from flask import current_app

from ... import clock, money
from ...db import db
from ...errors import Refusal
from ...spreadsheets import guarded
from . import differences, figures, matching, taking, terms
from .models import SettlementFile, SettlementLine
from .reading import wanted_columns

__all__ = ["COMMANDS"]


@click.command("terms")
@click.argument("means", type=click.Choice(terms.MEANS))
@click.option("--fee", required=True, metavar="PERCENT", help="Share of the amount: 0.6.")
@click.option("--fixed", default="0", metavar="AMOUNT", help="Besides, for each payment.")
@click.option("--least", default="0", metavar="AMOUNT", help="The smallest fee.")
@click.option("--most", default="", metavar="AMOUNT", help="The largest fee.")
@click.option("--days", type=click.IntRange(0, 400), required=True, help="The money comes after.")
@click.option("--working-days", is_flag=True, help="Of which Saturdays and Sundays are none.")
@click.option("--fee-back", is_flag=True, help="A refund brings its share of the fee back.")
@click.option("--from", "valid_from", metavar="DAY", help="2026-11-30; today where none is said.")
def set_terms(
    means: str, fee: str, fixed: str, least: str, most: str, days: int, working_days: bool,
    fee_back: bool, valid_from: str | None,
) -> None:  # fmt: skip
    """Say what MEANS takes and how long its money takes, from a day on; prints that day."""
    currency, zone = current_app.config["CURRENCY"], current_app.config["TIME_ZONE"]
    try:
        ppm = Decimal(fee) * 10_000
        day = date.fromisoformat(valid_from) if valid_from else clock.day_of(clock.now(), zone)
        if not ppm.is_finite() or ppm != int(ppm):
            raise InvalidOperation
        asked = terms.Terms(
            day, int(ppm), money.parse(fixed, currency), money.parse(least, currency),
            money.parse(most, currency) if most else None, days, working_days, fee_back,
        )  # fmt: skip
        terms.set_terms(means, currency, asked, made_by=None)
    except (Refusal, ValueError, InvalidOperation) as error:
        raise click.ClickException(str(error) or "PERCENT must be like 0.6") from error
    click.echo(day.isoformat())


@click.command("take-file")
@click.argument("means", type=click.Choice(terms.MEANS))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--map", "columns", multiple=True, metavar="FIELD=COLUMN",
              help="Which column holds what, where the headings are not known.")  # fmt: skip
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write the rows that cannot be read, with reasons, to this CSV.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
def take_file(
    means: str, file: Path, columns: tuple[str, ...], rejects: Path | None, as_json: bool
) -> None:
    """Take the settlement FILE of a provider and match it with our payments; prints how many lines
    are settled. The same file again does nothing; a run that was ended goes on."""
    here = (current_app.config["CURRENCY"], current_app.config["TIME_ZONE"])

    def told(staged: int) -> None:
        click.echo(f"{staged} rows read", err=True)

    try:
        wanted = wanted_columns(",".join(columns))
        file_id = taking.take(file, means, here, columns=wanted, told=told)
    except (Refusal, OSError) as error:
        raise click.ClickException(str(error)) from error
    decided = 0
    while _waits(file_id):
        decided += matching.work(here[1])
        click.echo(f"{decided} lines decided", err=True)
    found = list(taking.rejects(file_id))
    for one in found[:20]:
        click.echo(f"row {one.number}: {one.why}", err=True)
    if rejects:
        with rejects.open("w", encoding="utf-8-sig", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(["row", "why", "text"])
            writer.writerows([str(one.number), guarded(one.why), guarded(one.row)] for one in found)
    counts = _states(file_id)
    click.echo(json.dumps(counts) if as_json else counts.get("matched", 0))


def _waits(file_id: str) -> bool:
    db.session.rollback()
    return db.session.get_one(SettlementFile, file_id).state != "done"


def _states(file_id: str) -> dict[str, int]:
    db.session.rollback()
    query = db.select(SettlementLine.state, db.func.count()).where(
        SettlementLine.file_id == file_id
    )
    return {row[0]: row[1] for row in db.session.execute(query.group_by(SettlementLine.state))}


@click.command("costs")
@click.option("--month", metavar="MONTH", help="2026-11; the last one where none is said.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
def show_costs(month: str | None, as_json: bool) -> None:
    """What each means cost in a month and still owes; prints the fees of all."""
    currency, zone = current_app.config["CURRENCY"], ZoneInfo(current_app.config["TIME_ZONE"])
    try:
        first = date.fromisoformat(f"{month}-01") if month else None
    except ValueError as error:
        raise click.ClickException("MONTH must be like 2026-11") from error
    today = clock.now().astimezone(zone).date()
    asked = figures.month_of(first) if first else figures.month_of(today).before
    found, owed = figures.costs(asked, currency, zone), figures.owed(currency, zone)
    for one in found:
        share = "–" if one.share is None else f"{one.share:.2f} %"
        told = (money.text(amount, currency) for amount in (one.came_minor, one.fee_minor))
        click.echo(" ".join((one.means.ljust(10), *(text.rjust(12) for text in told),
                             share.rjust(8))), err=as_json)  # fmt: skip
    fees = money.text(sum(one.fee_minor for one in found), currency)
    click.echo(json.dumps({
        "month": str(asked), "currency": currency, "differences": differences.how_many(),
        "fees": {one.means: money.text(one.fee_minor, currency) for one in found},
        "owed": {one.means: money.text(one.gross_minor, currency) for one in owed},
        "late": {one.means: money.text(one.late_minor, currency) for one in owed if one.late},
    }) if as_json else fees)  # fmt: skip


COMMANDS: list[click.Command] = [set_terms, take_file, show_costs]
