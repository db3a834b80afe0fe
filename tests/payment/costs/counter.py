"""Money that came through a provider without one, and files as the providers write them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from store import ids, sales
from store.db import db, transaction
from store.payment import attempts, costs
from store.payment.attempts import Wanted
from store.payment.gateways import Approved
from tests.world import Somebody, Thing, World

ZONE = "Asia/Shanghai"
HERE = ("CNY", ZONE)


def came(member: Somebody, gateway: str, minor: int, reference: str = "") -> str:
    """A top-up that a provider brought; answers its number."""
    wanted = Wanted(member.id, minor, "CNY", ids.new())
    with transaction():
        mine = attempts.begin(wanted, gateway, "top_up", timedelta(hours=1)).id
    attempts.settle(mine, Approved(reference or f"ref-{mine}", minor, "CNY"))
    return mine


def sell_by_card(world: World, seller: Somebody, thing: Thing) -> str:
    """A till takes a card for one of it; answers the sale's number."""
    line = (sales.Line(thing.id, 1),)
    asked = sales.Buy(None, world.location, "CNY", line, ids.new(), "till", seller.id, means="card")
    return sales.buy(asked).sale_id


def take(
    folder: Path, means: str, content: str | bytes, name: str = "file.csv", **how: Any
) -> list[tuple[str, str]]:
    """A file is taken and matched; answers the states of its lines, in order."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    file_id = costs.take(path, means, HERE, **how)
    work()
    return states(file_id)


def work() -> None:
    while costs.work(ZONE):
        pass


def states(file_id: str) -> list[tuple[str, str]]:
    db.session.rollback()
    query = text(
        "SELECT state, problem FROM settlement_lines WHERE file_id = :file ORDER BY number"
    )
    return [(row[0], row[1]) for row in db.session.execute(query, {"file": file_id})]


def held(account: str) -> int:
    """What an account of the shop holds: debits less credits."""
    db.session.rollback()
    query = """SELECT COALESCE(SUM(CASE WHEN d.code = :code THEN t.amount_minor ELSE 0 END), 0)
                    - COALESCE(SUM(CASE WHEN c.code = :code THEN t.amount_minor ELSE 0 END), 0)
                 FROM transfers t JOIN accounts d ON d.id = t.debit_id
                 JOIN accounts c ON c.id = t.credit_id"""
    return int(db.session.execute(text(query), {"code": f"{account}:CNY"}).scalar() or 0)
