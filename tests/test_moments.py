"""Moments as pages say them: in the shop's time zone, and never to be taken for another day."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask, render_template_string

AT = datetime(2026, 12, 5, 10, 5, 7, tzinfo=UTC)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("language", "form", "said"),
    [
        ("en", "short", "5 Dec 2026, 18:05"),
        ("en", "medium", "5 Dec 2026, 18:05:07"),
        ("zh", "short", "2026/12/5 18:05"),
        ("zh", "medium", "2026年12月5日 18:05:07"),
        ("en", "HH:mm:ss", "18:05:07"),
    ],
)
def test_a_moment_is_read_in_one_way(app: Flask, language: str, form: str, said: str) -> None:
    with app.test_request_context(f"/?lang={language}"):
        assert render_template_string("{{ when(at, form) }}", at=AT, form=form) == said
