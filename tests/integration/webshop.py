"""A stand-in for a WooCommerce shop: the documented shapes of its REST API v3, as far as the
connector goes: keys, pages and their headers, batches of at most 100, errors in its own words."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY, SECRET = "ck_0123456789abcdef", "cs_fedcba9876543210"


class WebShop:
    def __init__(self) -> None:
        self.products: dict[int, dict[str, Any]] = {}
        self.orders: list[dict[str, Any]] = []
        self.batches: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.fail_with: list[int] = []
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shop.answer(self, None)

            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                shop.answer(self, json.loads(self.rfile.read(size)))

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, handler: BaseHTTPRequestHandler, body: Any) -> None:
        parts = urlsplit(handler.path)
        self.asked.append(handler.path)
        keys = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
        headers: dict[str, str] = {}
        if handler.headers["Authorization"] != f"Basic {keys}":
            said: Any = error(
                401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources."
            )
        elif self.fail_with:
            said = error(self.fail_with.pop(0), "internal_server_error", "A fault of the web shop.")
        elif parts.path == "/wp-json/wc/v3/orders":
            said, headers = self._orders(parse_qs(parts.query))
        elif parts.path == "/wp-json/wc/v3/products/batch":
            said = self._batch(body)
        else:
            said = error(404, "rest_no_route", "No route was found matching the URL.")
        text = json.dumps(said).encode()
        status = said["data"]["status"] if isinstance(said, dict) and "code" in said else 200
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(text)

    def _orders(self, query: dict[str, list[str]]) -> tuple[Any, dict[str, str]]:
        since = query.get("modified_after", [""])[0]
        size, page = int(query["per_page"][0]), int(query["page"][0])
        if size > 100:
            return error(400, "rest_invalid_param", "Invalid parameter(s): per_page"), {}
        found = [order for order in self.orders if order["date_modified_gmt"] > since]
        pages = (len(found) + size - 1) // size
        headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)}
        return found[(page - 1) * size : page * size], headers

    def _batch(self, body: dict[str, Any]) -> Any:
        if sum(len(part) for part in body.values()) > 100:
            code = "woocommerce_rest_request_entity_too_large"
            return error(413, code, "Unable to accept more than 100 items for this request.")
        self.batches.append(body)
        made = [self._create(told) for told in body.get("create", [])]
        return {"create": made, "update": [self._update(told) for told in body.get("update", [])]}

    def _create(self, told: dict[str, Any]) -> dict[str, Any]:
        same = [at for at, product in self.products.items() if product["sku"] == told["sku"]]
        if same:
            fault = error(400, "product_invalid_sku", "Invalid or duplicated SKU.")
            fault["data"]["resource_id"] = same[0]
            return {"id": 0, "error": fault}
        number = 100 + len(self.products)
        self.products[number] = told | {"id": number}
        return self.products[number]

    def _update(self, told: dict[str, Any]) -> dict[str, Any]:
        if told["id"] not in self.products:
            fault = error(400, "woocommerce_rest_product_invalid_id", "Invalid ID.")
            return {"id": told["id"], "error": fault}
        self.products[told["id"]] |= told
        return self.products[told["id"]]

    def order(self, number: int, at: str, status: str, *lines: tuple[str, int]) -> dict[str, Any]:
        made = {
            "id": number, "status": status, "date_created_gmt": at, "date_modified_gmt": at,
            "line_items": [
                {"id": number * 10 + place, "sku": sku, "product_id": 0, "variation_id": 0,
                 "quantity": quantity}
                for place, (sku, quantity) in enumerate(lines)
            ],
        }  # fmt: skip
        self.orders.append(made)
        return made

    def stock(self, sku: str) -> int:
        return int(next(p["stock_quantity"] for p in self.products.values() if p["sku"] == sku))


def error(status: int, code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "data": {"status": status}}


@contextmanager
def open_webshop() -> Iterator[WebShop]:
    shop = WebShop()
    thread = threading.Thread(target=shop.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield shop
    shop.server.shutdown()
    shop.server.server_close()
