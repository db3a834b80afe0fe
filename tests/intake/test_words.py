"""Every reason that the importer knows is said in the visitor's language: a sentence that is
changed there and not here would reach a Chinese page in English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale

from store.intake.words import said, said_of_file

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "store" / "catalogue"
# Where rows and files of a list are refused; the other files refuse forms.
READERS = ("drafts.py", "figures.py", "tables.py", "texts.py", "importing.py", "importing_rows.py",
           "importing_more.py")  # fmt: skip
WORDS = re.compile(r"[a-z] [a-z]")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def sentence(node: ast.expr) -> str:
    """A message as it might be: a name, a number, or something that was quoted, for each value."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if not isinstance(node, ast.JoinedStr):
        return ""
    return "".join(
        str(part.value) if isinstance(part, ast.Constant)
        else "'12,5x'" if part.conversion == ord("r")
        else "12"
        for part in node.values
        if isinstance(part, (ast.Constant, ast.FormattedValue))
    )  # fmt: skip


def refusals(kind: str) -> Iterator[str]:
    for name in READERS:
        for node in ast.walk(ast.parse((CATALOGUE / name).read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func).rpartition(".")[2]
            if called == kind:
                # What is only passed on is said where it comes from.
                given = [*node.args, *(one for it in node.args for one in getattr(it, "elts", ()))]
                yield from (text for text in map(sentence, given) if WORDS.search(text))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_reason_is_left_in_english(app: Flask) -> None:
    rows = {*refusals("Invalid"), *refusals("Rejection"), *refusals("append")}
    files = {*refusals("FileRefused")}
    assert len(rows) >= 10 and len(files) >= 10, "where are they now?"
    with app.test_request_context(), force_locale("zh"):
        left = [text for text in rows if not CHINESE.search(said(text))]
        left += [text for text in files if not CHINESE.search(said_of_file(text))]
    assert sorted(left) == []
