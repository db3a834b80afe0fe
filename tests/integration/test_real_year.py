"""A slice of a real year: levels and takings are those of the file, and the dirt is told."""

from __future__ import annotations

import pytest
from flask import Flask

from bench import real_year
from store.identity import passwords

LINES = 2500


@pytest.fixture
def settings(settings: dict[str, object]) -> dict[str, object]:
    return settings | {"CURRENCY": "GBP", "TAX_RATE": "20", "TIME_ZONE": "Europe/London"}


@pytest.mark.skipif(not real_year.FILE.exists(), reason="no shared data beside this checkout")
def test_levels_and_takings_agree_with_the_file(app: Flask) -> None:
    found = list(real_year.rows(LINES))
    try:
        replay, _, faults = real_year.run(app, found)
    finally:
        passwords.set_hasher(passwords.STRONG)
    assert faults == []
    kinds = real_year.independent(found).kinds
    assert {kinds["sold"], kinds["return"], kinds["written off"]} & {0} == set()
    assert replay.taken["sold"] == kinds["sold"]
    assert (
        replay.taken["returned"] + replay.refused["a return without a sale to give back"]
        == (kinds["return"])
    )
    assert replay.taken["returned"] > 0
    assert sum(replay.refused.values()) < 30
