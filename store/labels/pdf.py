"""Label sheets as PDF, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO

from store.errors import Invalid

from ..pdf import Document
from . import sheets
from .layout import Layout, PrintedLabel, on_sheet
from .sheets import Sheet

__all__ = ["Printed", "PrintedLabel", "write"]

TOLD_EVERY = 50
"""Of a roll, each label of which is a page, not every page is told of."""


@dataclass(frozen=True, slots=True)
class Printed:
    """What was written. `missing` are characters that no label could show, each once."""

    pages: int
    labels: int
    missing: tuple[str, ...]


def write(
    labels: Iterable[PrintedLabel],
    sheet: Sheet,
    output: BinaryIO,
    skip: int = 0,
    progress: Callable[[int], None] | None = None,
    *,
    dpi: int = 0,
) -> Printed:
    """Write the labels on sheets of this format, after `skip` cells that are already used.

    `labels` is read as it is written, one at a time; `progress` is told the count after each page.
    With `dpi` the modules are whole dots of the printer.
    Raises LabelTooSmall or Invalid (skip, no label, a text too long for a code); what was written
    until then is not a document, so write to a temporary name.
    """
    cells = sheets.cells(sheet, skip)
    document = Document(output, sheet.page_width_mm, sheet.page_height_mm)
    missing: dict[str, None] = {}
    page = 0
    count = 0
    for label, cell in zip(labels, cells, strict=False):
        if cell.page != page:
            document.end_page()
            page = cell.page
            if progress and (sheet.per_page > 1 or page % TOLD_EVERY == 0):
                progress(count)
        placed = on_sheet(label, sheet, dpi)
        _draw(document, placed, cell.x_mm, cell.y_mm)
        missing.update(dict.fromkeys(placed.missing))
        count += 1
    if not count:
        raise Invalid("There is no label to print", field="item")
    document.end_page()
    document.close()
    if progress:
        progress(count)
    return Printed(page + 1, count, tuple(missing))


def _draw(document: Document, label: Layout, x_mm: float, y_mm: float) -> None:
    """Put a label with its top left corner there."""
    code = label.code
    document.mask(
        code.size, code.rows, x_mm + label.code_x, y_mm + label.code_y, code.size * label.module
    )
    document.texts(
        (text.text, x_mm + text.x, y_mm + text.y, text.size, text.bold) for text in label.texts
    )
