"""The API: the same verbs as JSON, under /api/v1, one file for each resource."""

from __future__ import annotations

from flask import Flask

from . import (
    changes,
    costs,
    feeds,
    health,
    items,
    kinds,
    locations,
    me,
    offline_sales,
    order_payments,
    orders,
    refunds,
    reports,
    returns,
    sellers,
    shipments,
    stock,
    webhooks,
)
from .resource import Document

__all__ = ["init_app"]

# Refunds are a part of the resource of sales, in a file of their own.
RESOURCES = (
    items, kinds, costs, stock, locations, me, refunds, offline_sales, orders, order_payments,
    shipments, returns, reports, sellers, feeds, changes, webhooks,
)  # fmt: skip


def init_app(app: Flask) -> None:
    """Register the API's resources, its OpenAPI document, and what watches over the shop."""
    document = Document(app)
    for resource in RESOURCES:
        document.register_blueprint(resource.resource)
    app.register_blueprint(health.blueprint)
