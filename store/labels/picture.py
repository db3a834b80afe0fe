"""One label as a picture for the screen: the very layout that is printed, as SVG or PNG.

The SVG draws the letters as outlines of the label's own font, so that it looks the same on every
phone and needs no font, style or script: it is allowed under the strictest Content-Security-Policy.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from html import escape
from io import BytesIO
from threading import Lock

from fontTools.misc.transform import Transform
from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw

from .. import fonts
from . import qr
from .layout import Layout, PrintedLabel, layout, on_sheet
from .raster import draw
from .sheets import Sheet, cells
from .typeset import Text

__all__ = ["SCREEN_MM", "page_png", "page_svg", "png", "sheet_svg", "svg"]

SCREEN_MM = (63.5, 38.1)
"""The size of the most common label; a label on the screen has its shape."""

CORNER_MM = 2.0


def svg(
    label: PrintedLabel, width_mm: float = SCREEN_MM[0], height_mm: float = SCREEN_MM[1]
) -> str:
    """The label as SVG with rounded corners; what it says is its title, for screen readers."""
    return _svg(label, layout(label, width_mm, height_mm))


def sheet_svg(label: PrintedLabel, sheet: Sheet, dpi: int = 0) -> str:
    """The same as it would be printed on this medium."""
    return _svg(label, on_sheet(label, sheet, dpi))


def _svg(label: PrintedLabel, placed: Layout) -> str:
    wide, high = _number(placed.width), _number(placed.height)
    title = ", ".join(filter(None, (*label.names, label.price_text, label.code_text)))
    letters = "".join(_outline(text) for text in placed.texts)
    move = f"translate({_number(placed.code_x)} {_number(placed.code_y)})"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}mm" '
        f'height="{high}mm" role="img"><title>{escape(title)}</title>'
        f'<rect width="{wide}" height="{high}" rx="{_number(CORNER_MM)}" fill="#fff"/>'
        f'<path shape-rendering="crispEdges" transform="{move} scale({placed.module:.5f})" '
        f'd="{qr.path(placed.code, 0, 0)}"/><path d="{letters}"/></svg>'
    )


def png(
    label: PrintedLabel,
    width_mm: float = SCREEN_MM[0],
    height_mm: float = SCREEN_MM[1],
    module_px: int = 8,
) -> bytes:
    """The label as a greyscale PNG in which a module of the code is exactly `module_px` pixels."""
    placed = layout(label, width_mm, height_mm)
    scale = module_px / placed.module
    image = Image.new("L", (round(width_mm * scale), round(height_mm * scale)), 255)
    draw(image, placed, 0, 0, scale)
    return _packed(image)


def page_png(labels: Iterable[PrintedLabel], sheet: Sheet, skip: int = 0, dpi: int = 0) -> bytes:
    """The first page just as it will come out of the printer; cells that are used already are
    crossed out, the edges of the others are thin lines. Raises SkipTooLarge, LabelTooSmall."""
    scale = min(PAGE_PX / sheet.page_width_mm, PAGE_DOTS_A_MM)
    size = round(sheet.page_width_mm * scale), round(sheet.page_height_mm * scale)
    image = Image.new("L", size, 255)
    pen = ImageDraw.Draw(image)
    grid = cells(sheet)
    on_page = [next(grid) for _ in range(sheet.per_page)]
    for number, cell in enumerate(on_page):
        box = (
            cell.x_mm * scale, cell.y_mm * scale, (cell.x_mm + sheet.label_width_mm) * scale - 1,
            (cell.y_mm + sheet.label_height_mm) * scale - 1,
        )  # fmt: skip
        if number < skip:
            pen.rectangle(box, 229)
            pen.line((box[0], box[1], box[2], box[3]), 140)
            pen.line((box[2], box[1], box[0], box[3]), 140)
        elif sheet.per_page > 1:
            pen.rectangle(box, outline=200)
    cells(sheet, skip)
    for label, cell in zip(labels, on_page[skip:], strict=False):
        draw(image, on_sheet(label, sheet, dpi), cell.x_mm, cell.y_mm, scale)
    return _packed(image)


PAGE_PX = 1240
PAGE_DOTS_A_MM = 203 / 25.4


def _packed(image: Image.Image) -> bytes:
    packed = BytesIO()
    image.save(packed, "PNG", optimize=True)
    return packed.getvalue()


def page_svg(sheet: Sheet, skip: int, count: int) -> str:
    """The first page of a printing: cells that are used already, that are printed, that stay."""
    wide, high = sheet.label_width_mm, sheet.label_height_mm
    side = min(0.62 * high, 0.4 * wide)
    kinds: dict[str, list[str]] = {"used": [], "printed": [], "free": []}
    for number in range(sheet.per_page):
        row, column = divmod(number, sheet.columns)
        x = _number(sheet.left_mm + column * sheet.pitch_x_mm)
        y = _number(sheet.top_mm + row * sheet.pitch_y_mm)
        kind = "used" if number < skip else "printed" if number < skip + count else "free"
        kinds[kind].append(f'<use href="#{kind}" x="{x}" y="{y}"/>')
    cell = f'<rect width="{wide}" height="{high}" rx="{CORNER_MM}"'
    edge = 'fill="none" stroke="#8c867b" stroke-width=".4"'
    text = _number(0.12 * high + side + 0.08 * high)
    lines = "".join(
        f'<path d="M{text} {_number(at * high)}H{_number(share * wide)}" stroke-width="{thick}"/>'
        for at, share, thick in ((0.28, 0.92, 2.2), (0.45, 0.8, 1.4), (0.7, 0.72, 4.4))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {sheet.page_width_mm} '
        f'{sheet.page_height_mm}" width="{sheet.page_width_mm}" height="{sheet.page_height_mm}">'
        f'<rect width="100%" height="100%" fill="#fff"/><defs>'
        f'<g id="free">{cell} {edge} stroke-dasharray="1.5 1.5"/></g>'
        f'<g id="used">{cell} fill="#e5e0d7"/><path d="M0 0L{wide} {high}M{wide} 0L0 {high}" '
        f'stroke="#8c867b" stroke-width=".6"/></g>'
        f'<g id="printed">{cell} {edge}/><rect x="{_number(0.12 * high)}" '
        f'y="{_number((high - side) / 2)}" width="{_number(side)}" height="{_number(side)}"/>'
        f'<g stroke="#67625a">{lines}</g></g></defs>'
        + "".join("".join(cells) for cells in kinds.values())
        + "</svg>"
    )


def _outline(text: Text) -> str:
    """SVG path data of a line of type, in millimetres."""
    face = fonts.font(text.bold)
    scale = text.size / 1000
    x = text.x
    pieces = []
    for character in text.text:
        glyph = face.glyphs[ord(character)]
        pen = SVGPathPen(None, ntos=_number)
        place = Transform(scale, 0, 0, -scale, x, text.y)
        _shapes(text.bold).draw(glyph, TransformPen(pen, place))
        pieces.append(pen.getCommands())
        x += face.advances[glyph] * scale
    return "".join(pieces)


class _Shapes:
    def __init__(self, bold: bool) -> None:
        font = TTFont(fonts.font(bold).file, lazy=True)
        self.glyphs = font.getGlyphSet()
        self.names = font.getGlyphOrder()
        # A glyph is unpacked where it lies when it is first drawn; a second thread that draws it
        # meanwhile would find half of it.
        self.lock = Lock()

    def draw(self, glyph: int, pen: TransformPen) -> None:
        with self.lock:
            self.glyphs[self.names[glyph]].draw(pen)


@cache
def _shapes(bold: bool) -> _Shapes:
    """The outlines of a weight; the file stays open and glyphs are read when first drawn."""
    return _Shapes(bold)


def _number(value: float) -> str:
    """Two decimals of a millimetre: a pixel of a phone is ten times larger."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
