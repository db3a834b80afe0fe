"""Hang tags and shelf talkers: what is read from two steps away. The name and the price have most
of the room, the code stands at the bottom left with the small print beside it.

On a tall one the price has the width to itself; on a broad one it stands beside the code.
"""

from __future__ import annotations

from . import qr
from .blocks import CAP, Box, Price, Worded, info, names_in, small
from .typeset import POINT, Text

__all__ = ["KINDS", "arrange", "module"]

KINDS = ("tag", "talker")
"""The kinds of media that are set like this."""

OVERHANG = 0.3
LEAST_MODULE = 0.495


def module(size: int, width: float, height: float) -> float:
    """The module that is wanted for a code of so many."""
    return max(LEAST_MODULE, min(0.4 * width, 0.3 * height) / size)


def arrange(
    label: Worded, width: float, height: float, hole: float, dark: float, module_mm: float
) -> tuple[float, list[Text]]:
    """The top of the code, which is `dark` wide, and the type of the label."""
    margin = qr.QUIET * module_mm
    # Accents over the first line rise into the margin: large type has a larger one.
    top = hole + max(margin, 0.05 * (height - hole))
    code_y = height - margin - dark
    rest_x = 2 * margin + dark + OVERHANG
    fine = max(small(height), 0.035 * min(width, height))
    cap = max(22 * POINT, 0.13 * min(width, height))
    across = width - 2 * margin
    if height - hole > width:
        texts = _price_across(label, Box(margin, top, across, code_y - margin - 0.8 - top))
        bottom = min((text.y - CAP * text.size for text in texts), default=code_y - margin) - 2
        rest = Box(rest_x, code_y, width - margin - rest_x, dark, right=True)
        texts += info(_unpriced(label), rest, fine, 0.0)
    else:
        bottom = top + 0.46 * (height - top - margin)
        rest = Box(rest_x, bottom + 2, width - margin - rest_x, height - margin - bottom - 2, True)
        texts = info(label, rest, fine, 0.6 * rest.height)
    # The quiet zone of the code is nobody's.
    bottom = min(bottom, code_y - margin)
    names, _ = names_in(label.names, Box(margin, top, across, bottom - top), height - hole, cap)
    return code_y, names + texts


class _Unpriced:
    """The same words without the price, which stands elsewhere, and without the names."""

    def __init__(self, label: Worded) -> None:
        self.code_text = label.code_text
        self.unit_price_text = label.unit_price_text
        self.shelf_text = label.shelf_text
        self.names: tuple[str, ...] = ()
        self.price_text = ""


def _unpriced(label: Worded) -> Worded:
    return _Unpriced(label)


def _price_across(label: Worded, box: Box) -> list[Text]:
    """The price at the bottom of a box, as wide as it may be, a third as high at most."""
    if not label.price_text:
        return []
    price = Price(label.price_text)
    high = min(price.high(box.height / 3), CAP * box.width / price.width)
    return price.set(box, box.bottom - price.dip * high / CAP, high / CAP)
