"""Prepared statements say what they say as text, once."""

from __future__ import annotations

import sqlite3
import time
from datetime import date

import pytest
from flask import Flask

from store.prepared import Prepared
from store.sales.shelf import shelf
from tests.world import World

HOT = [*shelf._pages.values(), shelf._named]


@pytest.mark.parametrize("statement", HOT, ids=["by GTIN", "by code", "a buy's"])
def test_what_never_changes_stands_in_the_text(app: Flask, statement: Prepared) -> None:
    compiled = statement._of(app.extensions["shop_engine"].dialect)
    assert compiled._constant == {}
    assert "'CNY'" not in compiled.sql, "what is given at each run is bound"


def test_a_kept_statement_is_not_compiled_for_every_run(app: Flask, world: World) -> None:
    """SQLite does so where a constant that is bound might decide whether a partial index serves: a
    page took five times as long. Compiled each time it takes ten times as long as kept."""
    engine = app.extensions["shop_engine"]
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL's driver keeps statements by itself")
    milk = world.item()
    compiled = shelf._pages["code"]._of(engine.dialect)
    wanted = shelf.Asked("code", milk.code, "MAIN", None, None, None, "CNY", date(2026, 11, 26))
    parameters = compiled.bind(shelf._values(wanted))

    def best_of(kept: int) -> float:
        driver = sqlite3.connect(engine.url.database, cached_statements=kept)
        times = []
        for _ in range(40):
            began = time.process_time()
            assert len(driver.execute(compiled.sql, parameters).fetchall()) == 1
            times.append(time.process_time() - began)
        driver.close()
        return min(times)

    assert best_of(128) < 0.35 * best_of(0)
