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
from .models import CHANNELS, STANDING
from .receipts import Receipt, ReceiptLine, hold, receipt, receipts
from .refunds import NotRefundable, NotSoManyLeft, Part, give_back, refund

__all__ = [
    "CHANNELS",
    "STANDING",
    "BoughtJustNow",
    "Buy",
    "ConfirmFirst",
    "Line",
    "NotRefundable",
    "NotSoManyLeft",
    "Part",
    "PriceRose",
    "Receipt",
    "ReceiptLine",
    "Wishes",
    "buy",
    "give_back",
    "hold",
    "receipt",
    "receipts",
    "refund",
]
