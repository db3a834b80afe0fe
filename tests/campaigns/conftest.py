"""A shop that writes practice letters, at noon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from store import create_app
from store.identity import passwords


@pytest.fixture(autouse=True)
def _cheap_passwords() -> Iterator[None]:
    passwords.set_hasher(passwords.QUICK)
    yield
    passwords.set_hasher(passwords.STRONG)


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {
        "PRACTICE_POST": True, "BASE_URL": "https://shop.example", "SHOP_NAME": "Corner",
    }  # fmt: skip


@pytest.fixture
def app_sqlite(tmp_path: Path) -> Flask:
    """A shop without any table, for what asks none."""
    return create_app({"INSTANCE": str(tmp_path / "none"), "SECRET_KEY": "one shop's"})
