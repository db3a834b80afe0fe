"""Sales: the till, the only room where stock and money meet."""

from .checkout import (
    BoughtJustNow,
    Buy,
    ConfirmFirst,
    Line,
    PriceRose,
    Wishes,
    buy,
)
from .models import CHANNELS
from .receipts import Receipt, ReceiptLine, receipt, receipts
from .refunds import NotRefundable, give_back, refund

__all__ = [
    "CHANNELS",
    "BoughtJustNow",
    "Buy",
    "ConfirmFirst",
    "Line",
    "NotRefundable",
    "PriceRose",
    "Receipt",
    "ReceiptLine",
    "Wishes",
    "buy",
    "give_back",
    "receipt",
    "receipts",
    "refund",
]
