"""Complaints at WeChat Pay: what shoppers tell WeChat about a payment, and the shop's answers.

Source: pay.weixin.qq.com/doc/v3, the pages on consumer complaints (消费者投诉): the notice names a
complaint and what was done to it, its state is asked for. PENDING waits for the merchant,
PROCESSING was answered, PROCESSED is ended; a shopper may go on with one that was ended. WeChat
holds no money for a complaint: what the merchant gives back is an ordinary refund. The shopper's
phone comes sealed with RSA-OAEP (SHA-1) for the key of the merchant's certificate.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ... import clock
from . import Answer, Approved, Complaint, Declined, GatewayTimeout, NoticeForged, Told

__all__ = ["KINDS", "OUTCOMES", "listen", "made_since", "number", "one", "reply"]

Ask = Callable[[Callable[[Any], tuple[int, Any]]], "dict[str, Any] | Declined"]

KINDS = ("COMPLAINT.CREATE", "COMPLAINT.STATE_CHANGE")
OUTCOMES = ("wait", "done")
"""An answer alone, or with the word that all is done: WeChat then asks the shopper."""
PAGE = 50
MOST_PAGES = 20
_NUMBER = re.compile(r"[\w-]{1,64}\Z", re.ASCII)
BEIJING = timedelta(hours=8)


def number(said: object) -> str:
    """A complaint's number out of a notice: it becomes a part of an address. Raises
    NoticeForged."""
    if not isinstance(said, str) or not _NUMBER.match(said):
        raise NoticeForged("The number of the complaint cannot be read")
    return said


def one(ask: Ask, reference: str, opened: Callable[[str], str]) -> Told | Declined:
    said = ask(lambda api: api.complaint_detail_query(reference))
    if isinstance(said, Declined):
        return said
    if said.get("complaint_id") != reference:
        raise GatewayTimeout("an answer about another complaint")
    return Told((_read(said, opened),))


def made_since(ask: Ask, since: datetime, opened: Callable[[str], str]) -> Told | Declined:
    """WeChat lists them by the days of Beijing on which they were made."""
    first, last = ((at + BEIJING).strftime("%Y-%m-%d") for at in (since, clock.now()))
    found: list[Complaint] = []
    for page in range(MOST_PAGES):
        said = ask(partial(_listed, first, last, page * PAGE))
        if isinstance(said, Declined):
            return said
        rows = said.get("data") or []
        found += [_read(row, opened) for row in rows]
        if len(rows) < PAGE:
            break
    return Told(tuple(found))


def _listed(first: str, last: str, at: int, api: Any) -> tuple[int, Any]:
    said: tuple[int, Any] = api.complaint_list_query(first, last, PAGE, at)
    return said


def reply(ask: Ask, reference: str, words: str, outcome: str) -> Answer:
    if words:
        said = ask(lambda api: api.complaint_response(reference, words))
        if isinstance(said, Declined):
            return said
    if outcome == "done":
        ended = ask(lambda api: api.complaint_complete(reference))
        if isinstance(ended, Declined):
            return ended
    return Approved(reference)


def listen(ask: Ask, notice_url: str) -> Declined | None:
    """WeChat tells of complaints at one address of the merchant's, that must be entered."""
    known = ask(lambda api: api.complaint_notification_query())
    if isinstance(known, Declined):
        made = ask(lambda api: api.complaint_notification_create(notice_url))
        return made if isinstance(made, Declined) else None
    if known.get("url") == notice_url:
        return None
    changed = ask(lambda api: api.complaint_notification_update(notice_url))
    return changed if isinstance(changed, Declined) else None


def _read(said: Mapping[str, Any], opened: Callable[[str], str]) -> Complaint:
    """Raises GatewayTimeout for what cannot be read: it is asked about again."""
    try:
        orders = said["complaint_order_info"]
        order = orders[0] if orders else {"out_trade_no": "", "amount": 0}
        if type(order["amount"]) is not int or not isinstance(order["out_trade_no"], str):
            raise TypeError("fields of the wrong kind")
        return Complaint(
            number(said["complaint_id"]), order["out_trade_no"], _state(said), order["amount"],
            "CNY", str(said.get("problem_description") or said.get("problem_type") or ""),
            str(said["complaint_detail"]), _phone(said.get("payer_phone"), opened),
        )  # fmt: skip
    except (KeyError, TypeError, LookupError, NoticeForged) as error:
        raise GatewayTimeout("a complaint that cannot be read") from error


def _state(said: Mapping[str, Any]) -> str:
    """What the shopper has said since the last answer waits for us again."""
    state = {"PENDING": "open", "PROCESSING": "answered", "PROCESSED": "ended"}[
        said["complaint_state"]
    ]
    return "open" if state == "answered" and said.get("incoming_user_response") else state


def _phone(sealed: object, opened: Callable[[str], str]) -> str:
    """A number that cannot be opened (sealed for an older certificate) costs nobody the rest."""
    if not sealed or not isinstance(sealed, str):
        return ""
    try:
        return opened(sealed)
    except ValueError:
        return ""
