"""What scanners and keyboards did to a code on its way, undone where it leaves no doubt.

A hand scanner is a keyboard: it presses the keys of an American one, and a computer that is set to
another language writes what stands on those keys there. FNC1 has no key, so scanners spell it.
"""

from __future__ import annotations

import re

from .fault import refuse_too_long
from .gtin import is_gtin

__all__ = ["as_meant"]

FNC1 = "\x1d"

# Blanks, marks of direction and of order that are pasted along unseen, and the control characters
# that some scanners send around a code; the separator of elements is none of them.
_AROUND = (
    "".join(map(chr, (*range(0x1D), 0x1E, 0x1F, 0x20, 0x7F, 0xA0, 0xAD)))
    + "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    + "\u2060\u2066\u2067\u2068\u2069\u3000\ufeff"
)
# ISO/IEC 15434: an envelope, of which format 05 holds application identifiers.
_ENVELOPE = re.compile(r"\[\)>\x1e?05\x1d(.*)", re.DOTALL)
# "]C1 and more", or the identifier of a GTIN or an SSCC with its digits.
_ELEMENTS = re.compile(r"(?:\][A-Za-z][0-9])?(?:\(?0[0-2]\)? ?[0-9]{14}|\x1d)|\](?:C1|d2|Q3|e0|J1)")
_SPELLED = re.compile(
    r"[<{\[](?:GS|FNC1|0x1d)[>}\]]|\\(?:x|u00)1d|~d029|\u241d|\u2194|\^\]", re.IGNORECASE
)
_BRACKETS = re.compile(r"\s*(\([0-9]{2,4}\))\s*", re.ASCII)

# The keys of the digits on other keyboards: French and Belgian, Czech and Slovak.
_DIGIT_KEYS = (
    str.maketrans("&é\"'(-è_çà§!", "123456789068"),
    str.maketrans("+ěščřžýáíéľť", "123456789025"),
)
# All keys of a French one. What they write, and what an American one would.
_FRENCH = str.maketrans(
    "&é\"'(-è_çà" "1234567890" ")°=+^¨$£*µmMù%;.:/!§,?qaQAzwZW",
    "1234567890" "!@#$%^&*()" "-_=+[{]}\\|;:'\",<.>/?mMaqAQwzWZ",
)  # fmt: skip
_FRENCH_ADDRESS = re.compile(r"https?M!!", re.IGNORECASE)
# German, Nordic, Spanish, Italian, Portuguese: the colon differs, the slash is where `-` is, and
# the question mark where `_` is. Which of them it is stays unknown, so of what follows the number
# only what is the same on all of them is believed.
_OTHER_ADDRESS = re.compile(
    r"https?(?P<colon>[^\w:/]|[^\x00-\x7f])--(?P<host>[^-_]+)(?:-[^-_]+)*?-01-(?P<gtin>[0-9]{8,14})"
    r"(?:-10-(?P<batch>[0-9A-Xa-x.]+?))?(?P<rest>[-_].*)?",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_LAST_DAY = re.compile(r"(?:.*[^0-9])?17[^0-9A-Za-z]([0-9]{6})(?![0-9])", re.DOTALL)


def as_meant(text: str) -> str:
    """The text as its code has it; what is none is answered without the blanks around it.

    Raises CodeFault where it is too long for a code.
    """
    refuse_too_long(text)
    bare = text.strip(_AROUND)
    if envelope := _ENVELOPE.match(bare):
        bare = FNC1 + envelope[1].strip(_AROUND)
    if _ELEMENTS.match(bare):
        return _SPELLED.sub(FNC1, bare) if bare[0] != "(" else _tidy_brackets(bare)
    if bare.isascii() and bare.isalnum():
        return bare
    return _digits_of_another_keyboard(bare) or _address_of_another_keyboard(bare) or bare


def _tidy_brackets(text: str) -> str:
    """Written for people: `(01) 0695… (10) B1`. No value has a blank or a separator in it."""
    return _BRACKETS.sub(r"\1", _SPELLED.sub("", text)).replace(FNC1, "")


def _digits_of_another_keyboard(text: str) -> str:
    if any(character.isdigit() for character in text):
        return ""  # Typed by a person: `40-06381-33393-1`.
    typed = (text.translate(keys) for keys in _DIGIT_KEYS)
    return next((digits for digits in typed if is_gtin(digits)), "")


def _address_of_another_keyboard(text: str) -> str:
    if _FRENCH_ADDRESS.match(text):
        return text.translate(_FRENCH)
    found = _OTHER_ADDRESS.fullmatch(text)
    if found is None:
        return ""
    host = found["host"].replace(found["colon"], ":")
    batch, last = found["batch"], _LAST_DAY.match(found["rest"] or "")
    return (
        f"https://{host}/01/{found['gtin']}"
        + (f"/10/{batch}" if batch else "")
        + (f"?17={last[1]}" if last else "")
    )
