"""A provider's file against our own books: what fits is booked once, what does not waits for
somebody, and nothing is ever booked twice."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from store import errors
from store.db import db
from store.payment.costs import differences, taking, terms
from store.payment.costs.differences import DifferenceDecided
from store.payment.costs.models import TRANSITIONS, SettlementLine
from store.payment.costs.terms import Terms
from tests.conftest import Clock
from tests.payment.costs.counter import HERE, came, held, sell_by_card, states, take, work
from tests.world import Somebody, World

pytestmark = pytest.mark.usefixtures("context")

HEAD = "order,type,amount,fee,reference\n"


@pytest.fixture
def lin(world: World) -> Somebody:
    return world.member()


def test_what_fits_is_booked_and_the_same_file_again_is_nothing(
    world: World, lin: Somebody, tmp_path: Path
) -> None:
    one, two = came(lin, "simulated", 10_000), came(lin, "simulated", 2_000)
    file = f"{HEAD}{one},payment,100.00,0.60,a\n{two},payment,20.00,0.12,b\n"
    assert take(tmp_path, "simulated", file) == [("matched", "")] * 2
    assert (held("gateway:simulated"), held("bank"), held("fees")) == (0, 11_928, 72)
    assert world.faults() == []
    assert take(tmp_path, "simulated", file) == [("matched", "")] * 2
    turned = f"{HEAD}{two},payment,20.00,0.12,b\n{one},payment,100.00,0.60,a\n"
    assert take(tmp_path, "simulated", turned) == [("repeated", "")] * 2
    assert (held("bank"), held("fees")) == (11_928, 72)
    assert world.faults() == []


def test_a_row_that_stands_there_twice_counts_once(
    world: World, lin: Somebody, tmp_path: Path
) -> None:
    one = came(lin, "simulated", 10_000)
    row = f"{one},payment,100.00,0.60,a\n"
    assert take(tmp_path, "simulated", HEAD + row + row) == [("matched", ""), ("repeated", "")]
    assert held("bank") == 9_940
    other = f"{one},payment,100.00,0.70,a\n"
    two = take(tmp_path, "simulated", f"{HEAD}{other}{row}")
    assert two == [("matched", ""), ("open", "told_twice")]
    assert held("bank") == 9_930
    assert world.faults() == []


def test_a_corrected_file_takes_back_what_the_first_one_booked(
    world: World, lin: Somebody, tmp_path: Path
) -> None:
    one = came(lin, "simulated", 10_000)
    take(tmp_path, "simulated", f"{HEAD}{one},payment,100.00,0.60,a\n")
    again = take(tmp_path, "simulated", f"{HEAD}{one},payment,100.00,0.38,a\n")
    assert again == [("matched", "")]
    assert (held("gateway:simulated"), held("bank"), held("fees")) == (0, 9_962, 38)
    assert world.faults() == []


def test_differences_are_listed_and_nothing_of_them_is_booked(
    world: World, lin: Somebody, tmp_path: Path
) -> None:
    one, two = came(lin, "simulated", 10_000), came(lin, "simulated", 2_000)
    file = (
        f"{HEAD}{one},payment,99.00,0.60,a\nNOBODYS-ORDER,payment,5.00,0.03,b\n"
        f"{two},payment,20.00,0.12,c\n{two},payment,20.00,0.12,d\n"
    )
    assert take(tmp_path, "simulated", file) == [
        ("open", "other_amount"), ("open", "unknown"), ("matched", ""), ("open", "told_twice"),
    ]  # fmt: skip
    assert (held("gateway:simulated"), held("bank")) == (10_000, 1_988)
    assert world.faults() == []
    owner = world.owner()
    waiting = list(db.session.scalars(differences.differing()))
    assert [line.problem for line in waiting] == ["other_amount", "unknown", "told_twice"]
    with pytest.raises(errors.Invalid):
        differences.accept(waiting[0].id, "  ", made_by=owner.id)
    for line in waiting:
        differences.accept(line.id, "asked them", made_by=owner.id)
        differences.accept(line.id, "asked them", made_by=owner.id)
    with pytest.raises(DifferenceDecided):
        differences.accept(waiting[0].id, "another reason", made_by=owner.id)
    # 1 less than we knew of, 5 and 20 more.
    assert held("settlement_differences") == 100 - 500 - 2_000
    assert held("gateway:simulated") == 0
    assert held("bank") == 1_988 + 9_840 + 497 + 1_988
    assert list(db.session.scalars(differences.differing())) == []
    assert world.faults() == []


def test_what_no_file_tells_is_written_off_and_comes_all_the_same(
    world: World, lin: Somebody, tmp_path: Path
) -> None:
    one, owner = came(lin, "simulated", 10_000), world.owner()
    transfer = db.session.execute(
        text("SELECT id FROM transfers WHERE attempt_id = :one"), {"one": one}
    ).scalar_one()
    differences.write_off(transfer, "they went bankrupt", made_by=owner.id)
    with pytest.raises(DifferenceDecided):
        differences.write_off(transfer, "again", made_by=owner.id)
    with pytest.raises(errors.NotFound):
        differences.write_off(999_999, "nothing", made_by=owner.id)
    assert (held("settlement_differences"), held("gateway:simulated")) == (10_000, 0)
    assert world.faults() == []
    file = f"{HEAD}{one},payment,100.00,0.60,a\n"
    assert take(tmp_path, "simulated", file) == [("matched", "")]
    assert (held("settlement_differences"), held("bank"), held("fees")) == (0, 9_940, 60)
    assert world.faults() == []


def test_what_was_unknown_fits_when_the_sale_is_told_of(
    world: World, clock: Clock, tmp_path: Path
) -> None:
    """The provider's file came before the till that was away told of its sales."""
    clock.set(datetime(2026, 11, 19, tzinfo=UTC))
    milk, sam = world.item(price="12"), world.staff()
    file = "Transaction Date,Type,Amount,Fee\n2026-11-20 10:00:00,Sale,12.00,0.06\n"
    path = tmp_path / "card.csv"
    path.write_text(file)
    assert take(tmp_path, "card", file) == [("open", "unknown")]
    file_id = taking.take(path, "card", HERE)
    clock.set(datetime(2026, 11, 20, 2, 10, tzinfo=UTC))
    sell_by_card(world, sam, milk)
    take(tmp_path, "card", file.replace("12.00", "99.00"))
    assert states(file_id) == [("matched", "")]
    assert (held("card"), held("bank"), held("fees")) == (0, 1_194, 6)
    assert world.faults() == []


def test_a_fee_that_was_not_agreed_is_booked_and_stands_out(
    world: World, lin: Somebody, tmp_path: Path
) -> None:
    owner = world.owner()
    agreed = Terms(date(2020, 1, 1), 6_000)
    terms.set_terms("simulated", "CNY", agreed, made_by=owner.id)
    one, two = came(lin, "simulated", 10_000), came(lin, "simulated", 20_000)
    file = f"{HEAD}{one},payment,100.00,0.60,a\n{two},payment,200.00,1.60,b\n"
    assert take(tmp_path, "simulated", file) == [("matched", ""), ("matched", "other_fee")]
    assert held("fees") == 220
    [line] = db.session.scalars(differences.differing())
    assert (line.agreed_minor, line.fee_minor) == (120, 160)
    differences.accept(line.id, "a foreign card", made_by=owner.id)
    assert list(db.session.scalars(differences.differing())) == []
    assert held("fees") == 220
    assert world.faults() == []


def test_a_file_that_was_left_half_way_goes_on(
    world: World, lin: Somebody, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "BITE", 2)
    numbers = [came(lin, "simulated", 1_000) for _ in range(5)]
    path = tmp_path / "file.csv"
    rows = "".join(f"{one},payment,10.00,0.06,{one}\n" for one in numbers)
    path.write_text(HEAD + rows)

    def dies(staged: int) -> None:
        if staged == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        taking.take(path, "simulated", HERE, told=dies)
    work()
    assert held("bank") == 0
    file_id = taking.take(path, "simulated", HERE)
    work()
    assert states(file_id) == [("matched", "")] * 5
    assert (held("bank"), held("gateway:simulated")) == (5 * 994, 0)
    assert world.faults() == []


def test_every_step_of_a_line_is_a_state_that_the_table_knows() -> None:
    check = next(
        str(one.sqltext) for one in SettlementLine.__table__.constraints  # type: ignore[attr-defined]
        if one.name == "ck_settlement_lines_state"
    )  # fmt: skip
    assert all(f"'{state}'" in check for pair in TRANSITIONS.items() for state in
               (pair[0][0], pair[1]))  # fmt: skip
