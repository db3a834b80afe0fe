"""The practice providers of a shop: their keys, made from its own secret, and their server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ... import ids
from .alipay import AlipaySandbox, public_pem
from .serving import Practice
from .stripe import StripeSandbox

__all__ = ["practice", "settings_of"]


def settings_of(secret_key: str, url: str, folder: Path) -> dict[str, str]:
    """The settings with which the shop takes the practice server at `url` for its providers. Their
    RSA keys are made once and kept in the folder."""
    secret = ids.mac(secret_key.encode(), "practice", "stripe", length=32)
    return {
        "ALIPAY_APP_ID": "2021000000000001",
        "ALIPAY_SELLER_ID": "2088000000000001",
        "ALIPAY_KEY": _pem(_kept(folder / "shop-at-alipay.pem")),
        "ALIPAY_PUBLIC_KEY": public_pem(_kept(folder / "alipay.pem")),
        "ALIPAY_URL": f"{url}/alipay",
        "STRIPE_KEY": f"sk_test_{secret}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{secret}",
        "STRIPE_URL": f"{url}/stripe",
    }


def _kept(file: Path) -> rsa.RSAPrivateKey:
    """A private key, made when it is first asked for."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        file.touch(mode=0o600)
        file.write_text(_pem(made), "ascii")
    key = serialization.load_pem_private_key(file.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def _pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def practice(settings: Mapping[str, Any], shop_url: str, folder: Path) -> Practice:
    """All of them, as the shop's settings know them; notices go to `shop_url`."""
    notices = f"{shop_url}/payments/notices"
    return Practice(
        {
            "stripe": StripeSandbox(
                settings["STRIPE_KEY"], settings["STRIPE_WEBHOOK_SECRET"], f"{notices}/stripe"
            ),
            "alipay": AlipaySandbox(
                settings["ALIPAY_APP_ID"],
                settings["ALIPAY_SELLER_ID"],
                _kept(folder / "shop-at-alipay.pem").public_key(),
                _kept(folder / "alipay.pem"),
            ),
        }
    )
