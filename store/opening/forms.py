"""The settings that an owner sets on a page: in groups, each with its kind and its words. The
others are for who runs the machine."""

from __future__ import annotations

import re
from collections.abc import Callable
from zoneinfo import available_timezones

from babel.numbers import is_currency
from flask import request
from flask_babel import gettext

from .. import forms
from ..catalogue.figures import read_rate
from ..errors import Invalid
from . import rule_views as rules
from .fields import Field

__all__ = ["GROUPS", "ZONES", "words"]

ZONES = sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")

_URL = re.compile(r"(https?://[A-Za-z0-9.\-\[\]:]+/?)?")
_KEY = 20_000
"""Characters of the longest key: a private key and a chain of certificates."""


def _line(least: int, most: int) -> Callable[[str], str]:
    return lambda name: forms.text(name, least=least, most=most)


def _currency(name: str) -> str:
    text = forms.text(name, least=3, most=3).upper()
    if not is_currency(text):
        raise Invalid(f"{text} is not a currency code (ISO 4217)", field=name)
    return text


def _rate(name: str) -> str:
    text = forms.text(name, least=1, most=8)
    read_rate(text, name)
    return text.removesuffix("%").strip()


def _zone(name: str) -> str:
    text = forms.text(name, least=1, most=64)
    if text not in ZONES:
        raise Invalid(f"{text} is not a time zone like Asia/Shanghai", field=name)
    return text


def _country(name: str) -> str:
    text = forms.text(name, most=2).upper()
    if not re.fullmatch(r"([A-Z]{2})?", text, re.ASCII):
        raise Invalid("A country is two letters, such as CN", field=name)
    return text


def _url(name: str) -> str:
    text = forms.text(name, most=200)
    if not _URL.fullmatch(text):
        raise Invalid("An address is like https://shop.example", field=name)
    return text.rstrip("/")


def _sender(name: str) -> str:
    text = forms.text(name, most=200)
    if not re.fullmatch(r"([^\s@<>]+@[^\s@<>]+)?", text) or (not text and _names_a_server()):
        raise Invalid("A sender is an address like shop@shop.example", field=name)
    return text


def _names_a_server() -> bool:
    return bool(request.form.get("SMTP_HOST", "").strip())


def _time(name: str) -> str:
    text = forms.text(name, least=4, most=5)
    if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", text, re.ASCII):
        raise Invalid("A time of day is like 07:00", field=name)
    return text.zfill(5)


def _key(name: str) -> str | None:
    """A key may have lines. What is left empty stays as it is: it is not shown again."""
    text = request.form.get(name, "").replace("\r\n", "\n").strip()
    if len(text) > _KEY or any(
        (character < " " and character != "\n") or "\ud800" <= character <= "\udfff"
        for character in text
    ):
        raise Invalid("This is no key: something was lost when it was copied", field=name)
    return text or None


def _known(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name, "line", _line(0, 200)) for name in names)


def _secret(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name, "key", _key) for name in names)


GROUPS: dict[str, tuple[Field, ...]] = {
    "shop": (
        Field("SHOP_NAME", "line", _line(1, 60)),
        Field("SHOP_ADDRESS", "line", _line(0, 200)),
        Field("TAX_NUMBER", "line", _line(0, 40)),
        Field("CURRENCY", "short", _currency),
        Field("TAX_RATE", "short", _rate),
        Field("PRICES_INCLUDE_TAX", "flag", forms.flag),
        Field("TIME_ZONE", "zone", _zone),
        Field("COUNTRY", "short", _country),
        Field("LANGUAGE", "language", lambda name: forms.choice(name, ("en", "zh"))),
        Field("BASE_URL", "line", _url),
    ),
    "mail": (
        *_known("SMTP_HOST"),
        Field("SMTP_PORT", "short", lambda name: forms.whole(name, least=1, most=65535)),
        Field("SMTP_TLS", "tls", lambda name: forms.choice(name, ("starttls", "tls", "none"))),
        *_known("SMTP_USER"),
        *_secret("SMTP_PASSWORD"),
        Field("MAIL_FROM", "line", _sender),
        Field("DAILY_MAIL_AT", "short", _time),
    ),
    "stripe": _secret("STRIPE_KEY", "STRIPE_WEBHOOK_SECRET"),
    "alipay": _known("ALIPAY_APP_ID", "ALIPAY_SELLER_ID")
    + _secret("ALIPAY_KEY", "ALIPAY_PUBLIC_KEY"),
    "wechat": _known("WECHAT_APP_ID", "WECHAT_MERCHANT_ID", "WECHAT_SERIAL", "WECHAT_PUBLIC_KEY_ID")
    + _secret("WECHAT_KEY", "WECHAT_API_KEY", "WECHAT_PUBLIC_KEY", "WECHAT_APP_SECRET"),
    "paypal": _known("PAYPAL_CLIENT_ID", "PAYPAL_WEBHOOK_ID") + _secret("PAYPAL_SECRET"),
    "unionpay": _known("UNIONPAY_MERCHANT_ID") + _secret("UNIONPAY_KEY", "UNIONPAY_ISSUERS"),
    "bank": (
        *_known("BANK_ACCOUNT", "BANK_HOLDER", "BANK_NAME", "BANK_BIC"),
        Field("BANK_DAYS", "short", lambda name: forms.whole(name, least=1, most=60)),
    ),
    **rules.RULES,
}
"""The shop itself, its mail, the providers of payments by their names, and the house's rules."""


def words(name: str) -> tuple[str, str]:
    """What a setting is called, and a hint; the hint may be empty."""
    if any(field.name == name for group in rules.RULES.values() for field in group):
        return rules.words(name)
    return {
        "SHOP_NAME": (gettext("Name of the shop"), ""),
        "SHOP_ADDRESS": (gettext("Address"), gettext("On receipts; a ; begins a new line.")),
        "TAX_NUMBER": (gettext("Tax number"), gettext("On receipts. You may leave it empty.")),
        "CURRENCY": (gettext("Currency"), gettext("Three letters, such as CNY or EUR")),
        "TAX_RATE": (
            gettext("Usual tax rate in percent"),
            gettext("For items that name no other."),
        ),
        "PRICES_INCLUDE_TAX": (gettext("Prices are with tax"), ""),
        "TIME_ZONE": (gettext("Time zone"), gettext("Where the days of your reports begin.")),
        "COUNTRY": (
            gettext("Country"),
            gettext("Two letters, for phone numbers without a code. Empty: that of the time zone."),
        ),
        "LANGUAGE": (
            gettext("Language"),
            gettext("For visitors whose phones ask for neither of ours."),
        ),
        "BASE_URL": (
            gettext("Public address"),
            gettext(
                "It is printed on every label, so set it before you print: https://shop.example."
                " Empty: the address at which this page was opened."
            ),
        ),
        "SMTP_HOST": (gettext("Mail server"), "smtp.example.com"),
        "SMTP_PORT": (gettext("Port"), gettext("587 for starttls, 465 for tls")),
        "SMTP_TLS": (gettext("Encryption"), ""),
        "SMTP_USER": (gettext("User"), ""),
        "SMTP_PASSWORD": (gettext("Password"), ""),
        "DAILY_MAIL_AT": (gettext("The daily mail goes out at"), gettext("Like 07:00")),
        "MAIL_FROM": (gettext("Sender"), "shop@shop.example"),
        "STRIPE_KEY": (gettext("Secret key"), "sk_live_…"),
        "STRIPE_WEBHOOK_SECRET": (gettext("Signing secret of the webhook"), "whsec_…"),
        "ALIPAY_APP_ID": (gettext("App ID"), ""),
        "ALIPAY_SELLER_ID": (gettext("Merchant ID"), "2088…"),
        "ALIPAY_KEY": (gettext("Your private key"), "RSA2"),
        "ALIPAY_PUBLIC_KEY": (gettext("Public key of the provider"), ""),
        "WECHAT_APP_ID": (gettext("App ID"), "wx…"),
        "WECHAT_MERCHANT_ID": (gettext("Merchant ID"), ""),
        "WECHAT_SERIAL": (gettext("Serial number of your certificate"), ""),
        "WECHAT_PUBLIC_KEY_ID": (gettext("ID of the provider’s public key"), "PUB_KEY_ID_…"),
        "WECHAT_KEY": (gettext("Your private key"), "apiclient_key.pem"),
        "WECHAT_API_KEY": (gettext("APIv3 key"), gettext("32 characters")),
        "WECHAT_PUBLIC_KEY": (gettext("Public key of the provider"), "PEM"),
        "WECHAT_APP_SECRET": (gettext("Secret of the app"), gettext("For paying inside WeChat")),
        "BANK_ACCOUNT": (gettext("Account number or IBAN"), gettext("Empty: no bank transfers.")),
        "BANK_HOLDER": (gettext("Whose account that is"), gettext("Empty: the name of the shop.")),
        "BANK_NAME": (gettext("Name of the bank"), ""),
        "BANK_BIC": ("BIC", gettext("If transfers from abroad need it.")),
        "BANK_DAYS": (gettext("Goods are kept so many days"), ""),
        "PAYPAL_CLIENT_ID": (gettext("Client ID"), ""),
        "PAYPAL_WEBHOOK_ID": (gettext("ID of the webhook"), ""),
        "PAYPAL_SECRET": (gettext("Secret"), ""),
        "UNIONPAY_MERCHANT_ID": (gettext("Merchant ID"), "merId"),
        "UNIONPAY_KEY": (
            gettext("Your private key"),
            gettext("Key and certificate as PEM, one after the other"),
        ),
        "UNIONPAY_ISSUERS": (gettext("Certificates of the provider"), "PEM"),
    }[name]
