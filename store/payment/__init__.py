"""Payment: the accounts, every transfer between them, and money on its way in."""

from .attempts import KeyReused
from .ledger import (
    Accounts,
    InsufficientFunds,
    Payment,
    RefundTooLarge,
    accounts,
    balance_expression,
    balance_of,
    charge,
    deposit,
    statement,
)
from .paybacks import refund

__all__ = [
    "Accounts",
    "InsufficientFunds",
    "KeyReused",
    "Payment",
    "RefundTooLarge",
    "accounts",
    "balance_expression",
    "balance_of",
    "charge",
    "deposit",
    "refund",
    "statement",
]
