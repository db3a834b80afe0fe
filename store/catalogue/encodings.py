"""Encodings: which one a text file is in, where its bytes leave no doubt; and what parts its
cells."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Detected", "detect_encoding", "detect_separator"]


class Detected(NamedTuple):
    """The encoding's name, or None and the `doubt`; and how many lines the file has."""

    name: str | None
    lines: int
    doubt: str = ""


_SAMPLE = 4 * 2**20
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_HIGH_LINE = re.compile(rb"[^\r\n]*[\x80-\xff][^\r\n]*")


def detect_encoding(pieces: Iterable[bytes], wanted: str = "") -> Detected:
    """Read all of it once. UTF-8 is proved by reading it to the end; then a mark at the beginning
    or the zeros of UTF-16 count; then GB18030 and Windows-1252, where the bytes look like only one
    of them. `wanted` is what a person says it is; it is believed if it exists."""
    decoder, valid, lines, sample = codecs.getincrementaldecoder("utf-8")(), True, 0, b""
    for piece in pieces:
        if len(sample) < _SAMPLE:
            sample += piece[: _SAMPLE - len(sample)]
        lines += piece.count(b"\n") or piece.count(b"\r")
        valid = valid and _decodes(decoder, piece, final=False)
    valid = valid and _decodes(decoder, b"", final=True)
    if wanted:
        return _as_wanted(wanted, lines)
    name = _by_mark(sample)
    if name:
        return Detected(name, lines)
    if valid:
        return Detected("utf-8-sig", lines)
    return _guess(sample, lines)


def detect_separator(text: io.TextIOWrapper) -> tuple[str, int]:
    """The separator that the headings have most of, outside quotes; and how many lines stand above
    them, which were read: spreadsheets may write `sep=;` there, which says it."""
    line = text.readline(1 << 16)
    if said := _SAID.match(line):
        return said[1], 1
    text.seek(0)
    line = re.sub(r'"[^"]*"', "", line)
    return max(",;\t|", key=line.count), 0


_SAID = re.compile(r'"?sep=([,;\t|])"?\s*\Z', re.IGNORECASE)


def _decodes(decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool) -> bool:
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError:
        return False
    return True


def _as_wanted(wanted: str, lines: int) -> Detected:
    try:
        name = codecs.lookup(wanted).name
        b"".decode(name)
    except (LookupError, ValueError):
        return Detected(None, lines, f"there is no encoding called {wanted[:40]!r}")
    return Detected("utf-8-sig" if name == "utf-8" else name, lines)


def _by_mark(sample: bytes) -> str | None:
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # UTF-16 without a mark: separators and digits have a zero byte, nearly always on one side,
    # and no other encoding of text has any. A few are a fault of the file, in whatever it is.
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if 50 * (even + odd) < len(sample):
        return None
    if odd > 4 * even:
        return "utf-16-le"
    return "utf-16-be" if even > 4 * odd else None


def _guess(sample: bytes, lines: int) -> Detected:
    """Not all of it is UTF-8. Lines that have more than ASCII vote."""
    high = _HIGH_LINE.findall(sample)[:20_000]
    proper = sum(_is(line, "utf-8") for line in high)
    if proper >= 0.5 * len(high):
        return Detected("utf-8-sig", lines)
    runs = [run for line in high for run in _HIGH_RUN.findall(line)]
    single = sum(len(run) == 1 for run in runs) / len(runs)
    chinese = _share_of_chinese(high)
    # Accented letters stand alone between letters of ASCII; Chinese characters are pairs of bytes.
    if single >= 0.9 and chinese < 0.1 and all(_is(line, "cp1252") for line in high):
        return Detected("cp1252", lines)
    if single < 0.1 and chinese >= 0.85:
        return Detected("gb18030", lines)
    return Detected(
        None, lines,
        "its encoding cannot be told: it is not UTF-8, and could be several others. "
        "Save it as UTF-8, or name it: --encoding gb18030, --encoding cp1252",
    )  # fmt: skip


def _is(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _share_of_chinese(lines: list[bytes]) -> float:
    """How much of what is not ASCII are characters of everyday use, read as GB18030; 0 where
    more than a few lines cannot be read so."""
    readable = [line for line in lines if _is(line, "gb18030")]
    if len(readable) < 0.98 * len(lines):
        return 0.0
    text = "".join(line.decode("gb18030") for line in readable)
    beyond = [character for character in text if character > "\x7f"]
    return sum(map(_is_everyday, beyond)) / len(beyond)


def _is_everyday(character: str) -> bool:
    try:
        first = character.encode("gb2312")[0]
    except UnicodeEncodeError:
        return False
    # Rows 16 to 55 of GB 2312 are its 3,755 most frequent characters; 1 and 3 are punctuation.
    return 0xB0 <= first <= 0xD7 or first in (0xA1, 0xA3)
