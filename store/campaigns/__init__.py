"""Campaigns: what the shop tells which members, with their consent, and whether it helped."""

from .turns import work

__all__ = ["work"]
