"""Which gateways this shop has, by its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import Gateway
from .simulated import Simulated

__all__ = ["set_up"]


def set_up(settings: Mapping[str, Any]) -> dict[str, Gateway]:
    """Every gateway whose settings are there, by name."""
    found: list[Gateway] = []
    if settings["SIMULATED_GATEWAY"]:
        found.append(Simulated(str(settings["SECRET_KEY"]).encode()))
    return {gateway.name: gateway for gateway in found}
