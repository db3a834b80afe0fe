"""Complaints at the practice WeChat Pay: made by shoppers, told of, answered and ended.

As pay.weixin.qq.com has them ("消费者投诉"): PENDING until the merchant answers, PROCESSING after
that, PROCESSED when the merchant says so; a shopper may write again, and go on with an ended one.
The phone is sealed for the merchant's certificate; no money moves by any of it.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ... import clock

__all__ = ["Complaints"]

Acted = tuple[str, str] | None
MOST_CHARACTERS = 200


class Complaints:
    def __init__(self, merchant_id: str, merchant_key: rsa.RSAPublicKey) -> None:
        self.merchant_id, self.merchant_key = merchant_id, merchant_key
        self.notice_url = ""
        self.made: dict[str, dict[str, Any]] = {}
        self.answers: list[tuple[str, str]] = []

    def make(self, order: str, transaction: str, total: int, words: str, phone: str) -> str:
        number = f"2002018{secrets.randbelow(10**20):020}"
        at = clock.now() + timedelta(hours=8)
        self.made[number] = {
            "complaint_id": number, "complaint_time": at.strftime("%Y-%m-%dT%H:%M:%S+08:00"),
            "complaint_detail": words, "complaint_state": "PENDING", "payer_phone": phone,
            "complaint_order_info": [
                {"transaction_id": transaction, "out_trade_no": order, "amount": total}
            ],
            "complaint_full_refunded": False, "incoming_user_response": False,
            "problem_description": "商品质量问题", "problem_type": "OTHERS",
            "user_complaint_times": 1,
        }  # fmt: skip
        return number

    def writes_again(self, number: str) -> Acted:
        """The shopper answers, or goes on with what was ended."""
        one = self.made[number]
        if one["complaint_state"] == "PROCESSED":
            one["complaint_state"] = "PENDING"
            one["user_complaint_times"] += 1
            return number, "CONTINUE_COMPLAINT"
        one["incoming_user_response"] = True
        return number, "USER_RESPONSE"

    def refunded(self, order: str) -> list[str]:
        """All of this order went back: which complaints are about it."""
        about = [
            number
            for number, one in self.made.items()
            if one["complaint_order_info"][0]["out_trade_no"] == order
        ]
        for number in about:
            self.made[number]["complaint_full_refunded"] = True
        return about

    def answer(
        self, method: str, path: str, asked: dict[str, Any], args: dict[str, str]
    ) -> tuple[int, dict[str, Any], Acted]:
        """Status and body, and what is to be told of."""
        room, _, rest = path.partition("/")
        if room == "complaint-notifications":
            return *self._address(method, asked), None
        number, _, verb = rest.partition("/")
        if room != "complaints-v2":
            return *_no(404, "RESOURCE_NOT_EXISTS"), None
        if (method, number) == ("GET", ""):
            return 200, self._listed(args), None
        if number not in self.made:
            return *_no(400, "PARAM_ERROR"), None
        if (method, verb) == ("GET", ""):
            return 200, self._shown(self.made[number]), None
        return self._act(number, verb if method == "POST" else "", asked)

    def _address(self, method: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if method in ("POST", "PUT"):
            if bool(self.notice_url) is (method == "POST"):
                return _no(400, "INVALID_REQUEST")
            self.notice_url = str(asked["url"])
        if not self.notice_url:
            return _no(404, "RESOURCE_NOT_EXISTS")
        return 200, {"mchid": self.merchant_id, "url": self.notice_url}

    def _listed(self, args: dict[str, str]) -> dict[str, Any]:
        first, last = args["begin_date"], args["end_date"]
        found = [
            one for one in self.made.values() if first <= one["complaint_time"][:10] <= last
        ]  # fmt: skip
        at, many = int(args["offset"]), min(int(args["limit"]), 50)
        shown = [self._shown(one) for one in found[at : at + many]]
        return {"data": shown, "limit": many, "offset": at, "total_count": len(found)}

    def _act(
        self, number: str, verb: str, asked: dict[str, Any]
    ) -> tuple[int, dict[str, Any], Acted]:
        one = self.made[number]
        if asked["complainted_mchid"] != self.merchant_id:
            return *_no(403, "NO_AUTH"), None
        if one["complaint_state"] == "PROCESSED":
            return *_no(400, "INVALID_REQUEST"), None
        if verb == "complete":
            one["complaint_state"] = "PROCESSED"
            one["incoming_user_response"] = False
            return 204, {}, (number, "MERCHANT_CONFIRM_COMPLETE")
        words = asked["response_content"] if verb == "response" else ""
        if not 0 < len(words) <= MOST_CHARACTERS:
            return *_no(400, "PARAM_ERROR"), None
        one["complaint_state"], one["incoming_user_response"] = "PROCESSING", False
        self.answers.append((number, words))
        return 204, {}, (number, "MERCHANT_RESPONSE")

    def _shown(self, one: dict[str, Any]) -> dict[str, Any]:
        oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303
        sealed = self.merchant_key.encrypt(one["payer_phone"].encode(), oaep)
        return {**one, "payer_phone": b64encode(sealed).decode()}


def _no(status: int, code: str) -> tuple[int, dict[str, Any]]:
    return status, {"code": code, "message": code}
