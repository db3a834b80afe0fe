"""Files of entries: the same again does nothing; a cut one is taken as far as it is whole."""

from __future__ import annotations

import gzip
import json
import os
import time
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from store import integration
from tests.integration.feeding import numbers, take_file_text
from tests.world import World

pytestmark = pytest.mark.usefixtures("context")
HEAD = "id,item,location,count,change,why,at\n"


@pytest.fixture(autouse=True)
def _goods(world: World) -> None:
    world.item("oat-milk", sku="MILK", on_hand=10)
    world.item("bread", sku="BREAD", on_hand=5)


def at() -> str:
    """Half a minute ahead of our clock, as a sender's may be: it counts as now."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 30))


def level(app: Flask, item: str) -> str:
    return app.test_cli_runner().invoke(args=["stock", "level", item]).output.splitlines()[-1]


def test_a_file_is_taken_and_again_does_nothing(app: Flask, tmp_path: Path) -> None:
    now = at()
    text = f"{HEAD}1,MILK,MAIN,12,,,{now}\n2,BREAD,main,,-2,sold,{now}\n"
    assert json.loads(take_file_text(app, tmp_path / "a.csv", text)[-1]) == {"applied": 2}
    assert (level(app, "MILK"), level(app, "BREAD")) == ("12", "3")
    assert json.loads(take_file_text(app, tmp_path / "a.csv", text)[-1]) == {"repeated": 2}
    assert (level(app, "MILK"), level(app, "BREAD")) == ("12", "3")


def test_a_file_that_is_cut_in_the_middle_of_a_line(app: Flask, tmp_path: Path) -> None:
    now = at()
    whole = f"{HEAD}1,MILK,MAIN,12,,,{now}\n2,BREAD,MAIN,120,,,{now}\n"
    for cut in (len(HEAD) + 5, len(whole) - 30, len(whole) - 1):
        take_file_text(app, tmp_path / "cut.csv", whole[:cut])
        assert level(app, "BREAD") == "5"
    listed = integration.entries(states=("conflict", "refused"))
    assert {one.code for one in listed} <= {"row_cut", "unreadable"}
    assert json.loads(take_file_text(app, tmp_path / "whole.csv", whole)[-1])["applied"] == 1
    assert (level(app, "MILK"), level(app, "BREAD")) == ("12", "120")


def test_rows_that_are_wrong_hold_up_no_other(app: Flask, tmp_path: Path) -> None:
    now = at()
    rows = [f"1,MILK,MAIN,12,,,{now}", f"2,NOTHING,MAIN,1,,,{now}", f"3,MILK,MOON,1,,,{now}",
            f"4,BREAD,MAIN,,0,,{now}", f"5,BREAD,MAIN,{2**63},,,{now}", f",BREAD,MAIN,1,,,{now}",
            f"6,BREAD,MAIN,,-1,,{now},more", f"7,BREAD,MAIN,,1.5,,{now}", f"8,BREAD,MAIN,,1,,{now}",
            ]  # fmt: skip
    said = take_file_text(app, tmp_path / "a.csv", HEAD + "\n".join(rows) + "\n")
    assert json.loads(said[-1]) == {"applied": 2, "conflict": 2, "refused": 5}
    assert "row 3: item_unknown" in "\n".join(said)
    assert (level(app, "MILK"), level(app, "BREAD")) == ("12", "6")


def test_files_that_are_none_are_refused_as_a_whole(app: Flask, tmp_path: Path) -> None:
    whole = gzip.compress(f"{HEAD}1,MILK,MAIN,12,,,{at()}\n".encode() * 50)
    for name, content in (
        ("empty.csv", b""), ("other.csv", b"a,b\n1,2\n"), ("cut.csv.gz", whole[:-9]),
        ("none.csv.gz", b"no gzip"), ("text.csv", b"\x89PNG\r\n\x1a\n\x00\x00"),
    ):  # fmt: skip
        file = tmp_path / name
        file.write_bytes(content)
        result = app.test_cli_runner().invoke(
            args=["integration", "take", str(file), "--feed", "stock", "--source", "wms"]
        )
        assert result.exit_code == 1, (name, result.output)
    assert level(app, "MILK") == "10"


def test_a_folder_is_emptied(app: Flask, runner: FlaskCliRunner, tmp_path: Path) -> None:
    old, folder = time.time() - 60, tmp_path / "drop"
    folder.mkdir()
    files = {
        "wms.stock.1.csv": f"{HEAD}1,MILK,MAIN,,1,,{at()}\n", "wms.stock.2.csv": "nonsense\n",
        "shop.prices.csv": f"id,item,price,at\n1,MILK,9.90,{at()}\n", "notes.txt": "hello\n",
        "wms.stock.new.csv": HEAD,
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text)
        if name != "wms.stock.new.csv":  # Somebody is still writing this one.
            os.utime(folder / name, (old, old))
    assert runner.invoke(args=["integration", "drop", str(folder)]).stdout.strip() == "2"
    left = sorted(str(file.relative_to(folder)) for file in folder.rglob("*.*"))
    assert left == ["done/shop.prices.csv", "done/wms.stock.1.csv", "notes.txt",
                    "refused/wms.stock.2.csv", "wms.stock.new.csv"]  # fmt: skip
    assert level(app, "MILK") == "11"


def test_conflicts_are_settled_by_command(
    app: Flask, runner: FlaskCliRunner, tmp_path: Path
) -> None:
    take_file_text(app, tmp_path / "a.csv", f"{HEAD}1,MILK,MAIN,,-11,,{at()}\n")
    listed = json.loads(runner.invoke(args=["integration", "conflicts", "--json"]).stdout)
    assert [one["code"] for one in listed] == ["short"]
    number = str(*numbers())
    assert runner.invoke(args=["integration", "settle", number, "--apply"]).exit_code == 1
    done = runner.invoke(args=["integration", "settle", number, "--dismiss"])
    assert done.stdout.strip() == "dismissed"
    assert runner.invoke(args=["integration", "conflicts"]).stdout.strip() == "0"
