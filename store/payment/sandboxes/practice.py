"""The practice providers of a shop: their keys, made from its own secret, and their server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ... import ids
from .alipay import AlipaySandbox, public_pem
from .paypal import App, PayPalSandbox
from .serving import Practice
from .stripe import StripeSandbox
from .unionpay import Authority, UnionPaySandbox
from .wechat import Merchant, WeChatSandbox

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
        "PAYPAL_CLIENT_ID": "practice-app",
        "PAYPAL_SECRET": ids.mac(secret_key.encode(), "practice", "paypal", length=32),
        "PAYPAL_WEBHOOK_ID": "8PT597110X687430L",
        "PAYPAL_URL": f"{url}/paypal",
        "STRIPE_KEY": f"sk_test_{secret}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{secret}",
        "STRIPE_URL": f"{url}/stripe",
        "UNIONPAY_MERCHANT_ID": "777290058110048",
        "UNIONPAY_KEY": _pem(_kept(folder / "shop-at-unionpay.pem")) + _merchant(folder),
        "UNIONPAY_ISSUERS": _authority(folder).certificate,
        "UNIONPAY_URL": f"{url}/unionpay",
        "WECHAT_APP_ID": "wx0000000000000001",
        "WECHAT_APP_SECRET": ids.mac(secret_key.encode(), "practice", "wechat app", length=32),
        "WECHAT_LOGIN_URL": f"{url}/wechat",
        "WECHAT_MERCHANT_ID": "1900000001",
        "WECHAT_KEY": _pem(_kept(folder / "shop-at-wechat.pem")),
        "WECHAT_SERIAL": "444F4864EA9B34415A1B2C3D4E5F60718293A4B5",
        "WECHAT_API_KEY": ids.mac(secret_key.encode(), "practice", "wechat", length=32),
        "WECHAT_PUBLIC_KEY": public_pem(_kept(folder / "wechat.pem")),
        "WECHAT_PUBLIC_KEY_ID": "PUB_KEY_ID_0119000000012027010100000001",
        "WECHAT_URL": f"{url}/wechat",
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
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _authority(folder: Path) -> Authority:
    """Who certifies the merchants of the practice UnionPay, and itself."""
    return Authority(_kept(folder / "unionpay-authority.pem"))


def _merchant(folder: Path) -> str:
    """The shop's certificate at the practice UnionPay."""
    key = _kept(folder / "shop-at-unionpay.pem").public_key()
    return _authority(folder).certifies(
        key, "041@8777290058110048@Practice shop@00000002", 69042905377
    )


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
            "paypal": PayPalSandbox(
                App(
                    settings["PAYPAL_CLIENT_ID"],
                    settings["PAYPAL_SECRET"],
                    settings["PAYPAL_WEBHOOK_ID"],
                    f"{notices}/paypal",
                ),
                _kept(folder / "paypal.pem"),
            ),
            "unionpay": UnionPaySandbox(
                settings["UNIONPAY_MERCHANT_ID"],
                x509.load_pem_x509_certificate(_merchant(folder).encode()),
                _kept(folder / "unionpay.pem"),
                _authority(folder),
            ),
            "wechat": WeChatSandbox(
                Merchant(
                    settings["WECHAT_APP_ID"],
                    settings["WECHAT_MERCHANT_ID"],
                    settings["WECHAT_SERIAL"],
                    settings["WECHAT_API_KEY"],
                    _kept(folder / "shop-at-wechat.pem").public_key(),
                    settings["WECHAT_APP_SECRET"],
                ),
                _kept(folder / "wechat.pem"),
                settings["WECHAT_PUBLIC_KEY_ID"],
            ),
        }
    )
