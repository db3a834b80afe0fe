"""Door: the pass that a paid sale shows at the exit, and its one use."""

from .checks import Check, PassElsewhere, PassOld, PassRefunded, PassUsed, check, look, used
from .passes import PassInvalid, PassRefused, PassStale

__all__ = [
    "Check",
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
