"""Providers' files as they write them: each layout is known by its headings, and what cannot be
read goes to the rejects."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import Workbook

from store.catalogue.tables import FileRefused
from store.errors import Invalid
from store.payment.costs.layouts import Fact, Here
from store.payment.costs.reading import Reject, opened, wanted_columns

HERE = Here("CNY", ZoneInfo("Asia/Shanghai"))
STRIPE = (
    "automatic_payout_id,automatic_payout_effective_at_utc,balance_transaction_id,created_utc,"
    "currency,gross,fee,net,reporting_category,source_id,description,payment_metadata[order],"
    "refund_metadata[refund]\n"
    "po_1,2026-11-03 00:00:00,txn_1,2026-11-01 20:00:00,cny,100.00,"
    "3.40,96.60,charge,ch_1,Shop,A1,\n"
    "po_1,2026-11-03 00:00:00,txn_2,2026-11-01 21:00:00,cny,-20.00,0.00,-20.00,refund,re_1,,A1,R1\n"
    "po_1,2026-11-03 00:00:00,txn_3,2026-11-02 00:00:00,cny,-2.00,0.00,-2.00,fee,,Radar,,\n"
    "po_1,2026-11-03 00:00:00,txn_4,2026-11-03 00:00:00,cny,-74.60,0.00,-74.60,payout,po_1,,,\n"
    "po_1,2026-11-03 00:00:00,txn_5,2026-11-03 00:00:00,cny,1.00,0.10,0.50,charge,ch_2,,A2,\n"
)
ALIPAY_TRADE = (
    "#支付宝业务明细查询\n#账号：[20880000000000000156]\n#-----业务明细列表-----\n"
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,订单金额（元）,"
    "商家实收（元）,退款批次号/请求号,服务费（元）,分润（元）,备注\n"
    "2026110122001\t,A1\t,交易,牛奶,2026-11-01 10:00:00,"
    "2026-11-01 10:00:05,,100.00,100.00,,-0.60,0,\n"
    "2026110122001\t,A1\t,退款,牛奶,2026-11-01 10:00:00,"
    "2026-11-02 10:00:05,,-20.00,-20.00,R1,0.12,0,\n"
    "#-----业务明细列表结束-----\n#交易合计：1笔\n"
)
ALIPAY_ACCOUNT = (
    "#支付宝账务明细查询\n#账号：[20880000000000000156]\n#-----账务明细列表-----\n"
    "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,"
    "账户余额（元）,交易渠道,业务类型,备注\n"
    "501\t,2026110122001\t,A1\t,牛奶,2026-11-01 10:00:05,a@b.cn,"
    "100.00,0.00,100.00,支付宝,在线支付,\n"
    "502\t,2026110122001\t,A1\t,牛奶,2026-11-01 10:00:05,,0.00,0.60,99.40,支付宝,收费,\n"
    "503\t,9\t,\t,,2026-11-02 10:00:05,,0.00,99.40,0.00,支付宝,提现,\n"
    "#-----账务明细列表结束-----\n#支出合计：2笔\n"
)
WECHAT_TRADE = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,"
    "付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,"
    "退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n"
    "`2026-11-01 10:00:00,`wx1,`16,`0,`,`4200001,`A1,`o1,`JSAPI,"
    "`SUCCESS,`OTHERS,`CNY,`100.00,`0.00,"
    "`0,`0,`0.00,`0.00,`,`,`牛奶,`,`0.60000,`0.60%,`100.00,`0.00,`\r\n"
    "`2026-11-02 10:00:00,`wx1,`16,`0,`,`4200001,`A1,`o1,`JSAPI,`REFUND,`OTHERS,`CNY,`0.00,`0.00,"
    "`5030001,`R1,`20.00,`0.00,`ORIGINAL,`SUCCESS,`牛奶,`,`-0.12000,`0.60%,`0.00,`20.00,`\r\n"
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,"
    "手续费总金额,订单总金额,申请退款总金额\r\n"
    "`2,`100.00,`20.00,`0.00,`0.48000,`100.00,`20.00\r\n"
)
WECHAT_FLOW = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),"
    "资金变更提交申请人,备注,业务凭证号\r\n"
    "`2026-11-01 10:00:00,`4200001,`F1,`交易,`交易,`收入,`100.00,`100.00,`system,`,`A1\r\n"
    "`2026-11-01 10:00:00,`4200001,`F2,`扣除交易手续费,`交易,`支出,`0.60,`99.40,`system,`,`A1\r\n"
    "`2026-11-02 10:00:00,`5030001,`F3,`退款,`退款,`支出,`19.88,`79.52,`api,"
    "`退款总金额20.00元;含手续费0.12元,`R1\r\n"
    "`2026-11-03 10:00:00,`1,`F4,`提现,`提现,`支出,`79.52,`0.00,`system,`,`1\r\n"
    "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n`4,`1,`100.00,`3,`100.00\r\n"
)
PAYPAL = (
    '"RH",2026/11/02 06:00:00 -0700,"A",,9\n"FH",1\n'
    '"SH",2026/11/01 00:00:00 -0700,2026/11/02 00:00:00 -0700,"MERCHANT",""\n'
    '"CH","Transaction ID","Invoice ID","PayPal Reference ID","PayPal Reference ID Type",'
    '"Transaction Event Code","Transaction Initiation Date","Transaction Completion Date",'
    '"Transaction Debit or Credit","Gross Transaction Amount","Gross Transaction Currency",'
    '"Fee Debit or Credit","Fee Amount","Fee Currency","Custom Field","Consumer ID"\n'
    '"SB","8AB","A1","","","T0006","2026/11/01 09:00:00 -0700","2026/11/01 09:00:01 -0700","CR",'
    '10000,"CNY","DR",440,"CNY","A1","C1"\n'
    '"SB","9RF","A1","8AB","TXN","T1107","2026/11/01 12:00:00 -0700","2026/11/01 12:00:01 -0700",'
    '"DR",2000,"CNY","",0,"CNY","A1","C1"\n'
    '"SB","7WD","","","","T0403","2026/11/01 13:00:00 -0700","2026/11/01 13:00:01 -0700","DR",'
    '7560,"CNY","",0,"CNY","",""\n'
    '"SB","6HO","","","","T1503","2026/11/01 13:00:00 -0700","2026/11/01 13:00:01 -0700","DR",'
    '100,"CNY","",0,"CNY","",""\n'
    '"SF","CNY",2,10000,2000\n"SC",4\n"RF","CNY",2\n"RC",4\n"FF",1\n'
)


def read(folder: Path, means: str, content: str | bytes, name: str = "file.csv",
         **columns: str) -> list[Any]:  # fmt: skip
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with opened(path, means, HERE, columns) as found:
        return [row if isinstance(row, Reject) else row[1] for row in found.rows]


def told(facts: list[Fact]) -> list[tuple[str, int, int | None, str]]:
    return [(one.kind, one.gross_minor, one.fee_minor, one.order) for one in facts]


def test_stripe(tmp_path: Path) -> None:
    *facts, rubbish = read(tmp_path, "stripe", "\ufeff" + STRIPE)
    assert told(facts) == [
        ("payment", 10_000, 340, "A1"), ("refund", -2_000, 0, "R1"), ("fee", 0, 200, ""),
        ("payout", -7_460, 0, ""),
    ]  # fmt: skip
    assert facts[0].paid_on == date(2026, 11, 3)
    assert (rubbish.number, rubbish.why) == (6, "net is not gross less fee")


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_alipay(tmp_path: Path, encoding: str) -> None:
    facts = read(tmp_path, "alipay", ALIPAY_TRADE.encode(encoding))
    assert told(facts) == [("payment", 10_000, 60, "A1"), ("refund", -2_000, -12, "R1")]
    facts = read(tmp_path, "alipay", ALIPAY_ACCOUNT.encode(encoding))
    assert told(facts) == [
        ("payment", 10_000, None, "A1"), ("fee", 0, 60, "A1"), ("payout", -9_940, None, ""),
    ]  # fmt: skip
    with pytest.raises(FileRefused, match="alipay"):
        read(tmp_path, "wechat", ALIPAY_TRADE.encode(encoding))


def test_wechat(tmp_path: Path) -> None:
    facts = read(tmp_path, "wechat", WECHAT_TRADE)
    assert told(facts) == [("payment", 10_000, 60, "A1"), ("refund", -2_000, -12, "R1")]
    facts = read(tmp_path, "wechat", WECHAT_FLOW)
    assert told(facts) == [
        ("payment", 10_000, None, "A1"), ("fee", 0, 60, "A1"), ("refund", -2_000, -12, "R1"),
        ("payout", -7_952, None, "1"),
    ]  # fmt: skip


def test_paypal(tmp_path: Path) -> None:
    facts = read(tmp_path, "paypal", PAYPAL)
    assert told(facts) == [
        ("payment", 10_000, 440, "A1"), ("refund", -2_000, 0, "A1"), ("payout", -7_560, 0, ""),
    ]  # fmt: skip


def test_any_other_table_and_named_columns(tmp_path: Path) -> None:
    content = (
        "Batch;Brutto;Beleg;Tag;Netto\n1;1,234.50;77;2026-11-01;1,230.00\n1;-5;78;2026-11-02;\n"
    )
    facts = read(tmp_path, "card", content, amount="Brutto", reference="Beleg", at="Tag",
                 net="Netto")  # fmt: skip
    assert [(one.kind, one.gross_minor, one.fee_minor, one.key) for one in facts] == [
        ("payment", 123_450, 450, "payment:77"), ("refund", -500, None, "refund:78"),
    ]  # fmt: skip
    book, path = Workbook(), tmp_path / "t.xlsx"
    sheet = book.active
    assert sheet is not None
    for row in (("Transaction Date", "Amount"), ("2026-11-01", 12.5), ("2026-11-01", 12.5)):
        sheet.append(row)
    book.save(path)
    same = read(tmp_path, "card", path.read_bytes(), "t.xlsx")
    assert [one.gross_minor for one in same] == [1_250, 1_250]
    assert same[0].key != same[1].key
    assert [one.key for one in read(tmp_path, "card", path.read_bytes(), "t.xlsx")] == [
        one.key for one in same
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\x00" * 50, b"PK\x03\x04rubbish", b"a,b\n1,2\n", b"=cmd|' /C calc'!A0\n",
        b"<?xml version='1.0'?><a/>", b"amount\n1\n", b"\xff\xfe" + b"\xd8\x00" * 20,
    ],
)  # fmt: skip
def test_what_is_no_such_file_is_refused(tmp_path: Path, content: bytes) -> None:
    for name in ("file.csv", "file.xlsx"):
        with pytest.raises(FileRefused):
            read(tmp_path, "card", content, name)


@pytest.mark.parametrize(
    "row",
    [
        "A,abc,,", "A,1e5,,", "A,1.234,,", f"A,{'9' * 40},,", "A,½,,", "A,1,abc,", "A,1,,nonsense",
        f"{'x' * 200},1,,", "A\x01B,1,,", "A,٣,,", "A,,,", "A,NaN,,", "A,1,999999999999999999,",
    ],
)  # fmt: skip
def test_a_row_of_rubbish_goes_to_the_rejects(tmp_path: Path, row: str) -> None:
    found = read(tmp_path, "card", f"order,amount,fee,type\nA1,5.00,0.01,sale\n{row}\n")
    assert [type(one) for one in found] == [Fact, Reject]
    assert found[1].number == 3


def test_columns_are_said_by_field_and_heading() -> None:
    assert wanted_columns("amount=Gross, order=No") == {"amount": "Gross", "order": "No"}
    assert wanted_columns("") == {}
    with pytest.raises(Invalid):
        wanted_columns("amount")
