"""Reading entries: what another system says, from JSON or from a row of a file, checked; or why it
cannot be taken. Each entry is judged by itself, so that one that is wrong holds up no other."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from .. import clock, money
from ..catalogue.figures import read_age, read_rate
from ..catalogue.texts import clean
from ..errors import Invalid
from ..stock.batch_codes import read_code
from ..stock.levels import LARGEST

__all__ = ["FEEDS", "Entry", "Verdict", "read"]

FEEDS = ("stock", "items", "prices")
WHY = {"received": 1, "sold": -1, "returned": 1, "found": 1, "written_off": -1}
"""Reasons that a change may give for itself, and the sign that each has."""

AHEAD_S = 120
"""So far a sender's clock may be ahead of ours; its time then counts as now."""

_ID = re.compile(r"[^\x00-\x1f\x7f]{1,80}\Z")
_WHOLE = re.compile(r"[+-]?\d{1,15}\Z", re.ASCII)
_DAY = re.compile(r"20\d\d-\d\d-\d\d\Z", re.ASCII)
_LARGEST_CONTENTS = 4000
_FIELDS = {
    "stock": {"id", "item", "location", "count", "change", "why", "batch", "expires", "at"},
    "items": {
        "id", "item", "name", "name_en", "name_zh", "brand", "category", "size", "tax_rate",
        "gtin", "sku", "price", "deposit", "least_age", "retired", "at",
    },
    "prices": {"id", "item", "location", "price", "starts", "at"},
}  # fmt: skip


class Verdict(NamedTuple):
    """What became of an entry. `item_id` and `location_id` are what it names, where known."""

    state: str
    code: str = ""
    reason: str = ""
    item_id: int | None = None
    location_id: int | None = None


@dataclass
class Entry:
    """An entry as it was sent. Where `code` is set it is refused, and `reason` says why."""

    id: str
    kind: str
    contents: dict[str, Any]
    item: str = ""
    location: str = ""
    said_at: datetime | None = None
    ahead: bool = False
    quantity: int = 0
    why: str = ""
    price_minor: int | None = None
    starts_at: datetime | None = None
    batch: str = ""
    expires_on: date | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    code: str = ""
    reason: str = ""
    doubt: tuple[str, str] | None = None
    """A code and a reason why a person should look before it counts."""

    @property
    def digest(self) -> str:
        """Of what it means, so that 5 and "5" are the same; of what was sent, where it means
        nothing."""
        if self.code:
            meaning: Any = [self.kind, self.contents]
        else:
            meaning = [
                self.kind, self.item, self.location, str(self.said_at), self.quantity, self.why,
                self.price_minor, str(self.starts_at), self.fields,
            ]  # fmt: skip
            if self.batch:
                meaning += [self.batch, str(self.expires_on)]
        text = json.dumps(meaning, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


def read(feed: str, raw: Any, currency: str, language: str) -> Entry:
    """One entry of a feed. Never raises: what is wrong with it stands in the entry."""
    kind = {"items": "item", "prices": "price"}.get(feed, "change")
    if not isinstance(raw, Mapping):
        return _refused(Entry("", kind, {"entry": str(raw)[:200]}), "An entry is an object")
    contents = {str(name)[:80]: value for name, value in raw.items() if value not in ("", None)}
    if len(json.dumps(contents)) > _LARGEST_CONTENTS:
        contents = {"id": str(contents.get("id", ""))[:80]}
        return _refused(
            Entry(_id(contents), kind, contents), "An entry has at most 4,000 characters"
        )
    entry = Entry(_id(contents), kind, contents)
    if feed == "stock" and "count" in contents:
        entry.kind = "count"
    if not entry.id:
        return _refused(entry, "The sender's own id is missing, or is no 1 to 80 characters")
    try:
        _read(entry, feed, currency, language)
    except Invalid as fault:
        return _refused(entry, fault.message)
    return entry


def _refused(entry: Entry, reason: str) -> Entry:
    entry.code, entry.reason = "unreadable", reason[:300]
    if not entry.id:
        # It stands in the list all the same: nothing that was sent is lost.
        entry.id = f"?{entry.digest[:24]}"
    return entry


def _id(contents: Mapping[str, Any]) -> str:
    value = contents.get("id", "")
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return text.strip() if _ID.match(text.strip()) else ""


def _read(entry: Entry, feed: str, currency: str, language: str) -> None:
    known = entry.contents
    unknown = sorted(known.keys() - _FIELDS[feed])
    if unknown:
        raise Invalid(f"There is no field {unknown[0][:40]!r} here")
    entry.item = _text(known, "item", 100, needed=True)
    _read_time(entry)
    if feed == "stock":
        _read_stock(entry)
    elif feed == "prices":
        entry.location = _text(known, "location", 32).upper()
        entry.price_minor = _price(known, currency, needed=True)
        if "starts" in known:
            entry.starts_at = _moment(known["starts"], "starts")
    else:
        _read_item(entry, currency, language)


def _read_time(entry: Entry) -> None:
    if "at" not in entry.contents:
        raise Invalid("The time (at) is missing")
    at, now = _moment(entry.contents["at"], "at"), clock.now()
    entry.ahead = at > now + timedelta(seconds=AHEAD_S)
    entry.said_at = at


def _read_stock(entry: Entry) -> None:
    known = entry.contents
    entry.location = _text(known, "location", 32, needed=True).upper()
    if ("count" in known) == ("change" in known):
        raise Invalid("Say either count or change")
    _read_batch(entry)
    if entry.kind == "count":
        if "why" in known:
            raise Invalid("A count gives no reason (why)")
        entry.quantity = _whole(known["count"], "count", least=0)
        return
    entry.quantity = _whole(known["change"], "change", least=-LARGEST)
    if entry.quantity == 0:
        raise Invalid("A change of 0 changes nothing")
    entry.why = _text(known, "why", 16) or ("received" if entry.quantity > 0 else "sold")
    if WHY.get(entry.why, 0) * entry.quantity <= 0:
        raise Invalid(f"A change of {entry.quantity} is not {entry.why[:16]!r}")


def _read_batch(entry: Entry) -> None:
    known = entry.contents
    if "batch" in known:
        entry.batch = read_code(_text(known, "batch", 60))
    if "expires" not in known:
        return
    if not entry.batch:
        raise Invalid("A last day (expires) is that of a batch: which one?")
    text = _text(known, "expires", 40)
    try:
        if not _DAY.match(text):
            raise ValueError
        entry.expires_on = date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"expires is no day like 2027-03-15: {text}") from None


def _read_item(entry: Entry, currency: str, language: str) -> None:
    known, found = entry.contents, entry.fields
    names = {
        name[-2:] if "_" in name else language: _text(known, name, 300)
        for name in ("name", "name_en", "name_zh")
        if name in known
    }
    if names:
        found["names"] = names
    for name, most in (("brand", 120), ("size", 60), ("gtin", 20), ("sku", 64)):
        if name in known:
            found["size_text" if name == "size" else name] = _text(known, name, most)
    if "category" in known:
        found["category"] = {language: _text(known, "category", 120)}
    if "deposit" in known:
        found["deposit"] = _text(known, "deposit", 16)
    if "tax_rate" in known:
        found["tax_rate_bp"] = read_rate(_number(known["tax_rate"]))
    if "least_age" in known:
        found["least_age"] = read_age(_number(known["least_age"]))
    if "retired" in known:
        said = {"True": True, "False": False, "yes": True, "no": False}.get(str(known["retired"]))
        if said is None:
            raise Invalid("retired is true or false, in files yes or no")
        found["retired"] = said
    entry.price_minor = _price(known, currency)


def _text(known: Mapping[str, Any], name: str, most: int, *, needed: bool = False) -> str:
    value = known.get(name, "")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise Invalid(f"{name} is no text")
    text = clean(value, name, most)
    if needed and not text:
        raise Invalid(f"{name} is missing")
    return text


def _whole(value: Any, name: str, *, least: int) -> int:
    """A whole number: in JSON a number, in a file its digits; 1.5 is none, and 2.0 is not 2."""
    text = str(value).strip() if isinstance(value, (int, str)) else ""
    if isinstance(value, bool) or not _WHOLE.match(text) or not least <= int(text) <= LARGEST:
        raise Invalid(f"{name} is a whole number from {least} to {LARGEST}, not {str(value)[:40]}")
    return int(text)


def _price(known: Mapping[str, Any], currency: str, *, needed: bool = False) -> int | None:
    if "price" not in known:
        if needed:
            raise Invalid("price is missing")
        return None
    minor = money.parse(_number(known["price"]), currency, field="price")
    if minor < 0:
        raise Invalid("A price is 0 or more")
    return minor


def _number(value: Any) -> str:
    """Decimal text. A JSON number with a fraction is none: 0.1 has no exact binary form."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise Invalid(f'Write amounts and rates as text, "12.50", not {str(value)[:40]}')
    return str(value)[:60]


def _moment(value: Any, name: str) -> datetime:
    try:
        if not isinstance(value, str):
            raise ValueError
        at = clock.parse(value[:40].upper())
        if not 1990 < at.year < 2200:
            raise ValueError
    except (ValueError, OverflowError):
        raise Invalid(f"{name} is no moment like 2027-03-15T10:30:00Z: {str(value)[:40]}") from None
    return at
