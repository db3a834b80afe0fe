"""Alive is not ready: whoever watches the shop can tell the two apart."""

from __future__ import annotations

import time
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from store import create_app
from store.api import health
from store.db import db


def test_an_open_shop_is_alive_and_ready(client: FlaskClient) -> None:
    for path, said in (("/healthz", "alive"), ("/readyz", "ready")):
        response = client.get(path)
        assert (response.status_code, response.get_json()) == (200, {said: True})
        assert response.headers["Cache-Control"] == "no-store"


def test_a_database_of_another_release_is_not_ready(app: Flask, client: FlaskClient) -> None:
    for statement in ("UPDATE alembic_version SET version_num = '0000'",
                      "DELETE FROM alembic_version", "DROP TABLE alembic_version"):  # fmt: skip
        with app.app_context():
            db.session.execute(text(statement))
            db.session.commit()
        response = client.get("/readyz")
        assert (response.status_code, response.get_json()["ready"]) == (503, False), statement
        assert client.get("/healthz").status_code == 200


def test_without_a_database_the_shop_is_alive_but_not_ready(tmp_path: Path) -> None:
    for url in (
        f"sqlite:///{tmp_path}/no/such/folder/shop.sqlite3",
        f"postgresql+psycopg://nobody@/none?host={tmp_path}",
    ):
        app = create_app({"DATABASE_URL": url, "INSTANCE": str(tmp_path), "SECRET_KEY": "any"})
        client = app.test_client()
        assert client.get("/healthz").status_code == 200
        response = client.get("/readyz")
        assert response.status_code == 503
        assert str(tmp_path) not in response.text


def test_being_asked_costs_little(client: FlaskClient) -> None:
    health.expected()
    client.get("/readyz")
    spent = []
    for _ in range(20):
        started = time.perf_counter()
        assert client.get("/readyz").status_code == 200
        spent.append(time.perf_counter() - started)
    assert sorted(spent)[10] < 0.05
