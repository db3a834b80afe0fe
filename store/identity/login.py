"""Signing in: who the visitor is."""

from __future__ import annotations

from flask import Flask

__all__ = ["init_app"]


def init_app(app: Flask) -> None:
    """Attach Flask-Login."""
