"""The bank in the demo shop: its account for transfers, and a statement of which one transfer says
so little that somebody must say whose it is."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from .. import clock, web
from ..payment.bank import matching, reading, taking
from ..payment.gateways.bank import Bank

__all__ = ["ACCOUNT", "HOLDER", "NAME", "send_statement"]

ACCOUNT, HOLDER, NAME = "6200 0000 0000 0017", "OneShelf Demo", "Harbour Bank 海港银行"


def send_statement(currency: str, taken_by: int) -> None:
    """Opener (often): yesterday's statement of the shop's account."""
    zone = ZoneInfo(web.setting("TIME_ZONE"))
    day = clock.day_of(clock.now(), str(zone)) - timedelta(days=1)
    rows = [
        "date,amount,currency,text,name,account,id",
        f"{day},68.00,{currency},for the cups 周五的杯子,Wang Fang 王芳,6217000000000042,H1",
        f"{day},-120.00,{currency},window cleaning,Bright Windows,6217000000000099,H2",
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"statement-{day}.csv")
        path.write_text("\n".join(rows) + "\n", "utf-8")
        ours = Bank(HOLDER, ACCOUNT, NAME, currency=currency)
        found = reading.read(path, ours, zone, {})
        taking.take(path, found, name=path.name, taken_by=taken_by)
    matching.work()
