"""Commands of catalogue. `flask catalogue import` also fills the shelves, so it stands higher, in
store/intake.py."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from ..errors import Refusal
from .exporting import export_items


@click.group()
def catalogue() -> None:
    """What is sold: import and export."""


@catalogue.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def export(file: Path) -> None:
    """Write all items for sale to FILE (.csv, .csv.gz or .xlsx), as import takes them."""
    if not file.name.lower().endswith((".csv", ".csv.gz", ".xlsx")):
        raise click.ClickException("The file's name must end in .csv, .csv.gz or .xlsx")
    try:
        count = export_items(file, current_app.config["CURRENCY"])
    except (Refusal, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(count)


COMMANDS: list[click.Command] = [catalogue]
