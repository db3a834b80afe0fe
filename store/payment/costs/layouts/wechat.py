"""WeChat Pay: the files of `/v3/bill/tradebill` (type ALL, SUCCESS or REFUND) and of
`/v3/bill/fundflowbill` (account BASIC), for a merchant of its own (not a service provider's).

Every field begins with a back tick; the last two lines are sums. Amounts are yuan, fees have five
decimals and are rounded, times are Beijing's. Both files may be taken, in any order: what both
tell counts once. What a refund's row tells as its fee comes back to us.
"""

from __future__ import annotations

import re

from ....errors import Invalid
from . import BEIJING, Fact, Here, Layout, Row, amount, moment

__all__ = ["FLOW", "TRADE"]

_REFUND_TOTAL = re.compile(r"退款总金额([0-9.]+)元;含手续费([0-9.]+)元")


def _trade(row: Row, here: Here) -> Fact | None:
    currency = row["货币种类"].upper() or "CNY"
    state, at = row["交易状态"], moment(row["交易时间"], BEIJING)
    fee = amount(row["手续费"] or "0", currency, "手续费", least=True)
    if state == "SUCCESS":
        key, order, kind = row["微信订单号"], row["商户订单号"], "payment"
        gross = amount(row.get("订单金额") or _settled(row), currency, "订单金额")
    elif state in ("REFUND", "REVOKED"):
        if row.get("退款状态") not in ("SUCCESS", None, ""):
            return None  # On its way: the bill of another day tells that it went.
        key, order, kind = row["微信退款单号"], row["商户退款单号"], "refund"
        gross = -amount(row.get("申请退款金额") or row["退款金额"], currency, "退款金额")
        fee = -abs(fee)
    else:
        raise Invalid(f"交易状态: {state[:40]!r} is not known", field="交易状态")
    if not key.strip("0"):
        raise Invalid("There is no order number of WeChat Pay's", field="微信订单号")
    return Fact(
        kind, f"trade:{kind}:{key}", gross, fee, currency, order=order, reference=key, at=at,
        paid_on=at.date(),
    )  # fmt: skip


def _settled(row: Row) -> str:
    return row.get("应结订单金额") or row.get("总金额") or ""


def _flow(row: Row, here: Here) -> Fact | None:
    sign = {"收入": 1, "支出": -1}.get(row["收支类型"], 0)
    if not sign:
        raise Invalid(f"收支类型: {row['收支类型'][:40]!r} is not known", field="收支类型")
    moved = sign * amount(row["收支金额(元)"], "CNY", "收支金额")
    name, at = f"{row['业务名称']} {row['业务类型']}", moment(row["记账时间"], BEIJING)
    fee: int | None = None
    if "手续费" in name:
        kind, moved, fee = "fee", 0, -moved
    elif "退款" in name:
        kind = "refund"
        whole = _REFUND_TOTAL.search(row.get("备注", ""))
        if whole:  # What left the account is the refund less the fee that came back.
            fee = -amount(whole[2], "CNY", "备注", least=True)
            moved = -amount(whole[1], "CNY", "备注")
    elif "提现" in name:
        kind = "payout"
    else:
        kind = "payment" if "交易" in name and sign > 0 else "other"
    if not moved and not fee:
        return None
    return Fact(
        kind, f"flow:{row['资金流水单号']}", moved, fee, "CNY",
        order=row.get("业务凭证号", ""), reference=row["微信支付业务单号"], at=at,
        paid_on=at.date(),
    )  # fmt: skip


TRADE = Layout(
    "wechat_trade", "wechat",
    frozenset({"交易时间", "微信订单号", "商户订单号", "交易状态", "货币种类", "手续费"}), _trade,
    ends="总交易单数",
)  # fmt: skip
FLOW = Layout(
    "wechat_flow", "wechat",
    frozenset({"记账时间", "微信支付业务单号", "资金流水单号", "收支类型", "收支金额(元)"}), _flow,
    ends="资金流水总笔数",
)  # fmt: skip
