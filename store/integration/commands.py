"""Commands of integration: `flask integration …`."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from .. import clock
from ..catalogue.tables import Row
from ..db import transaction
from ..errors import Refusal
from ..spreadsheets import guarded
from . import conflicts, exporting, woocommerce
from .feeds import Outcome
from .files import Taken, named, take_file
from .reading import FEEDS

group = AppGroup("integration", help="Other systems: feeds in and out.")
COMMANDS: list[click.Command] = [group]

SETTLED_S = 5
"""A file that was written to less than so many seconds ago may not be whole yet."""


@group.command("take")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--feed", type=click.Choice(FEEDS), required=True, help="What the rows are about.")
@click.option("--source", required=True, metavar="NAME", help="The system that sends them.")
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write what was not applied, with reasons, to this CSV.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
def take(file: Path, feed: str, source: str, rejects: Path | None, as_json: bool) -> None:
    """Take the entries in FILE, a CSV with the fields of the feed as headings; prints how many
    were applied. The same file again does nothing."""
    listed: list[tuple[Row, Outcome]] = []
    try:
        taken = _take(file, feed, source, listed)
    except (Refusal, OSError) as error:
        raise click.ClickException(str(error)) from error
    for row, outcome in listed[:20]:
        click.echo(f"row {row.number}: {outcome.code}: {outcome.reason}", err=True)
    if rejects:
        with rejects.open("w", encoding="utf-8-sig", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(["row", "id", "state", "code", "reason"])
            for row, outcome in listed:
                cells = (str(row.number), outcome.id, outcome.state, outcome.code, outcome.reason)
                writer.writerow([guarded(cell) for cell in cells])
    click.echo(json.dumps(dict(taken.states)) if as_json else taken.states["applied"])


@group.command("drop")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def drop(folder: Path) -> None:
    """Take every file in FOLDER that is called SOURCE.FEED.….csv (erp.stock.1.csv), and move it to
    FOLDER/done, or to FOLDER/refused where it cannot be read at all; prints how many were taken.
    Meant for cron: a file that is taken twice does nothing the second time."""
    count = 0
    for file in sorted(folder.iterdir()):
        wanted = named(file)
        if wanted is None or not file.is_file():
            continue
        if time.time() - file.stat().st_mtime < SETTLED_S:
            continue
        source, feed = wanted
        try:
            taken = _take(file, feed, source, [])
        except (Refusal, OSError) as error:
            click.echo(f"{file.name}: {error}", err=True)
            _move(file, folder / "refused")
            continue
        click.echo(f"{file.name}: {taken.states['applied']} applied, {taken.states['repeated']} "
                   f"known, {taken.listed} listed", err=True)  # fmt: skip
        _move(file, folder / "done")
        count += 1
    click.echo(count)


@group.command("export")
@click.argument("kind", type=click.Choice(exporting.KINDS))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--since", metavar="TIME", help="From this moment on (ISO 8601; UTC without offset).")
@click.option("--until", metavar="TIME", help="Before this moment.")
def export(kind: str, file: Path, since: str | None, until: str | None) -> None:
    """Write all movements, or the lines of all sales, to FILE (.csv or .csv.gz); prints how many
    rows."""
    try:
        span = [None if text is None else clock.parse(text) for text in (since, until)]
        click.echo(exporting.export(kind, file, *span))
    except (Refusal, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


@group.command("woocommerce")
def sync_woocommerce() -> None:
    """Read the web shop's orders and send it the products that changed; prints how many orders.
    Meant for cron."""
    if not current_app.config["WOO_URL"]:
        raise click.ClickException("No web shop is named: set STORE_WOO_URL, _KEY and _SECRET")
    try:
        done = woocommerce.sync()
    except (woocommerce.WooFailed, Refusal) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{done.listed} lines wait for a person; {done.products} products sent, "
               f"{done.refused} not taken", err=True)  # fmt: skip
    click.echo(done.orders)


@group.command("conflicts")
@click.option("--json", "as_json", is_flag=True, help="One JSON array on the last line.")
def list_conflicts(as_json: bool) -> None:
    """What waits for a person, newest first, by its number; prints how many (with --json, all)."""
    found = conflicts.entries(limit=1000)
    if as_json:
        click.echo(json.dumps([
            {"number": one.id, "source": one.source, "id": one.entry, "kind": one.kind,
             "code": one.code, "reason": one.reason, "contents": one.contents}
            for one in found
        ]))  # fmt: skip
        return
    for one in found:
        click.echo(f"{one.id}\t{one.source}\t{one.entry}\t{one.code}\t{one.reason}", err=True)
    click.echo(conflicts.waiting())


@group.command("settle")
@click.argument("number", type=int)
@click.option("--apply/--dismiss", "applies", required=True, help="Let it count, or set it aside.")
def settle(number: int, applies: bool) -> None:
    """Decide on the conflict NUMBER; prints what it is now."""
    try:
        with transaction():
            (conflicts.apply if applies else conflicts.dismiss)(number, None)
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo("applied" if applies else "dismissed")


def _take(file: Path, feed: str, source: str, listed: list[tuple[Row, Outcome]]) -> Taken:
    config = current_app.config
    return take_file(
        file, feed, source, config["CURRENCY"], config["LANGUAGE"],
        lambda row, outcome: listed.append((row, outcome)),
    )  # fmt: skip


def _move(file: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    target, number = folder / file.name, 1
    while target.exists():
        number += 1
        target = folder / f"{number}-{file.name}"
    file.rename(target)
