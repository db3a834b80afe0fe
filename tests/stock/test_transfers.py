"""Goods on their way from place to place, and levels set from a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from store import stock
from store.db import transaction
from tests.world import World


@pytest.fixture
def mill(world: World, app: Flask) -> int:
    with app.app_context(), transaction():
        return stock.add_location("MILL", "Mill Street").id


def test_what_leaves_one_place_arrives_at_the_other(
    world: World, runner: FlaskCliRunner, mill: int
) -> None:
    milk = world.item(on_hand=10)
    done = runner.invoke(
        args=["stock", "transfer", milk.code, "4", "--from", "MAIN", "--to", "MILL"]
    )
    assert done.stdout == "4\n"
    assert runner.invoke(args=["stock", "level", milk.code]).stdout == "10\n"
    assert world.left(milk) == 6
    assert world.faults() == []


@pytest.mark.parametrize(
    ("quantity", "source", "target"),
    [("11", "MAIN", "MILL"), ("1", "MILL", "MAIN"), ("0", "MAIN", "MILL"), ("1", "MAIN", "MAIN"),
     ("1", "MAIN", "NOWHERE")],
)  # fmt: skip
def test_a_transfer_that_cannot_be_changes_nothing(
    world: World, runner: FlaskCliRunner, mill: int, quantity: str, source: str, target: str
) -> None:
    milk = world.item(on_hand=10)
    done = runner.invoke(
        args=["stock", "transfer", milk.code, quantity, "--from", source, "--to", target]
    )
    assert done.exit_code == 1
    assert world.left(milk) == 10
    assert runner.invoke(args=["stock", "level", milk.code]).stdout == "10\n"
    assert world.faults() == []


def test_levels_come_from_a_file_and_again_change_nothing(
    world: World, runner: FlaskCliRunner, mill: int, tmp_path: Path
) -> None:
    milk, bread = world.item(on_hand=10), world.item("bread", on_hand=0)
    file = tmp_path / "levels.csv"
    file.write_text(
        f"item,quantity,location,shelf\n{milk.code},7,,A4\n{bread.code},3,MILL,\n"
        f"NOTHING,1,,\n{milk.code},many,,\n{milk.code},1,NOWHERE,\n"
    )
    for _ in range(2):
        done = runner.invoke(args=["stock", "import", str(file)])
        assert done.stdout == "2\n"
        assert [line.split(":")[0] for line in done.stderr.splitlines()] == [
            "row 4", "row 5", "row 6", "3 rows were left out",
        ]  # fmt: skip
        assert world.left(milk) == 7
        assert runner.invoke(args=["stock", "level", bread.code]).stdout == "3\n"
    assert world.faults() == []
