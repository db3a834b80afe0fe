"""camt.053: ISO 20022's bank-to-customer statement. The parts that are read are the same in all its
versions, and only the namespace differs, so no namespace is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ...catalogue.tables import FileRefused
from ..costs.layouts import amount, day
from ..gateways.bank import Bank
from .entries import Entry, Statement, made, refuse_many, refuse_other

__all__ = ["read"]


def read(body: bytes, ours: Bank, zone: ZoneInfo) -> Statement:
    """Raises FileRefused, Invalid."""
    try:
        root = fromstring(body, forbid_dtd=True)
    except (DefusedXmlException, SyntaxError, ValueError, LookupError) as error:
        raise FileRefused("This is no XML that can be read") from error
    top = next((node for node in root.iter() if _tag(node) == "BkToCstmrStmt"), None)
    if top is None:
        raise FileRefused("This is no statement (camt.053): export that one, not a report of a day")
    found = Statement("camt053")
    for statement in _all(top, "Stmt"):
        refuse_other(_first(statement, "Acct/Id/IBAN", "Acct/Id/Othr/Id"), ours)
        for entry in _all(statement, "Ntry"):
            status = _first(entry, "Sts/Cd", "Sts")
            if status and status != "BOOK":
                continue
            if _first(entry, "CdtDbtInd") != "CRDT":
                found.outgoing += 1
                continue
            found.entries += _parts(entry, zone)
            refuse_many(found)
    return found


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
    return made(minor, currency, on, [*filter(None, said)], hidden, payer, account, own)


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
