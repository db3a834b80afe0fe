"""One open shop for all tests of a module: a server of its own for each would take longer than the
journeys do. The tests leave each other alone by buying different goods as different people."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from store import create_app
from tests.conftest import sqlite_template
from tests.live import open_server
from tests.world import World


@dataclass(frozen=True)
class OpenShop:
    """A shop with its doors open; `world` makes in it what a test needs."""

    url: str
    world: World


@pytest.fixture(scope="module")
def more_settings() -> dict[str, str]:
    """What a module's shop has besides: one that wants something has a fixture of this name."""
    return {}


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory, more_settings: dict[str, str]
) -> Iterator[OpenShop]:
    folder = tmp_path_factory.mktemp("shop")
    settings = {
        "DATABASE_URL": f"sqlite:///{folder / 'shop.sqlite3'}",
        "INSTANCE": str(folder),
        "SECRET_KEY": "known-to-the-tests-only",
        "SIMULATED_GATEWAY": True,
        "TESTING": True,
        **more_settings,
    }
    shutil.copyfile(sqlite_template(), folder / "shop.sqlite3")
    app = create_app(settings)
    world = World(app)
    server = open_server(settings, folder / "server.log", https=False)
    server.wait_until_ready()
    yield OpenShop(server.url, world)
    server.stop()
    with app.app_context():
        assert world.faults() == []
