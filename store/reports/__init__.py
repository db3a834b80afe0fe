"""Reports: what happened, read only, and always equal to the sales and refunds themselves."""

from .audit import differences
from .claimed import take_over
from .figures import Breakdown, Figures, Line, Report, breakdown, takings
from .filters import Filters, read
from .rollup import catch_up, rebuild
from .stock.flows import fold
from .stock.order_counts import count_orders

__all__ = [
    "Breakdown",
    "Figures",
    "Filters",
    "Line",
    "Report",
    "breakdown",
    "catch_up",
    "count_orders",
    "differences",
    "fold",
    "read",
    "rebuild",
    "take_over",
    "takings",
]
