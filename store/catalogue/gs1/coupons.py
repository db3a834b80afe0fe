"""North American coupons: the fields inside AI (8110) and AI (8112).

Sources: North American Coupon Application Guideline Using GS1 DataBar Expanded Symbols, and GS1
AI (8112) Coupon Data Specification. Both are digits in which a length digit announces what follows.
"""

from __future__ import annotations

from datetime import date

__all__ = ["couponcode", "couponposoffer"]

Fault = tuple[int, str] | None


class _Broken(Exception):
    def __init__(self, at: int, sentence: str) -> None:
        super().__init__(sentence)
        self.at = at
        self.sentence = sentence


class _Cursor:
    """Reads a coupon's digits from left to right and says what is missing."""

    def __init__(self, text: str) -> None:
        for at, character in enumerate(text):
            if character not in "0123456789":
                raise _Broken(at, "has a character that is no digit")
        self.text = text
        self.at = 0

    def take(self, count: int, what: str) -> str:
        taken = self.text[self.at : self.at + count]
        if len(taken) < count:
            raise _Broken(self.at, f"ends within its coupon's {what}")
        self.at += count
        return taken

    def digit(self, what: str, allowed: str = "0123456789") -> int:
        found = self.take(1, what)
        if found not in allowed:
            raise _Broken(self.at - 1, f"has the digit {found} as its coupon's {what}")
        return int(found)

    def sized(self, what: str, allowed: str, base: int = 0) -> str:
        """A length digit and as many digits as it says, plus `base`."""
        return self.take(self.digit(f"length of the {what}", allowed) + base, what)

    def option(self, number: str) -> bool:
        """Whether the optional field of that number comes next; steps over its number."""
        present = self.text.startswith(number, self.at)
        self.at += present
        return present

    def finish(self) -> None:
        if self.at < len(self.text):
            raise _Broken(self.at, "has more data than its coupon's fields")


def couponcode(text: str) -> Fault:
    """The fault of a coupon of AI (8110), or None."""
    try:
        cursor = _Cursor(text)
        cursor.sized("company prefix", "0123456", 6)
        cursor.take(6, "offer code")
        cursor.sized("save value", "12345")
        _purchase(cursor, "first purchase")
        if cursor.option("1"):
            cursor.digit("additional purchase rules", "0123")
            _purchase(cursor, "second purchase")
            _other_company(cursor, "second purchase")
        if cursor.option("2"):
            _purchase(cursor, "third purchase")
            _other_company(cursor, "third purchase")
        _validity(cursor)
        if cursor.option("5"):
            cursor.sized("serial number", "0123456789", 6)
        if cursor.option("6"):
            cursor.sized("retailer", "1234567", 6)
        if cursor.option("9"):
            cursor.digit("save value code", "01256")
            cursor.digit("save value's item", "012")
            cursor.digit("store coupon flag")
            cursor.digit("do not multiply flag", "01")
        cursor.finish()
    except _Broken as broken:
        return broken.at, broken.sentence
    return None


def couponposoffer(text: str) -> Fault:
    """The fault of a coupon of AI (8112), or None."""
    try:
        cursor = _Cursor(text)
        cursor.digit("format", "01")
        cursor.sized("funder", "0123456", 6)
        cursor.take(6, "offer code")
        cursor.sized("serial number", "0123456789", 6)
        cursor.finish()
    except _Broken as broken:
        return broken.at, broken.sentence
    return None


def _purchase(cursor: _Cursor, what: str) -> None:
    cursor.sized(f"{what} requirement", "12345")
    cursor.digit(f"{what} requirement code", "012349")
    cursor.take(3, f"{what} family code")


def _other_company(cursor: _Cursor, what: str) -> None:
    """A company prefix; the length digit 9 says that it is the first purchase's."""
    length = cursor.digit(f"length of the {what} company prefix", "01234569")
    if length != 9:
        cursor.take(length + 6, f"{what} company prefix")


def _validity(cursor: _Cursor) -> None:
    """The optional last day and first day."""
    last = _day(cursor, "expiry date") if cursor.option("3") else ""
    first = _day(cursor, "start date") if cursor.option("4") else ""
    if first and last and first > last:
        raise _Broken(cursor.at - 6, "has a coupon that expires before it starts")


def _day(cursor: _Cursor, what: str) -> str:
    start = cursor.at
    day = cursor.take(6, what)
    try:
        date(2000 + int(day[:2]), int(day[2:4]), int(day[4:6]))
    except ValueError:
        raise _Broken(start, f"has no day of the calendar as its coupon's {what}") from None
    return day
