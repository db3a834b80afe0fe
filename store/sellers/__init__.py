"""Sellers: whose goods we sell beside our own, on which terms, and when they get what is theirs."""

from .contracts import Agreed, add, begin
from .settling import settle

__all__ = ["Agreed", "add", "begin", "settle"]
