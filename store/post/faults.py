"""What can go wrong with the post. Neither tells anything of what a message said or to whom."""

from __future__ import annotations

from datetime import datetime

__all__ = ["NotNow", "PostFailed", "PostRefused"]


class NotNow(Exception):
    """What a letter's writer says: it is wanted, but not before this moment."""

    def __init__(self, until: datetime) -> None:
        super().__init__()
        self.until = until


class PostFailed(Exception):
    """It was not taken, and may be taken later."""


class PostRefused(Exception):
    """It will never be taken: there is no such address, or the provider does not want it."""
