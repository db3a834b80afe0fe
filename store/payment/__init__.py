"""Payment: the accounts, every transfer between them, and money on its way in."""

from .attempts import KeyReused
from .charges import RefundTooLarge
from .empties import pay_empties
from .ledger import (
    Accounts,
    InsufficientFunds,
    Payment,
    accounts,
    balance_expression,
    balance_of,
    charge,
    deposit,
    forfeit,
    lock_accounts,
    lock_all_accounts,
)
from .paybacks import refund
from .rounding import Rounded, book_rounding
from .statements import statement

__all__ = [
    "Accounts",
    "InsufficientFunds",
    "KeyReused",
    "Payment",
    "RefundTooLarge",
    "Rounded",
    "accounts",
    "balance_expression",
    "balance_of",
    "book_rounding",
    "charge",
    "deposit",
    "forfeit",
    "lock_accounts",
    "lock_all_accounts",
    "pay_empties",
    "refund",
    "statement",
]
