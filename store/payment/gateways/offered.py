"""Which gateways this shop has, by its settings, and which of them a shopper is offered."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ...money import parse
from . import Gateway
from .alipay import Alipay
from .bank import NAME, Bank
from .paypal import PayPal
from .simulated import Simulated
from .stripe import Stripe
from .stripe_units import charged
from .unionpay import UnionPay
from .wechat import WeChat

__all__ = ["INSIDE", "codes", "inside_wechat", "least_by_transfer", "offered", "set_up"]

WECHAT = "MicroMessenger"
INSIDE = {WECHAT: "wechat", "AlipayClient": "alipay"}
"""Inside these apps, known by their user agent, only their own way of paying works; inside WeChat
that one asks for the shopper's openid."""
WITH_CODE = ("alipay", "wechat", "unionpay")
"""Those that show a code for a phone to scan."""
CURRENCIES = {
    "alipay": {"CNY"},
    "wechat": {"CNY"},
    "unionpay": {"CNY"},
    # developer.paypal.com/api/rest/reference/currency-codes, without those whose decimals PayPal
    # counts otherwise than ISO 4217; CNY is for PayPal accounts in China only.
    "paypal": {"AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "ILS", "JPY",
               "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "USD"},
}  # fmt: skip

# Stripe's smallest charges, in minor units; docs.stripe.com/currencies#minimum-and-maximum.
STRIPE_LEAST = {"USD": 50, "EUR": 50, "GBP": 30, "CNY": 400, "HKD": 400, "JPY": 50, "SGD": 50}


def set_up(settings: Mapping[str, Any]) -> dict[str, Gateway]:
    """Every gateway whose settings are there, by name."""
    found: list[Gateway] = []
    if settings["SIMULATED_GATEWAY"]:
        found.append(Simulated(str(settings["SECRET_KEY"]).encode()))
    if settings["STRIPE_KEY"]:
        live = "_live_" in settings["STRIPE_KEY"]
        words = ("KEY", "WEBHOOK_SECRET", "URL")
        found.append(_stripe(*(settings[f"STRIPE_{word}"] for word in words), live))
    if settings["ALIPAY_APP_ID"]:
        fields = ("APP_ID", "SELLER_ID", "KEY", "PUBLIC_KEY", "URL")
        found.append(_alipay(*(settings[f"ALIPAY_{field}"] for field in fields)))
    if settings["WECHAT_MERCHANT_ID"]:
        wechat = "APP_ID MERCHANT_ID KEY SERIAL API_KEY PUBLIC_KEY PUBLIC_KEY_ID URL"
        found.append(_wechat(*(settings[f"WECHAT_{field}"] for field in wechat.split())))
    if settings["PAYPAL_CLIENT_ID"]:
        paypal = "CLIENT_ID SECRET WEBHOOK_ID URL"
        found.append(_paypal(*(settings[f"PAYPAL_{field}"] for field in paypal.split())))
    if settings["UNIONPAY_MERCHANT_ID"]:
        unionpay = "MERCHANT_ID KEY ISSUERS URL"
        found.append(_unionpay(*(settings[f"UNIONPAY_{field}"] for field in unionpay.split())))
    if settings["BANK_ACCOUNT"]:
        holder = settings["BANK_HOLDER"] or settings["SHOP_NAME"]
        told = ("BANK_ACCOUNT", "BANK_NAME", "BANK_BIC", "CURRENCY")
        found.append(Bank(holder, *(str(settings[field]) for field in told)))
    return {gateway.name: gateway for gateway in found}


# The SDK's client is dear to make and holds the connections.
_stripe = lru_cache(maxsize=4)(Stripe)
_alipay = lru_cache(maxsize=4)(Alipay)
_wechat = lru_cache(maxsize=4)(WeChat)
_paypal = lru_cache(maxsize=4)(PayPal)
_unionpay = lru_cache(maxsize=4)(UnionPay)


def offered(
    settings: Mapping[str, Any], *, amount_minor: int, currency: str, agent: str = "",
    channel: str = "shelf", payer: str = "",
) -> list[Gateway]:  # fmt: skip
    """Those with which so much can be paid from a browser of this kind; what takes days only for
    orders of the web. `payer` is the openid of who pays inside WeChat."""
    inside = {name for mark, name in INSIDE.items() if mark in agent}
    return [
        gateway
        for gateway in set_up(settings).values()
        if (not inside or gateway.name in (*inside, NAME))
        and (payer or gateway.name != "wechat" or not inside_wechat(agent))
        and (gateway.name != NAME or _by_transfer(settings, amount_minor, currency, channel))
        and (gateway.name != "stripe" or _stripe_takes(amount_minor, currency))
        and currency in CURRENCIES.get(gateway.name, {currency})
    ]


def inside_wechat(agent: str) -> bool:
    return WECHAT in agent


def _stripe_takes(amount_minor: int, currency: str) -> bool:
    least = STRIPE_LEAST.get(currency, 100)
    return amount_minor >= least and charged(amount_minor, currency) is not None


def _by_transfer(settings: Mapping[str, Any], minor: int, currency: str, channel: str) -> bool:
    """A transfer takes a bank's day, and somebody's look at the statement."""
    own = channel == "web" and currency == settings["CURRENCY"]
    return own and minor >= least_by_transfer(settings, currency)


def least_by_transfer(settings: Mapping[str, Any], currency: str) -> int:
    """The smallest amount that is paid by bank transfer."""
    return max(1, parse(str(settings["BANK_FROM"]), currency))


def codes(settings: Mapping[str, Any], *, amount_minor: int, currency: str) -> list[Gateway]:
    """Those with which so much can be paid by a code on the till's screen."""
    found = offered(settings, amount_minor=amount_minor, currency=currency)
    return [one for one in found if one.name in WITH_CODE and amount_minor > 0]
