"""Door: the pass that a paid sale shows at the exit, its one use, and the spot checks before it."""

from .checks import CheckFirst, PassElsewhere, PassOld, PassRefunded, PassUsed, check, look
from .passes import PassInvalid, PassRefused, PassStale
from .uses import Check, used

__all__ = [
    "Check",
    "CheckFirst",
    "PassElsewhere",
    "PassInvalid",
    "PassOld",
    "PassRefunded",
    "PassRefused",
    "PassStale",
    "PassUsed",
    "check",
    "look",
    "used",
]
