"""The practice providers of a shop: their keys, made from its own secret, and their server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import ids
from .serving import Practice
from .stripe import StripeSandbox

__all__ = ["practice", "settings_of"]


def settings_of(secret_key: str, url: str) -> dict[str, str]:
    """The settings with which the shop takes the practice server at `url` for its providers."""
    secret = ids.mac(secret_key.encode(), "practice", "stripe", length=32)
    return {
        "STRIPE_KEY": f"sk_test_{secret}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{secret}",
        "STRIPE_URL": f"{url}/stripe",
    }


def practice(settings: Mapping[str, Any], shop_url: str) -> Practice:
    """All of them, as the shop's settings know them; notices go to `shop_url`."""
    notices = f"{shop_url}/payments/notices"
    return Practice(
        {
            "stripe": StripeSandbox(
                settings["STRIPE_KEY"], settings["STRIPE_WEBHOOK_SECRET"], f"{notices}/stripe"
            )
        }
    )
