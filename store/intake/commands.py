"""`flask catalogue import`, which fills the catalogue and, for what is new, the shelves: items are
added and their first stock received in one transaction, a thousand rows at a time."""

from __future__ import annotations

import contextlib
import csv
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from .. import stock
from ..catalogue.columns import FIELDS, find_columns
from ..catalogue.commands import catalogue
from ..catalogue.drafts import Reader, Rejection
from ..catalogue.figures import read_amount, read_rate
from ..catalogue.importing import Defaults, Report, import_items
from ..catalogue.tables import Row, Table, open_table
from ..errors import Refusal
from ..spreadsheets import guarded
from .shelving import shelving

SHOWN = 20


@catalogue.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--map", "mapping", multiple=True, metavar="FIELD=COLUMN",
    help="Which column holds what, where its heading does not say it; FIELD= leaves a field out. "
    "Fields: " + ", ".join(FIELDS) + ".",
)  # fmt: skip
@click.option("--default-price", metavar="AMOUNT", help="For new items whose row has no price.")
@click.option("--stock", "quantity", type=click.IntRange(0, 10**9), metavar="N",
              help="So many of every item that is new, where its row does not say.")  # fmt: skip
@click.option("--location", "location_code", default="MAIN", show_default=True, metavar="CODE",
              help="Where that stock is.")  # fmt: skip
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write the rows that were not taken, with reasons, to this CSV.")  # fmt: skip
@click.option("--encoding", default="", metavar="NAME", help="Of a CSV whose own cannot be told.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@with_appcontext
def import_(
    file: Path,
    mapping: tuple[str, ...],
    default_price: str | None,
    quantity: int | None,
    location_code: str,
    rejects: Path | None,
    encoding: str,
    as_json: bool,
) -> None:
    """Take the items in FILE: .csv (also .gz; any usual encoding and separator) or .xlsx.

    Every row is checked. What is wrong with a row is told by its number, column and reason, and
    everything else goes in; the same file again changes nothing. A row without a name is called by
    its brand and category. An empty cell changes nothing of an item that is there.
    """
    try:
        with (
            open_table(file, encoding, is_list=True) as table,
            _rejects(rejects, table) as write,
        ):
            report = _import(table, mapping, default_price, quantity, location_code, write)
    except (Refusal, OSError) as error:
        raise click.ClickException(str(error)) from error
    if report.stand_in_names:
        click.echo(
            f"{report.stand_in_names} items had no name: called by brand and category", err=True
        )
    if report.rejected and rejects:
        click.echo(f"The rejected rows are in {rejects}", err=True)
    click.echo(json.dumps(asdict(report)) if as_json else _in_words(report))


def _import(
    table: Table,
    mapping: tuple[str, ...],
    default_price: str | None,
    quantity: int | None,
    location_code: str,
    write: Callable[[Row, Rejection], None],
) -> Report:
    config = current_app.config
    columns = find_columns(table.headings, _mapping(mapping))
    if "price" not in columns and default_price is None:
        raise click.ClickException(
            "This file has no column of prices. Say which one it is (--map price=COLUMN), or what "
            "a new item costs (--default-price 2.50). The columns are: "
            + ", ".join(table.headings)[:500]
        )
    currency = config["CURRENCY"]
    defaults = Defaults(
        currency,
        read_rate(config["TAX_RATE"]),
        None if default_price is None else read_amount(default_price, currency, "default-price"),
    )
    reader = Reader(
        table.headings, columns, currency=currency, language=config["LANGUAGE"],
        zeros_lost=table.is_sheet,
    )  # fmt: skip
    needs_stock = quantity is not None or "stock" in columns or "shelf" in columns
    put = (
        shelving(stock.location(location_code).id, quantity) if needs_stock else lambda added: None
    )
    progress = _Progress(table.likely_rows)
    report = import_items(
        table.rows, reader, defaults, on_added=put, on_rejected=write, on_progress=progress.show
    )
    progress.end(report)
    return report


def _mapping(pairs: tuple[str, ...]) -> dict[str, str]:
    wanted = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not equals:
            raise click.ClickException(f"--map {pair}: write it as FIELD=COLUMN")
        wanted[field.strip()] = column.strip()
    return wanted


@contextlib.contextmanager
def _rejects(path: Path | None, table: Table) -> Iterator[Callable[[Row, Rejection], None]]:
    """Where rejected rows go: to the file, and the first ones to standard error. The file has the
    columns of the import before its own, so that it can be mended and imported."""
    with contextlib.ExitStack() as stack:
        writer = None
        if path:
            handle = stack.enter_context(path.open("w", encoding="utf-8-sig", newline=""))
            writer = csv.writer(handle)
            own = ["rejected_row", "rejected_column", "rejected_reason"]
            writer.writerow([*map(guarded, table.headings), *own])
        told = 0

        def write(row: Row, rejection: Rejection) -> None:
            nonlocal told
            told += 1
            if told <= SHOWN:
                place = f" {rejection.columns}:" if rejection.columns else ""
                click.echo(f"row {rejection.number}:{place} {rejection.reasons}", err=True)
            elif told == SHOWN + 1:
                click.echo("… and more" + ("" if path else "; --rejects FILE keeps all"), err=True)
            if writer:
                width = len(table.headings)
                cells = [_printable(cell) for cell in [*row.cells, *[""] * width][:width]]
                why = [str(rejection.number), rejection.columns, rejection.reasons]
                writer.writerow([*map(guarded, cells), *map(guarded, why)])

        yield write


def _printable(cell: str) -> str:
    return cell.encode("utf-8", "replace").decode()


class _Progress:
    """Rows a second and the time left, on standard error; one line that changes on a terminal."""

    def __init__(self, likely_rows: int) -> None:
        self.likely_rows = likely_rows
        self.began_s = time.monotonic()
        self.shown_s = self.began_s

    def show(self, report: Report) -> None:
        now_s = time.monotonic()
        if now_s - self.shown_s < (0.2 if sys.stderr.isatty() else 2):
            return
        self.shown_s = now_s
        rows = report.added + report.updated + report.unchanged + report.rejected
        speed = rows / max(now_s - self.began_s, 0.001)
        left_s = max(self.likely_rows - rows, 0) / max(speed, 1)
        start, end = ("\r", "") if sys.stderr.isatty() else ("", "\n")
        text = f"{start}{rows} rows, {speed:.0f} a second, about {left_s:.0f} s left   {end}"
        click.echo(text, err=True, nl=False)

    def end(self, report: Report) -> None:
        took_s = time.monotonic() - self.began_s
        rows = report.added + report.updated + report.unchanged + report.rejected
        start = "\r" if sys.stderr.isatty() else ""
        speed = rows / max(took_s, 0.001)
        click.echo(f"{start}{rows} rows in {took_s:.1f} s, {speed:.0f} a second   ", err=True)


def _in_words(report: Report) -> str:
    return (
        f"added {report.added}, updated {report.updated}, unchanged {report.unchanged}, "
        f"rejected {report.rejected}"
    )


COMMANDS: list[click.Command] = [catalogue]
