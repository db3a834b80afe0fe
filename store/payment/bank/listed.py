"""A statement as a table (CSV, XLSX), with whatever headings the bank gives its columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

from ...catalogue import tables
from ...catalogue.tables import FileRefused
from ...errors import Invalid
from ..costs.layouts import amount, day
from ..gateways.bank import Bank
from .entries import Entry, Statement, made, refuse_many

__all__ = ["FIELDS", "read"]

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


def read(path: Path, ours: Bank, zone: ZoneInfo, columns: Mapping[str, str]) -> Statement:
    """`columns` names headings that are not known by themselves. Raises FileRefused."""
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
                    refuse_many(found)
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
    return made(minor, currency, _day(told["date"], zone), [told["text"]], [],
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
