"""One label in the dots of a printer: black or white, each module of the code whole dots."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from .. import fonts
from .layout import Layout

__all__ = ["bitmap", "draw", "type_of"]

BLACK_BELOW = 140
"""Letters are drawn in greys and cut here: thin strokes of Chinese stay whole at 203 dpi."""


def bitmap(placed: Layout, dpi: int) -> Image.Image:
    """The label in 1-bit dots. Its module must be whole dots at this resolution."""
    scale = dpi / 25.4
    image = Image.new("L", (round(placed.width * scale), round(placed.height * scale)), 255)
    draw(image, placed, 0, 0, scale)
    return image.point(lambda grey: 255 if grey >= BLACK_BELOW else 0).convert("1")


def draw(image: Image.Image, placed: Layout, x_mm: float, y_mm: float, scale: float) -> None:
    """Draw the label with its top left corner there, `scale` pixels a millimetre."""
    pen = ImageDraw.Draw(image)
    for text in placed.texts:
        # Letter by letter: Pillow rounds the advances of a line, and the right edge would wander.
        font = type_of(text.bold, round(text.size * scale, 1))
        x, y = x_mm + text.x, (y_mm + text.y) * scale
        for character in text.text:
            pen.text((x * scale, y), character, 0, font, anchor="ls")
            x += fonts.width(character, text.bold) * text.size
    code = placed.code
    left, top = (x_mm + placed.code_x) * scale, (y_mm + placed.code_y) * scale
    edges = [round(at * placed.module * scale) for at in range(code.size + 1)]
    left, top = round(left), round(top)
    for row in range(code.size):
        for column in range(code.size):
            if code.dark(row, column):
                pen.rectangle(
                    (left + edges[column], top + edges[row],
                     left + edges[column + 1] - 1, top + edges[row + 1] - 1), 0,
                )  # fmt: skip


@lru_cache(maxsize=64)
def type_of(bold: bool, size_px: float) -> ImageFont.FreeTypeFont:
    layout_engine = ImageFont.Layout.BASIC
    return ImageFont.truetype(str(fonts.font(bold).file), size_px, layout_engine=layout_engine)
