"""Text that people see: what is kept of it, in which language it is, and how it is searched."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from ..errors import Invalid

__all__ = ["LONGEST_NAME", "clean", "language_of", "searchable", "words"]

LONGEST_NAME = 300
LONGEST_DESCRIPTION = 4000

# Han characters, with their extensions and the compatibility block.
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_KANA_OR_HANGUL = re.compile("[\u3040-\u30ff\uac00-\ud7af]")
_BLANKS = re.compile(r"\s+")
# Control characters, lone surrogates, characters that are none, and the one that stands for what
# a wrong encoding destroyed.
_UNKEEPABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd\ufffe\uffff]")


def clean(text: str, field: str, most: int = LONGEST_NAME) -> str:
    """The text on one line, in composed form, without blanks around it. Raises Invalid where it
    is too long, or has characters that cannot be kept."""
    line = _BLANKS.sub(" ", text).strip()
    if not line.isascii():
        line = unicodedata.normalize("NFC", line)
    if len(line) > most:
        raise Invalid(f"{field} has {len(line)} characters; at most {most} fit", field=field)
    bad = _UNKEEPABLE.search(line)
    if bad:
        what = f"U+{ord(bad[0]):04X} at character {bad.start() + 1}"
        raise Invalid(f"{field} has a character that cannot be kept ({what})", field=field)
    return line


def language_of(text: str, shop_language: str) -> str:
    """The language a text without one is filed under: Chinese where it is written in Han
    characters and nothing Japanese or Korean; else the shop's, and English in a Chinese shop."""
    if not text.isascii() and _HAN.search(text) and not _KANA_OR_HANGUL.search(text):
        return "zh"
    return "en" if shop_language == "zh" else shop_language


def searchable(parts: Iterable[str | None]) -> str:
    """Everything that a search looks at, in one line of small letters, each part once."""
    folded = (unicodedata.normalize("NFKC", part).casefold() for part in parts if part)
    return "\n".join(dict.fromkeys(folded))


def words(query: str) -> list[str]:
    """The words of a search, as `searchable` has them; all must occur."""
    kept = "".join(" " if _UNKEEPABLE.match(character) else character for character in query[:200])
    return unicodedata.normalize("NFKC", kept).casefold().split()[:8]
