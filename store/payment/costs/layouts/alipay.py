"""Alipay: the bills of its merchant portal and of `alipay.data.dataservice.bill.downloadurl.query`.

`trade` (业务明细) tells of each payment and refund with its fee; `signcustomer` (账务明细) of each
movement of the account, where fees stand alone and withdrawals are among them. Lines that begin
with # are comments; amounts are yuan, times Beijing's; files are GBK. Both may be taken, in any
order: what both tell counts once. The summaries (汇总) and bills of campaigns are not read.
"""

from __future__ import annotations

from ....errors import Invalid
from . import BEIJING, Fact, Here, Layout, Row, amount, moment

__all__ = ["ACCOUNT", "TRADE"]

_CNY = "CNY"


def _trade(row: Row, here: Here) -> Fact | None:
    """Of a refund all amounts are less than 0; the fee that is given back is greater than 0."""
    kind = {"交易": "payment", "退款": "refund"}.get(row["业务类型"], "other")
    gross = amount(row["商家实收(元)"], _CNY, "商家实收")
    fee = -amount(row.get("服务费(元)") or "0", _CNY, "服务费", least=True)
    trade, refund = row["支付宝交易号"], row.get("退款批次号/请求号", "")
    if not trade:
        raise Invalid("There is no 支付宝交易号", field="支付宝交易号")
    at = moment(row.get("完成时间") or row["创建时间"], BEIJING)
    if kind == "refund":
        gross = -abs(gross)
        # The portal writes it as -0.01, given back, and as 0.01.
        fee = -abs(fee)
    elif kind == "payment":
        fee = abs(fee)
    key = f"{trade}:{refund or f'{at:%Y%m%d%H%M%S}'}" if kind == "refund" else trade
    return Fact(
        kind, f"trade:{kind}:{key}", gross, fee, _CNY,
        order=(kind == "refund" and refund) or row["商户订单号"], reference=trade, at=at,
        paid_on=at.date(),
    )  # fmt: skip


_ACCOUNT_KINDS = {
    "在线支付": "payment", "交易付款": "payment", "交易收款": "payment", "交易退款": "refund",
    "退款": "refund", "退款(交易退款)": "refund", "收费": "fee", "服务费": "fee",
    "手续费": "fee", "退费": "fee", "提现": "payout", "转账": "other",
}  # fmt: skip


def _account(row: Row, here: Here) -> Fact | None:
    come = amount(row["收入金额(+元)"] or "0", _CNY, "收入金额")
    gone = amount(row["支出金额(-元)"] or "0", _CNY, "支出金额")
    gross = abs(come) - abs(gone)
    kind = _ACCOUNT_KINDS.get(row["业务类型"].strip(), "other")
    own, trade = row["账务流水号"], row["业务流水号"]
    if not own:
        raise Invalid("There is no 账务流水号", field="账务流水号")
    if not gross:
        return None
    at = moment(row["发生时间"], BEIJING)
    told: tuple[int, int | None] = (0, -gross) if kind == "fee" else (gross, None)
    return Fact(
        kind, f"account:{own}", told[0], told[1], _CNY, order=row["商户订单号"],
        reference=trade, at=at, paid_on=at.date(),
    )  # fmt: skip


TRADE = Layout(
    "alipay_trade", "alipay",
    frozenset({"支付宝交易号", "商户订单号", "业务类型", "商家实收(元)", "创建时间"}), _trade,
)  # fmt: skip
ACCOUNT = Layout(
    "alipay_account", "alipay",
    frozenset({"账务流水号", "业务流水号", "商户订单号", "发生时间", "收入金额(+元)",
               "支出金额(-元)", "业务类型"}), _account,
)  # fmt: skip
