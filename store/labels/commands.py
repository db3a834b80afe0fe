"""Commands of labels: `flask labels …`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from .. import catalogue, fonts, stock
from ..errors import Invalid, NotFound, Refusal
from . import choosing, forms, outputs, printing, sheets
from .choosing import Choice
from .printing import MOST_COPIES, Order, Printing

group = AppGroup("labels", help="Labels: the QR codes on the shelves.")
COMMANDS: list[click.Command] = [group]

SHOWN = 20
output_file = click.option(
    "--output", "file", required=True, metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
)  # fmt: skip


@group.command("print")
@click.option("--sheet", "sheet_name", required=True, help="Its number; `flask labels sheets`.")
@click.option("--location", "place", metavar="CODE", default=stock.MAIN, show_default=True)
@click.option("--item", "codes", metavar="CODE", multiple=True, help="GTIN, SKU or short code.")
@click.option("--all", "everything", is_flag=True, help="Everything that is for sale there.")
@click.option("--copies", type=int, default=1, show_default=True, help=f"Of each, to {MOST_COPIES}")
@click.option("--skip", type=int, default=0, show_default=True, help="Used cells of the sheet.")
@click.option("--which", type=click.Choice(choosing.WHICH), help="All, changed, or without a label")
@click.option("--shelf", default="", help="Only what stands on this shelf.")
@click.option("--seller", default="", metavar="CODE", help="Only what is this seller's.")
@click.option("--languages", default="", help="Of the names, the bold one first: zh,en")
@click.option("--dpi", type=int, help="Of a label printer: 203 or 300.")
@click.option("--format", "how", type=click.Choice(list(outputs.OUTPUTS)), default="pdf")
@output_file
def print_command(
    sheet_name: str, place: str, codes: tuple[str, ...], everything: bool, copies: int, skip: int,
    which: str | None, shelf: str, seller: str, languages: str, dpi: int | None, how: str,
    file: Path,
) -> None:  # fmt: skip
    """Print shelf labels into a file; prints its path. Each sticker is recorded with its price."""
    chosen = everything or bool(which or shelf or seller)
    if chosen == bool(codes):
        raise click.UsageError("Name items with --item, or take all of them with --all")
    try:
        location = stock.location(place)
        currency = str(current_app.config["CURRENCY"])
        seller_id = catalogue.seller_with(seller).id if seller else None
        wanted = Choice(
            location.id, currency, which or "all", seller_id=seller_id, shelf=shelf.strip()
        )
        order = Order(
            item_ids=_named(codes) if codes else _everything(wanted), dpi=dpi,
            sheet=sheets.sheet(sheet_name), location_id=location.id, currency=currency,
            imprint=forms.imprint(location, _base_url(), forms.read_languages(languages)),
            copies=copies, skip=skip,
        )  # fmt: skip
        progress = _Progress(order.count)
        form = outputs.output_named(how, order.sheet)
        printed = printing.print_labels(order, file, progress.show, form)
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror or error}") from error
    _tell(printed, order.sheet)
    click.echo(file)


@group.command("reprint")
@click.argument("job", type=int)
@click.option("--from", "first", type=int, default=1, show_default=True, help="The first label.")
@click.option("--format", "how", type=click.Choice(list(outputs.OUTPUTS)), default="pdf")
@output_file
def reprint(job: int, first: int, how: str, file: Path) -> None:
    """Write the file of an earlier JOB again: the same stickers, no new ones; prints its path."""
    try:
        found = printing.find_job(job)
        if not 1 <= first <= found.count:
            raise Invalid(f"The job has the labels 1 to {found.count}", field="from")
        location = stock.location_by_id(found.location_id)
        languages = forms.read_languages(found.languages)
        imprint = forms.imprint(location, found.base_url or _base_url(), languages)
        progress = _Progress(found.count - first + 1)
        form = outputs.output_named(how, sheets.sheet(found.sheet))
        with printing.appearing(file) as output:
            printing.reprint(found, imprint, output, progress.show, form, first=first - 1)
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror or error}") from error
    click.echo(file)


@group.command("sheets")
@click.option("--json", "as_json", is_flag=True)
def list_sheets(as_json: bool) -> None:
    """The formats that --sheet knows, with their sizes in millimetres and equal numbers."""
    if as_json:
        rows = [asdict(each) | {"per_page": each.per_page} for each in sheets.SHEETS.values()]
        click.echo(json.dumps(rows))
        return
    for each in sheets.SHEETS.values():
        size = f"{each.label_width_mm:g} × {each.label_height_mm:g} mm"
        papers = {297.0: "A4", 210.0: "A4", 279.4: "Letter"}
        paper = each.kind if each.is_roll else papers[each.page_height_mm]
        also = f"  also {' '.join(each.aka[:6])}" if each.aka else ""
        unsure = "" if each.sure else "  (makers differ: try on plain paper first)"
        grid = f"{each.columns} × {each.rows}"
        click.echo(f"{each.name:<10} {paper:<6} {grid:>7}  {size:<18}{also}{unsure}".rstrip())


def _named(codes: tuple[str, ...]) -> list[int]:
    """The items of these codes, each once. Raises NotFound, CodeFault."""
    found = [(code, catalogue.find_item(code)) for code in codes]
    if unknown := [code for code, item in found if item is None]:
        raise NotFound(f"There is no item {', '.join(unknown)}", what="item")
    return list(dict.fromkeys(item.id for _, item in found if item is not None))


def _everything(wanted: Choice) -> list[int]:
    """All that was chosen. What has no price is told by name: it is not for sale."""
    left_out = choosing.without_price(wanted.location_id, wanted.currency, SHOWN + 1)
    for item in left_out[:SHOWN]:
        name = next(iter(item.names.values()), "")
        click.echo(f"no price, so no label: {item.code} {name}", err=True)
    if len(left_out) > SHOWN:
        click.echo("… and more without a price", err=True)
    return choosing.chosen_ids(wanted)


def _base_url() -> str:
    """The shop's address. One that only this computer can open is told of, loudly."""
    if current_app.config["BASE_URL"]:
        return str(current_app.config["BASE_URL"])
    url = f"http://localhost:{current_app.config['PORT']}"
    click.secho(
        f"WARNING: these labels lead to {url}, which no phone can open. Set STORE_BASE_URL to the "
        "shop's address, like https://shop.example, and print them again.",
        fg="yellow", bold=True, err=True,
    )  # fmt: skip
    return url


def _tell(printed: Printing, sheet: sheets.Sheet) -> None:
    click.echo(f"job {printed.job_id}: {printed.labels} labels on {printed.pages} pages", err=True)
    if printed.missing:
        lost = fonts.told(printed.missing)
        click.echo(f"The label's font lacks these, and prints 〓 instead: {lost}", err=True)
    if not sheet.sure:
        click.echo(f"Makers differ about {sheet.name}: try it on plain paper first.", err=True)


class _Progress:
    """How many labels are drawn: one line that changes, or in a log a line every tenth."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.told = 0

    def show(self, done: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done >= self.count else ""
            click.echo(f"\r{done} of {self.count} labels", err=True, nl=False)
            click.echo(end, err=True, nl=False)
        elif done >= self.count or done - self.told >= self.count / 10:
            self.told = done
            click.echo(f"{done} of {self.count} labels", err=True)
