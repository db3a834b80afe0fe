"""A whole day at once, as `python -m bench settlement` measures it with 100,000 sales: every line
is divided and settled once, and the audit agrees."""

from __future__ import annotations

import pytest

from bench.settlement import measure
from tests.world import World


@pytest.mark.usefixtures("context")
def test_a_day_of_many_sales_is_settled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.sellers.settling.BITE", 100)
    monkeypatch.setattr("store.sellers.shares.CHUNK", 90)
    found = measure(400, 3, 20)  # It raises where anything is missing, doubled or off.
    assert found["in all"] > 0
