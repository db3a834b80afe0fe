"""Complaints at the practice Alipay: made by shoppers, asked about, answered and ended.

As Alipay's SDKs have them: MERCHANT_PROCESSING until the merchant's feedback, MERCHANT_FEEDBACKED
after it, and ended by the shopper (CANCELLED) or by time (FINISHED). No money moves by any of it.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ... import clock

__all__ = ["Complaints"]

BEIJING = ZoneInfo("Asia/Shanghai")
CODES = ("00", "02", "03", "04", "05", "06")
MOST_CHARACTERS = 200


class Complaints:
    def __init__(self) -> None:
        self.made: dict[str, dict[str, Any]] = {}
        self.answers: list[tuple[str, str, str]] = []

    def make(self, order: str, trade: str, amount: str, words: str, phone: str) -> str:
        number = f"2027{secrets.randbelow(10**20):020}"
        self.made[number] = {
            "complain_event_id": number, "status": "MERCHANT_PROCESSING", "trade_no": trade,
            "merchant_order_no": order, "gmt_create": _now(), "gmt_modified": _now(),
            "leaf_category_name": "质量问题", "complain_reason": "商品破损", "content": words,
            "images": [], "phone_no": phone, "trade_amount": amount, "reply_detail_infos": [],
        }  # fmt: skip
        return number

    def ends(self, number: str, status: str = "FINISHED") -> None:
        """The shopper is content, takes it back, or time is over."""
        self.made[number] |= {"status": status, "gmt_finished": _now()}

    def answer(self, verb: str, asked: dict[str, Any], said: dict[str, str]) -> dict[str, Any]:
        if verb == "batchquery":
            return self._listed(asked)
        number = (said if verb == "feedback.submit" else asked).get("complain_event_id", "")
        one = self.made.get(number)
        if one is None:
            return _business("COMPLAIN_EVENT_NOT_EXIST")
        if verb == "query":
            return {"code": "10000", "msg": "Success", **one}
        if verb != "feedback.submit":
            return _business("isv.invalid-method")
        code, words = said.get("feedback_code", ""), said.get("feedback_content", "")
        if code not in CODES or not 0 < len(words) <= MOST_CHARACTERS:
            return _business("isv.invalid-parameter")
        if one["status"] != "MERCHANT_PROCESSING":
            return _business("COMPLAIN_STATUS_ERROR")
        one |= {"status": "MERCHANT_FEEDBACKED", "gmt_modified": _now()}
        one["reply_detail_infos"].append(
            {"logon_id": "", "gmt_create": _now(), "content": words, "replier_role": "MERCHANT"}
        )
        self.answers.append((number, code, words))
        return {"code": "10000", "msg": "Success"}

    def _listed(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = [one for one in self.made.values() if one["gmt_create"] >= asked["begin_time"]]
        many, page = min(int(asked["page_size"]), 20), int(asked["page_num"])
        shown = found[(page - 1) * many : page * many]
        return {
            "code": "10000", "msg": "Success", "page_num": page, "page_size": many,
            "total_num": len(found), "total_page_num": -(-len(found) // many),
            "trade_complain_infos": shown,
        }  # fmt: skip


def _business(code: str) -> dict[str, Any]:
    return {"code": "40004", "msg": "Business Failed", "sub_code": code, "sub_msg": code}


def _now() -> str:
    at: datetime = clock.now().astimezone(BEIJING)
    return at.strftime("%Y-%m-%d %H:%M:%S")
