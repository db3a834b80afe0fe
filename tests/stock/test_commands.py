"""`flask stock …`: the last line is the result; a refusal is said and changes nothing."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskCliRunner

from tests.world import World


def test_receive_count_and_level(world: World, runner: FlaskCliRunner) -> None:
    milk = world.item(on_hand=0)
    for code in (milk.code, milk.gtin or "", milk.code.lower()):
        assert runner.invoke(args=["stock", "receive", code, "5"]).exit_code == 0
    assert runner.invoke(args=["stock", "count", milk.code, "12"]).stdout == "-3\n"
    runner.invoke(args=["stock", "add-location", "east", "East", "--kind", "warehouse"])
    done = runner.invoke(args=["stock", "receive", milk.code, "4", "--location", "east"])
    assert done.stdout == "4\n"
    assert runner.invoke(args=["stock", "level", milk.code]).stdout == "16\n"
    one = runner.invoke(args=["stock", "level", milk.code, "--location", "EAST"])
    assert one.stdout == "4\n"
    said = json.loads(runner.invoke(args=["stock", "level", milk.code, "--json"]).stdout)
    assert said["on_hand"] == 16
    assert {row["location"]: row["on_hand"] for row in said["locations"]} == {
        "MAIN": 12, "EAST": 4,
    }  # fmt: skip
    assert world.faults() == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["receive", "NOTHING", "1"], ["receive", "ITEM", "0"], ["receive", "ITEM", "1000000001"],
        ["receive", "ITEM", "99999999999999999999"], ["receive", "ITEM", "1", "--location", "X"],
        ["count", "ITEM", "1000000001"], ["count", "NOTHING", "1"], ["level", "NOTHING"],
        ["level", "ITEM", "--location", "X"], ["add-location", "MAIN", "Again"],
        ["add-location", "A B", "Blank"], ["receive", "ITEM", "1", "--batch", "A"],
        ["recall", "ITEM", "A"], ["recall", "NOTHING", "A"],
    ],
)  # fmt: skip
def test_a_refusal_is_said_and_changes_nothing(
    world: World, runner: FlaskCliRunner, arguments: list[str]
) -> None:
    milk = world.item(on_hand=3)
    named = [milk.code if word == "ITEM" else word for word in arguments]
    done = runner.invoke(args=["stock", *named])
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ") and "Traceback" not in done.stderr
    assert world.left(milk) == 3
    assert world.faults() == []
