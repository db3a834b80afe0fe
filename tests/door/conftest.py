"""The door's own cast."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.door.shop import DoorShop, make_shop


@pytest.fixture
def shop(app: Flask) -> DoorShop:
    return make_shop(app)
