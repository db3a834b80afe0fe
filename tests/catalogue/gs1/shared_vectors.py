"""The vectors of ../shared/data/gs1: what GS1's own software says. Absent in a plain clone."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "gs1"
ABSENT = pytest.param(None, marks=pytest.mark.skip(reason="../shared/data/gs1 is not here"))


def json_lines(name: str, **wanted: Any) -> list[Any]:
    """The rows of a .jsonl file that have the wanted values, as parameters of a test."""
    return list(_rows(name, wanted)) or [ABSENT]


def table(name: str, **wanted: Any) -> list[Any]:
    """The rows of a .tsv file, likewise."""
    return list(_table_rows(name, wanted)) or [ABSENT]


def _rows(name: str, wanted: dict[str, Any]) -> Iterator[Any]:
    if not FOLDER.is_dir():
        return
    for number, line in enumerate((FOLDER / name).read_text("utf-8").splitlines(), 1):
        row = json.loads(line)
        if all(row.get(field) == value for field, value in wanted.items()):
            yield pytest.param(row, id=row.get("id", f"line{number}"))


def _table_rows(name: str, wanted: dict[str, Any]) -> Iterator[Any]:
    if not FOLDER.is_dir():
        return
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        for number, row in enumerate(rows, 1):
            if all(row[field] == value for field, value in wanted.items()):
                yield pytest.param(row, id=f"row{number}")
