"""Reading: a bank's statement file, camt.053, MT940 (`swift`) or a table, as what came in. A file
of which anything cannot be read is refused whole: nothing of it may be missed.

camt.053 is ISO 20022's bank-to-customer statement; the parts that we read are the same in all its
versions, and only the namespace differs, so no namespace is asked for.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import chain
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ...catalogue import tables
from ...catalogue.tables import FileRefused
from ...errors import Invalid
from ..costs.layouts import amount, day
from ..gateways.bank import Bank, references_in
from .swift import is_swift, statements

__all__ = ["FIELDS", "MOST_BYTES", "MOST_ENTRIES", "Entry", "Statement", "read"]

MOST_BYTES = 5 * 2**20
MOST_ENTRIES = 10_000
HEADINGS_BY = 40
FIELDS: dict[str, tuple[str, ...]] = {
    "date": ("date", "booking date", "value date", "buchungstag", "buchungsdatum", "交易日期",
             "交易时间", "记账日期"),
    "amount": ("credit", "amount", "amount in", "money in", "betrag", "贷方发生额", "贷方金额",
               "收入金额", "收入", "交易金额", "金额"),
    "currency": ("currency", "währung", "币种"),
    "text": ("reference", "purpose", "description", "details", "text", "remittance information",
             "verwendungszweck", "附言", "摘要", "用途"),
    "name": ("payer", "name", "counterparty", "counterparty name", "auftraggeber",
             "name zahlungsbeteiligter", "对方户名", "对方名称"),
    "account": ("payer account", "counterparty account", "iban", "account", "对方账号", "对方账户"),
    "id": ("id", "transaction id", "bank reference", "流水号", "交易流水号"),
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """Money that came in. `names` are references of our form in it; `own` is the bank's name for
    it, and `key` ours: the same in every file that tells of it."""

    amount_minor: int
    currency: str
    booked_on: date
    said: str = ""
    payer: str = ""
    payer_account: str = ""
    own: str = ""
    names: tuple[str, ...] = ()
    key: str = ""


@dataclass
class Statement:
    layout: str
    entries: list[Entry] = field(default_factory=list)
    outgoing: int = 0


def read(path: Path, ours: Bank, zone: ZoneInfo, columns: Mapping[str, str]) -> Statement:
    """What a file tells. Raises FileRefused where it is too large, no statement of our account, or
    where anything of it cannot be read."""
    if path.stat().st_size > MOST_BYTES:
        raise FileRefused(f"The file is larger than {MOST_BYTES // 2**20} MB")
    body = path.read_bytes()
    start = body.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00")[:2].replace(b"\x00", b"")
    try:
        if start[:1] == b"<":
            found = _camt(body, ours, zone)
        elif is_swift(body):
            found = _swift(body, ours)
        else:
            found = _table(path, ours, zone, columns)
    except FileRefused:
        raise
    except Invalid as refusal:
        raise FileRefused(refusal.message) from refusal
    found.entries = list(_keyed(found.entries))
    return found


def _refuse_many(found: Statement) -> None:
    if len(found.entries) > MOST_ENTRIES:
        raise FileRefused(f"The file tells of more than {MOST_ENTRIES} transfers; send it in parts")


def _keyed(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Two that are equal in all that is told are two; in another file they are the same two."""
    seen: Counter[str] = Counter()
    for one in entries:
        told = (one.own, one.booked_on.isoformat(), str(one.amount_minor), one.currency, one.said,
                one.payer, one.payer_account)  # fmt: skip
        digest = hashlib.sha256("\x1f".join(told).encode()).hexdigest()[:40]
        seen[digest] += 1
        yield replace(one, key=f"{digest}:{seen[digest]}")


# camt.053


def _camt(body: bytes, ours: Bank, zone: ZoneInfo) -> Statement:
    try:
        root = fromstring(body, forbid_dtd=True)
    except (DefusedXmlException, SyntaxError, ValueError, LookupError) as error:
        raise FileRefused("This is no XML that can be read") from error
    top = next((node for node in root.iter() if _tag(node) == "BkToCstmrStmt"), None)
    if top is None:
        raise FileRefused("This is no statement (camt.053): export that one, not a report of a day")
    found = Statement("camt053")
    for statement in _all(top, "Stmt"):
        _refuse_other(_first(statement, "Acct/Id/IBAN", "Acct/Id/Othr/Id"), ours)
        for entry in _all(statement, "Ntry"):
            status = _first(entry, "Sts/Cd", "Sts")
            if status and status != "BOOK":
                continue
            if _first(entry, "CdtDbtInd") != "CRDT":
                found.outgoing += 1
                continue
            found.entries += _parts(entry, zone)
            _refuse_many(found)
    return found


def _refuse_other(said: str, ours: Bank) -> None:
    theirs, mine = (re.sub(r"[^0-9A-Z]", "", each.upper()) for each in (said, ours.account))
    if theirs and not (theirs.endswith(mine) or mine.endswith(theirs)):
        raise FileRefused(f"This is the statement of another account: {said[:40]}")


def _parts(entry: Any, zone: ZoneInfo) -> list[Entry]:
    """One for each payment of an entry. Where a bank books several as one and does not tell all of
    their amounts, it is one, and somebody looks at it."""
    total, currency = _money(entry, "Amt")
    if not total:
        return []
    booked = _first(entry, "BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm")
    on, own = day(booked, zone, "BookgDt"), _first(entry, "AcctSvcrRef")
    details = [one for group in _all(entry, "NtryDtls") for one in _all(group, "TxDtls")]
    if len(details) > 1:
        sums = [_money(one, "Amt", "AmtDtls/TxAmt/Amt") for one in details]
        credit = all(_first(one, "CdtDbtInd") in ("", "CRDT") for one in details)
        alike = {money for _, money in sums} == {currency} and all(each for each, _ in sums)
        if credit and alike and sum(each for each, _ in sums) == total:
            return [
                _entry([one], each, currency, on, _first(one, "Refs/AcctSvcrRef") or own)
                for one, (each, _) in zip(details, sums)
            ]
    return [_entry(details or [entry], total, currency, on, own)]


def _entry(details: Sequence[Any], minor: int, currency: str, on: date, own: str) -> Entry:
    said: list[str] = []
    for one in details:
        for info in _all(one, "RmtInf"):
            said += [_text(each) for each in _all(info, "Ustrd")]
            said += [_first(each, "CdtrRefInf/Ref") for each in _all(info, "Strd")]
        said.append(_first(one, "AddtlTxInf") or _first(one, "AddtlNtryInf"))
    hidden = [_first(one, "Refs/EndToEndId") for one in details]
    first = details[0] if len(details) == 1 else None
    side = "RltdPties/"
    payer = _first(first, f"{side}Dbtr/Nm", f"{side}Dbtr/Pty/Nm")
    account = _first(first, f"{side}DbtrAcct/Id/IBAN", f"{side}DbtrAcct/Id/Othr/Id")
    return _made(minor, currency, on, [*filter(None, said)], hidden, payer, account, own)


def _money(node: Any, *paths: str) -> tuple[int, str]:
    for path in paths:
        found = _at(node, path)
        if found:
            currency = (found[0].get("Ccy") or "").upper()
            return abs(amount(_text(found[0]), currency, "Amt")), currency
    return 0, ""


def _tag(node: Any) -> str:
    return str(node.tag).rpartition("}")[2]


def _all(node: Any, tag: str) -> list[Any]:
    return [child for child in node if _tag(child) == tag]


def _at(node: Any, path: str) -> list[Any]:
    found = [node] if node is not None else []
    for tag in path.split("/"):
        found = [child for one in found for child in _all(one, tag)]
    return found


def _first(node: Any, *paths: str) -> str:
    """The text of the first of these paths that says something."""
    return next((said for path in paths for one in _at(node, path) if (said := _text(one))), "")


def _text(node: Any) -> str:
    return (node.text or "").strip()


# MT940


def _swift(body: bytes, ours: Bank) -> Statement:
    found = Statement("mt940")
    for account in statements(body):
        _refuse_other_number(account.number, ours)
        for one in account.movements:
            if one.minor > 0:
                found.entries.append(
                    _made(one.minor, account.currency, one.on, [one.said], [one.hidden], one.payer,
                          one.account, one.own)
                )  # fmt: skip
                _refuse_many(found)
            elif one.minor < 0:
                found.outgoing += 1
    return found


def _refuse_other_number(said: str, ours: Bank) -> None:
    """An account as MT940 names it: with its currency behind it, or as bank code / number."""
    number = re.sub(r"(?<=\d)\s*[A-Z]{3}\Z", "", said)
    bank, slash, local = number.rpartition("/")
    mine = re.sub(r"[^0-9A-Z]", "", ours.account.upper())
    short = local.strip().lstrip("0")
    if not local.strip():
        raise FileRefused("The statement does not say whose account it is of")
    if slash and bank.strip() and short and bank.strip() in mine and mine.endswith(short):
        return
    _refuse_other(number, ours)


# Tables


def _table(path: Path, ours: Bank, zone: ZoneInfo, columns: Mapping[str, str]) -> Statement:
    found = Statement("table")
    try:
        with tables.open_table(path) as table:
            rows = chain([tables.Row(1, table.headings)], table.rows)
            places = _headings(rows, columns)
            for row in rows:
                if row.fault:
                    raise FileRefused(f"Row {row.number}: {row.fault}")
                told = {name: row.cells[at].strip() if at < len(row.cells) else ""
                        for name, at in places.items()}  # fmt: skip
                try:
                    one = _row(told, ours, zone)
                except Invalid as refusal:
                    raise FileRefused(f"Row {row.number}: {refusal.message}") from refusal
                if one is not None and one.amount_minor > 0:
                    found.entries.append(one)
                    _refuse_many(found)
                elif one is not None:
                    found.outgoing += 1
    except UnicodeDecodeError as error:
        raise FileRefused(f"The file is not text of one encoding: {error.reason}") from error
    return found


def _headings(rows: Iterator[tables.Row], columns: Mapping[str, str]) -> dict[str, int]:
    """Where each field stands. Banks write some lines of their own above the headings."""
    for field_name in columns:
        if field_name not in FIELDS:
            raise FileRefused(f"There is no field {field_name[:40]!r}. Fields: {', '.join(FIELDS)}")
    for row in rows:
        names = {_plain(cell): at for at, cell in reversed([*enumerate(row.cells)])}
        found = {
            name: names[_plain(said)] for name, said in columns.items() if _plain(said) in names
        }
        if len(found) == len(columns):
            for name, known in FIELDS.items():
                at = next((names[each] for each in known if each in names), None)
                if name not in found and at is not None and at not in found.values():
                    found[name] = at
            if {"date", "amount", "text"} <= found.keys():
                return found
        if row.number > HEADINGS_BY:
            break
    raise FileRefused(
        "The file has no headings that are known. Name the columns: date=…, amount=…, text=… "
        f"({', '.join(FIELDS)})"
    )


def _plain(heading: str) -> str:
    return re.sub(r"[\W_]+", " ", heading.casefold()).strip()


def _row(told: Mapping[str, str], ours: Bank, zone: ZoneInfo) -> Entry | None:
    """A row; None where it moves nothing. Below 0 it went out."""
    if not told["amount"]:
        return None
    currency = (told.get("currency") or ours.currency).upper()
    minor = amount(_pointed(told["amount"]), currency, "amount")
    if not minor:
        return None
    return _made(minor, currency, _day(told["date"], zone), [told["text"]], [],
                 told.get("name", ""), told.get("account", ""), told.get("id", ""))  # fmt: skip


def _pointed(said: str) -> str:
    """An amount with a decimal comma as one with a point; what could be both is refused."""
    text = re.sub(r"[\s\u00a0\u202f]|[A-Z]{3}$", "", said.replace("−", "-"))
    if re.fullmatch(r"[+-]?[¥￥$€£]?\d{1,3}(\.\d{3})*,\d{1,2}|[+-]?\d+,\d{1,2}", text):
        return text.replace(".", "").replace(",", ".")
    return text


def _day(said: str, zone: ZoneInfo) -> date:
    for form in ("%d.%m.%Y", "%d.%m.%y"):
        try:
            return datetime.strptime(said, form).date()
        except ValueError:
            continue
    return day(said, zone, "date")


def _made(
    minor: int, currency: str, on: date, said: Sequence[str], hidden: Sequence[str], payer: str,
    account: str, own: str,
) -> Entry:  # fmt: skip
    text = _kept(" ".join(said), 300)
    names = references_in("\n".join([*said, *hidden]))
    return Entry(minor, currency, on, text, _kept(payer, 140), _kept(account, 34),
                 _kept(own, 64), tuple(names))  # fmt: skip


def _kept(said: str, most: int) -> str:
    """As both databases keep it."""
    plain = "".join(one if one.isprintable() else " " for one in said)
    return " ".join(plain.encode("utf-8", "replace").decode().split())[:most]
