"""Practice providers of a test: served in this process, telling the shop when the test says so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from store.payment.sandboxes.alipay import AlipaySandbox
from store.payment.sandboxes.paypal import PayPalSandbox
from store.payment.sandboxes.practice import practice, settings_of
from store.payment.sandboxes.serving import Sandbox, Sent, Served
from store.payment.sandboxes.stripe import StripeSandbox
from store.payment.sandboxes.unionpay import UnionPaySandbox
from store.payment.sandboxes.wechat import WeChatSandbox

__all__ = ["SECRET", "Providers", "providers"]

SECRET = "known-to-the-tests-only"
SHOP = "http://localhost"


@dataclass
class Providers:
    """The practice providers, and the settings with which a shop uses them."""

    settings: dict[str, str]
    stripe: StripeSandbox
    alipay: AlipaySandbox
    wechat: WeChatSandbox
    paypal: PayPalSandbox
    unionpay: UnionPaySandbox

    def named(self, name: str) -> Sandbox:
        found: Sandbox = getattr(self, name)
        return found


@contextmanager
def providers() -> Iterator[Providers]:
    folder = Path(os.environ["ONESHELF_TESTS"], f"practice-{os.getpid()}")
    made = practice(settings_of(SECRET, "", folder), SHOP, folder)
    with Served(made) as served:
        for sandbox in made.sandboxes.values():
            sandbox.sends_by_itself = False
        stripe, alipay, wechat, paypal, unionpay = (
            made.sandboxes[name] for name in ("stripe", "alipay", "wechat", "paypal", "unionpay")
        )
        assert isinstance(stripe, StripeSandbox)
        assert isinstance(alipay, AlipaySandbox)
        assert isinstance(wechat, WeChatSandbox)
        assert isinstance(paypal, PayPalSandbox)
        assert isinstance(unionpay, UnionPaySandbox)
        settings = settings_of(SECRET, served.url, folder)
        yield Providers(settings, stripe, alipay, wechat, paypal, unionpay)


def deliver(client: FlaskClient, notice: Sent) -> TestResponse:
    """A notice reaches the shop."""
    path = notice.url.removeprefix(SHOP)
    return client.post(path, data=notice.body, headers=notice.headers)
