"""Practice providers of a test: served in this process, telling the shop when the test says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from store.payment.sandboxes.practice import practice, settings_of
from store.payment.sandboxes.serving import Sandbox, Sent, Served
from store.payment.sandboxes.stripe import StripeSandbox

__all__ = ["SECRET", "Providers", "providers"]

SECRET = "known-to-the-tests-only"
SHOP = "http://localhost"


@dataclass
class Providers:
    """The practice providers, and the settings with which a shop uses them."""

    settings: dict[str, str]
    stripe: StripeSandbox

    def named(self, name: str) -> Sandbox:
        return {"stripe": self.stripe}[name]


@contextmanager
def providers() -> Iterator[Providers]:
    made = practice(settings_of(SECRET, ""), SHOP)
    with Served(made) as served:
        for sandbox in made.sandboxes.values():
            sandbox.sends_by_itself = False
        stripe = made.sandboxes["stripe"]
        assert isinstance(stripe, StripeSandbox)
        yield Providers(settings_of(SECRET, served.url), stripe)


def deliver(client: FlaskClient, notice: Sent) -> TestResponse:
    """A notice reaches the shop."""
    path = notice.url.removeprefix(SHOP)
    return client.post(path, data=notice.body, headers=notice.headers)
