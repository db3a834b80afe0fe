"""Amounts as Stripe counts them."""

from __future__ import annotations

from ... import money
from ...errors import Invalid
from . import NoticeForeign

__all__ = ["THOUSANDTHS", "WHOLE", "charged", "ours"]

# Stripe counts in units of its own, whatever decimals a currency has by ISO 4217 or here:
# docs.stripe.com/currencies#zero-decimal, #three-decimal, #special-cases (ISK and UGX are counted
# in hundredths and charged in whole units). What is not named has two decimals.
WHOLE = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
THOUSANDTHS = frozenset("BHD JOD KWD OMR TND".split())


def charged(amount_minor: int, currency: str) -> int | None:
    """Our minor units in Stripe's; None where it takes no such amount: thousandths only in tens."""
    counted = _shifted(amount_minor, _decimals(currency) - money.decimals(currency))
    if counted is None or (currency in THOUSANDTHS and counted % 10):
        return None
    return counted


def ours(amount: int, currency: str) -> int:
    """Stripe's units in our minor units. Raises NoticeForeign for an amount that we cannot have
    asked for."""
    currency = currency.upper()
    try:
        minor = _shifted(amount, money.decimals(currency) - _decimals(currency))
    except Invalid as error:
        raise NoticeForeign("A currency that there is not") from error
    if minor is None:
        raise NoticeForeign("Another amount than was asked for")
    return minor


def _shifted(amount: int, places: int) -> int | None:
    """So many decimals more, or less where nothing is lost by it."""
    if places >= 0:
        return amount * int(10**places)
    whole, rest = divmod(amount, int(10**-places))
    return None if rest else whole


def _decimals(currency: str) -> int:
    return 0 if currency in WHOLE else 3 if currency in THOUSANDTHS else 2
