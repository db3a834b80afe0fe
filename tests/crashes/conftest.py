"""Crash tests are long enough without the work of real passwords."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from store.identity import passwords


@pytest.fixture(autouse=True)
def _cheap_passwords() -> Iterator[None]:
    passwords.set_hasher(passwords.QUICK)
    yield
    passwords.set_hasher(passwords.STRONG)
