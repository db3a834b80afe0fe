"""A real year: what the owner's pages say is what the file says, added up without the shop."""

from __future__ import annotations

import pytest
from flask import Flask

from bench import real_figures, real_stock
from bench.real_year import FILE


@pytest.fixture
def settings(settings: dict[str, object]) -> dict[str, object]:
    return settings | real_figures.SETTINGS


@pytest.fixture(scope="module")
def found() -> list[real_figures.Fact]:
    if not FILE.exists():
        pytest.skip("no shared data beside this checkout")
    return real_figures.facts(every=83)


def test_every_figure_of_the_year_is_that_of_the_file(
    app: Flask, found: list[real_figures.Fact]
) -> None:
    assert {fact.back for fact in found} == {True, False}
    assert len({fact.country for fact in found}) > 5
    assert real_figures.run(app, found) == []
    # Negative control: without one line of the file the comparison finds it, in each of its cuts.
    with app.app_context():
        faults = real_figures.differences(found[1:]) + real_stock.differences(found[1:])
    assert {fault.split(" ")[0] for fault in faults} >= {
        "in",
        "month",
        "locations",
        "items",
        "margin",
        "stock",
    }
