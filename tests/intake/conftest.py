"""What the tests of lists share: a desk that sends files and presses the buttons of its pages."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from store.catalogue.intake_models import Intake
from store.catalogue.models import Category, Item, Price
from store.db import db
from store.identity import passwords
from store.stock.models import Level
from tests.world import Visitor, World

HEADINGS = ("gtin", "sku", "name", "brand", "category", "size", "price", "stock", "shelf")
TEA = ("6901234567892", "", "Green tea", "Hills", "Drinks", "500 ml", "3.50", "12", "A1")
OAT = ("", "OAT-1", "Oat milk", "Field", "Drinks", "1 l", "12.50", "", "")


def as_csv(rows: Sequence[Sequence[str]], headings: Sequence[str] = HEADINGS) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([headings, *rows])
    return text.getvalue().encode()


@dataclass
class Desk:
    """Somebody at the desk, in front of the page of the list that was sent last."""

    app: Flask
    visitor: Visitor
    path: str = ""

    def send(self, data: bytes, name: str = "goods.csv", **fields: Any) -> TestResponse:
        """Send a file; answers the page that follows."""
        sent = self.visitor.post("/desk/items/import", file=(io.BytesIO(data), name), **fields)
        assert sent.status_code == 303, sent.text
        if sent.location != "/desk/items/import":
            self.path = sent.location
        return self.visitor.get(sent.location)

    def press(self, what: str, form: dict[str, str] | None = None) -> TestResponse:
        """Press a button of the list's page (columns, runs, pieces, end)."""
        answer = self.visitor.post(f"{self.path}/{what}", form)
        assert answer.status_code == 303, answer.text
        return self.visitor.get(answer.location)

    def page(self) -> str:
        return self.visitor.get(self.path).text

    def refused(self) -> list[dict[str, str]]:
        answer = self.visitor.get(f"{self.path}/refused.csv")
        return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))

    @property
    def intake_id(self) -> str:
        return self.path.rpartition("/")[2]

    def list(self) -> Intake:
        with self.app.app_context():
            return db.session.get_one(Intake, self.intake_id)

    def figures(self) -> tuple[int, int, int, int]:
        one = self.list()
        return one.added, one.updated, one.unchanged, one.rejected


@pytest.fixture(autouse=True)
def _cheap_passwords() -> Iterator[None]:
    passwords.set_hasher(passwords.QUICK)
    yield
    passwords.set_hasher(passwords.STRONG)


@pytest.fixture
def desk(app: Flask, world: World) -> Desk:
    return Desk(app, world.client_for(world.staff()))


def counts() -> tuple[int, int, int, int]:
    """Items, prices, categories, and pieces on hand."""
    items, prices, categories = (
        db.session.scalar(select(func.count()).select_from(table)) or 0
        for table in (Item, Price, Category)
    )
    return items, prices, categories, int(db.session.scalar(select(func.sum(Level.on_hand))) or 0)
