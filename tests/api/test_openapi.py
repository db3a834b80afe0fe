"""The OpenAPI document is true: what it allows is understood, what it forbids is refused, and every
answer has the shape that it says. schemathesis makes the requests from the document itself."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis import checks as rules
from schemathesis.specs.openapi import checks as openapi_rules

from tests.api.conftest import MILK_GTIN, Shop
from tests.api.test_access import OPEN, routes

# A dozen requests for each operation, role and database are some thousand in all.
EXAMPLES = {GenerationMode.POSITIVE: 6, GenerationMode.NEGATIVE: 3}
RULES = [
    rules.not_a_server_error,
    openapi_rules.status_code_conformance,
    openapi_rules.content_type_conformance,
    openapi_rules.response_schema_conformance,
    openapi_rules.response_headers_conformance,
    openapi_rules.negative_data_rejection,
]


@pytest.fixture
def document(shop: Shop) -> dict[str, Any]:
    return dict(shop.client.get("/api/v1/openapi.json").get_json())


def test_it_is_openapi_3_1_and_names_every_route(app: Flask, document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    described = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations.keys() - {"parameters"}
    }
    plain = {(method, path.replace("<", "{").replace("path:", "").replace(">", "}"))
             for method, path in routes(app) - OPEN}  # fmt: skip
    assert described == {(method, f"/api/v1{path}") for method, path in plain}


def test_every_operation_says_who_may_and_what_goes_wrong(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            assert operation["summary"], path
            assert all(operation["security"]), path
            assert {"401", "403", "422", "429", "503"} <= operation["responses"].keys(), path
            header = [it for it in operation.get("parameters", []) if it["in"] == "header"]
            assert bool(header) == (method == "post"), path


def test_every_request_is_answered_as_the_document_says(shop: Shop) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", shop.app)
    found: list[Any] = list(schema.get_all_operations())
    operations = [result.ok() for result in found]
    assert len(operations) == 49
    shop.sales = [shop.sell().get_json()["id"], "0" * 20]
    statuses: set[int] = set()
    for operation, mode, who in itertools.product(operations, EXAMPLES, ("lin", "sam", "olga")):
        if mode in operation_modes(operation):
            ask(shop, operation, mode, who, statuses)
    # The door, the shelf and the refusals were all reached; nothing was only scraped at.
    assert {200, 201, 400, 402, 403, 404, 409, 422} <= statuses
    assert not [status for status in statuses if status >= 500]


def ask(shop: Shop, operation: Any, mode: GenerationMode, who: str, statuses: set[int]) -> None:
    @seed(7)
    @settings(
        max_examples=EXAMPLES[mode], deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode), chance=st.randoms())
    def one(case: Case, chance: random.Random) -> None:
        make_likely(case, shop, chance)
        headers = {"Authorization": f"Bearer {shop.tokens[who]}"}
        response = case.call(headers=headers)
        statuses.add(response.status_code)
        case.validate_response(response, checks=RULES, headers=headers)

    one()


def operation_modes(operation: Any) -> set[GenerationMode]:
    """What a route has no parameters for cannot be asked wrongly."""
    wrong = bool(operation.body or operation.query)
    return {GenerationMode.POSITIVE} | ({GenerationMode.NEGATIVE} if wrong else set())


def make_likely(case: Case, shop: Shop, chance: random.Random) -> None:
    """Random text is never an item: name real things now and then, so that requests get further.
    Only text is exchanged for other text, so that what was wrong stays wrong."""
    likely = chance.choice([True, True, False])
    if not likely:
        return
    for name, known in (("code", [MILK_GTIN, "BREAD-1"]), ("sale_id", shop.sales)):
        if name in case.path_parameters:
            case.path_parameters[name] = chance.choice(known)
    body: dict[str, Any] = case.body if isinstance(case.body, dict) else {}
    for name, value in (("location", "MAIN"), ("member", "lin@example.com")):
        if isinstance(body.get(name), str) and body[name]:
            body[name] = value
    paid = body.get("payment")
    if isinstance(paid, dict) and paid.get("method") in ("cash", "card"):
        paid["method"] = "account"
    for line in body["lines"] if isinstance(body.get("lines"), list) else []:
        if isinstance(line, dict) and isinstance(line.get("item"), str) and line["item"]:
            line["item"] = MILK_GTIN
            if isinstance(line.get("price"), str) and line["price"][:1].isdigit():
                line["price"] = "99"
            if type(line.get("quantity")) is int and line["quantity"] > 1:
                line["quantity"] = 1
