"""GS1: codes on goods and labels, read and written by the standard.

`read` takes whatever was scanned or typed. `parse_link` and `build_link` are strict, for what we
print and for the resolver; `read_link` mends harmless deviations and tells the right form. Every
refusal is a CodeFault (400, `bad_code`) that names the fault and its place.
"""

from __future__ import annotations

from .digital_link import DigitalLink
from .digital_link import build as build_link
from .digital_link import parse as parse_link
from .fault import CodeFault
from .gtin import check_digit, is_gtin, normalise
from .in_store import COUNTRY_LAYOUTS, DEFAULT_LAYOUTS
from .repair import read_link
from .scan import Scan, read, read_date

__all__ = [
    "COUNTRY_LAYOUTS",
    "DEFAULT_LAYOUTS",
    "CodeFault",
    "DigitalLink",
    "Scan",
    "build_link",
    "check_digit",
    "is_gtin",
    "normalise",
    "parse_link",
    "read",
    "read_date",
    "read_link",
]
