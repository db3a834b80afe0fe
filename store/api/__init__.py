"""The API: the same verbs as JSON, under /api/v1, one file for each resource."""

from __future__ import annotations

from flask import Flask

__all__ = ["init_app"]


def init_app(app: Flask) -> None:
    """Register the API's resources."""
