"""What every race needs: cheap passwords, and as many connections as there are buyers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from store.identity import passwords

SHARP = 16
"""How many stand in the shop at once where a race is run inside one process."""


@pytest.fixture(autouse=True)
def _cheap_passwords() -> Iterator[None]:
    passwords.set_hasher(passwords.QUICK)
    yield
    passwords.set_hasher(passwords.STRONG)


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"THREADS": SHARP + 1}
