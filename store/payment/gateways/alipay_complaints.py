"""Complaints at Alipay (交易投诉): what shoppers tell Alipay about a trade, and the shop's answers.

Sources: opendocs.alipay.com, alipay.merchant.tradecomplain.changed (the message that names a
complaint), .query, .batchquery and .feedback.submit, and Alipay's SDKs for their fields. Alipay
holds no money for a complaint: what the merchant gives back is an ordinary refund.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ... import money, strict
from ...errors import Invalid
from . import Answer, Approved, Complaint, Declined, GatewayTimeout, NoticeForged, Told

__all__ = ["KIND", "OUTCOMES", "made_since", "number", "one", "reply"]

Ask = Callable[[Callable[[Any], Any]], "dict[str, Any]"]

FAMILY = "alipay.merchant.tradecomplain"
KIND = f"{FAMILY}.changed"
CODES = {"refunded": "02", "sent": "03", "served": "05", "not_ours": "06", "other": "04"}
OUTCOMES = tuple(CODES)
"""What Alipay wants to know with every answer (feedback_code)."""
STATES = {
    "MERCHANT_PROCESSING": "open", "MERCHANT_FEEDBACKED": "answered",
    "MERCHANT_FEEDBACK_OVERTIME": "answered", "PLATFORM_PROCESSING": "answered",
    "FINISHED": "ended", "CANCELLED": "ended", "PLATFORM_FINISH": "ended", "CLOSED": "ended",
}  # fmt: skip
PAGE = 20
MOST_PAGES = 50
BEIJING = ZoneInfo("Asia/Shanghai")
_NUMBER = re.compile(r"[\w-]{1,64}\Z", re.ASCII)


def number(content: str) -> str:
    """A complaint's number out of a message. Raises NoticeForged."""
    try:
        said = strict.read(content)["complain_event_id"]
    except (ValueError, KeyError, TypeError) as error:
        raise NoticeForged("The message cannot be read") from error
    if not isinstance(said, str) or not _NUMBER.match(said):
        raise NoticeForged("The number of the complaint cannot be read")
    return said


def one(ask: Ask, reference: str) -> Told | Declined:
    said = _asked(ask, "query", {"complain_event_id": reference})
    if isinstance(said, Declined):
        return said
    if said.get("complain_event_id") != reference:
        raise GatewayTimeout("an answer about another complaint")
    return Told((_read(said),))


def made_since(ask: Ask, since: datetime) -> Told | Declined:
    begin = since.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
    found: list[Complaint] = []
    for page in range(1, MOST_PAGES + 1):
        asked = {"begin_time": begin, "page_num": page, "page_size": PAGE}
        said = _asked(ask, "batchquery", asked)
        if isinstance(said, Declined):
            return said
        rows = said.get("trade_complain_infos") or []
        found += [_read(row) for row in rows]
        if len(rows) < PAGE:
            break
    return Told(tuple(found))


def reply(ask: Ask, reference: str, words: str, outcome: str) -> Answer:
    """Alipay reads these beside `biz_content`, as its SDKs send them."""
    about = {
        "complain_event_id": reference, "feedback_code": CODES[outcome], "feedback_content": words,
    }  # fmt: skip
    said = ask(lambda api: api.server_api(f"{FAMILY}.feedback.submit", **about))
    return Approved(reference) if said.get("code") == "10000" else _refused(said)


def _asked(ask: Ask, verb: str, about: dict[str, Any]) -> dict[str, Any] | Declined:
    said = ask(lambda api: api.server_api(f"{FAMILY}.{verb}", biz_content=about))
    return said if said.get("code") == "10000" else _refused(said)


def _refused(said: Mapping[str, Any]) -> Declined:
    return Declined(str(said.get("sub_code") or said.get("code") or "refused"))


def _read(said: Mapping[str, Any]) -> Complaint:
    """Raises GatewayTimeout for what cannot be read: it is asked about again."""
    try:
        reason = " · ".join(
            str(said[name]) for name in ("leaf_category_name", "complain_reason") if said.get(name)
        )
        return Complaint(
            str(said["complain_event_id"]), str(said["merchant_order_no"]), STATES[said["status"]],
            money.parse(str(said["trade_amount"]), "CNY"), "CNY", reason,
            str(said.get("content") or ""), str(said.get("phone_no") or ""),
        )  # fmt: skip
    except (KeyError, TypeError, Invalid) as error:
        raise GatewayTimeout("a complaint that cannot be read") from error
