"""Sales: the till, the only room where stock and money meet."""

from .ages.ages import AgeNotChecked
from .buying import AccountSuffices, BoughtJustNow, Buy, ConfirmFirst, Line, PriceRose, Wishes
from .checkout import buy
from .limits import ConfirmationNeeded
from .models import CHANNELS, FULFILMENTS, MEANS, STANDING
from .orders.ordering import Order
from .orders.orders import order
from .receipts.receipts import (
    Receipt,
    ReceiptLine,
    buyer_of,
    hold,
    receipt,
    receipts,
)
from .refunds.corrections import (
    Corrected,
    Correction,
    correct,
    earlier,
    paid_back,
    preview,
)
from .refunds.refunds import (
    NotRefundable,
    NotSoManyLeft,
    OnItsWay,
    Part,
    give_back,
    refund,
)
from .till.offline import (
    Charged,
    ClockWrong,
    OfflineSale,
    take_in,
)

__all__ = [
    "CHANNELS",
    "FULFILMENTS",
    "MEANS",
    "STANDING",
    "AccountSuffices",
    "AgeNotChecked",
    "BoughtJustNow",
    "Buy",
    "Charged",
    "ClockWrong",
    "ConfirmFirst",
    "ConfirmationNeeded",
    "Corrected",
    "Correction",
    "Line",
    "NotRefundable",
    "NotSoManyLeft",
    "OfflineSale",
    "OnItsWay",
    "Order",
    "Part",
    "PriceRose",
    "Receipt",
    "ReceiptLine",
    "Wishes",
    "buy",
    "buyer_of",
    "correct",
    "earlier",
    "give_back",
    "hold",
    "order",
    "paid_back",
    "preview",
    "receipt",
    "receipts",
    "refund",
    "take_in",
]
