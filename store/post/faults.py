"""What can go wrong with the post. Neither tells anything of what a message said or to whom."""

from __future__ import annotations

__all__ = ["PostFailed", "PostRefused"]


class PostFailed(Exception):
    """It was not taken, and may be taken later."""


class PostRefused(Exception):
    """It will never be taken: there is no such address, or the provider does not want it."""
