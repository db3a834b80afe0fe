"""Bank: transfers to the shop's own account, as the bank's statement files tell of them. Every one
that came in is in the ledger, whether we know what it is for or not."""

from .matching import work

__all__ = ["work"]
