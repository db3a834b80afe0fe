"""Two kinds of file of one provider tell of the same payments: whichever comes first, each payment
and each fee is booked once. Refunds and disputes are settled like payments."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from store.catalogue.tables import FileRefused
from store.db import transaction
from store.payment import attempts, disputes, paybacks
from store.payment.costs import pairing, taking
from store.payment.gateways import Claim, Declined, Notice
from tests.payment.costs.counter import HERE, came, held, take
from tests.payment.costs.test_layouts import (
    ALIPAY_ACCOUNT,
    ALIPAY_TRADE,
    WECHAT_FLOW,
    WECHAT_TRADE,
)
from tests.world import Somebody, World

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def lin(world: World) -> Somebody:
    return world.member()


def late_and_back(lin: Somebody, gateway: str, minor: int, back: int) -> tuple[str, str]:
    """A payment of which so much goes back; answers our numbers of both."""
    attempt = came(lin, gateway, minor)
    with transaction() as session:
        # A refund of a sale, in short: the ledger's two rows, and the provider's number for it.
        session.execute(
            text(
                "INSERT INTO transfers (debit_id, credit_id, amount_minor, currency, reason, note, "
                "at, reverses_id, reversed_before_minor) SELECT credit_id, debit_id, :back, "
                "currency, 'refund', '', at, id, 0 FROM transfers WHERE attempt_id = :attempt"
            ),
            {"back": back, "attempt": attempt},
        )
        session.execute(
            text(
                "UPDATE accounts SET balance_minor = balance_minor - :back WHERE member_id = :lin"
            ),
            {"back": back, "lin": lin.id},
        )
        paybacks._ask_for(attempts.locked(attempt), back, "refund")
    return attempt, paybacks.of_attempt(attempt)[0].id


def faults_of_costs(world: World) -> list[str]:
    """What the audit finds about settlements; the refund above has no sale, and is no other's."""
    return [one for one in world.faults() if "settle" in one or "owed_by_means" in one]


FILES = {
    "alipay": (ALIPAY_TRADE.encode("gbk"), ALIPAY_ACCOUNT.encode("gbk")),
    "wechat": (WECHAT_TRADE.encode(), WECHAT_FLOW.encode()),
}


@pytest.mark.parametrize("gateway", ["alipay", "wechat"])
@pytest.mark.parametrize("turned", [False, True])
def test_two_kinds_of_file_book_once(
    world: World, lin: Somebody, tmp_path: Path, gateway: str, turned: bool
) -> None:
    attempt, back = late_and_back(lin, gateway, 10_000, 2_000)
    whole, alone = (
        content.replace(b"A1", attempt.encode()).replace(b"R1", back.encode())
        for content in FILES[gateway]
    )
    first, second = (alone, whole) if turned else (whole, alone)
    assert ("open", "unknown") not in take(tmp_path, gateway, first, "one.csv")
    found = take(tmp_path, gateway, second, "two.csv")
    assert all(state in ("matched", "repeated", "noted") for state, _ in found), found
    assert held("fees") == 60 - 12
    assert held("bank") == 10_000 - 60 - 2_000 + 12
    assert held(f"gateway:{gateway}") == 0
    assert faults_of_costs(world) == []
    take(tmp_path, gateway, first + b"\n", "three.csv")
    assert (held("fees"), held(f"gateway:{gateway}")) == (48, 0)
    assert faults_of_costs(world) == []


def test_late_money_that_goes_back_is_two_lines(
    world: World, lin: Somebody, tmp_path: Path
) -> None:
    wanted = attempts.Wanted(lin.id, 500, "CNY", "a-key-of-a-page")
    with transaction():
        mine = attempts.begin(wanted, "simulated", "top_up", timedelta(hours=1))
        paybacks.send_back(mine, "late")
        attempt = mine.id
    [back] = paybacks.of_attempt(attempt)
    file = f"order,type,amount,fee\n{attempt},payment,5.00,0.03\n{back.id},refund,5.00,\n"
    assert take(tmp_path, "simulated", file) == [("matched", "")] * 2
    assert (held("bank"), held("fees"), held("gateway:simulated")) == (-3, 3, 0)
    assert faults_of_costs(world) == []


def test_a_dispute_is_settled_by_its_own_line(world: World, lin: Somebody, tmp_path: Path) -> None:
    attempt = came(lin, "simulated", 10_000)
    claim = Claim("dp_1", "open", 10_000, "CNY")
    disputes.take(Notice(attempt, 10_000, "CNY", None, claim), "one")
    file = (
        "order,reference,type,amount,fee\n"
        f"{attempt},a,payment,100.00,0.60\n,dp_1,chargeback,100.00,15.00\n"
    )
    found = take(tmp_path, "simulated", file)
    assert found == [("matched", ""), ("matched", "")], found
    assert (held("bank"), held("fees"), held("gateway:simulated")) == (-1_560, 1_560, 0)
    won = Claim("dp_1", "won", 10_000, "CNY")
    disputes.take(Notice(attempt, 10_000, "CNY", None, won), "another")
    assert held("gateway:simulated") == 10_000
    assert world.faults() == []


def test_what_a_provider_would_not_send_settles_itself(
    world: World, lin: Somebody, tmp_path: Path
) -> None:
    attempt, back = late_and_back(lin, "simulated", 10_000, 2_000)
    paybacks._settle(back, Declined("account closed"))
    assert pairing.pair_off("CNY") == 1
    assert pairing.pair_off("CNY") == 0
    file = f"order,type,amount,fee\n{attempt},payment,100.00,0.60\n"
    assert take(tmp_path, "simulated", file) == [("matched", "")]
    assert (held("gateway:simulated"), held("bank")) == (0, 9_940)
    assert faults_of_costs(world) == []


def test_ten_megabytes_at_once_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    path.write_bytes(b"order,amount\n" + b"x,1.00\n" * 1_600_000)
    with pytest.raises(FileRefused):
        taking.take(path, "card", HERE)
