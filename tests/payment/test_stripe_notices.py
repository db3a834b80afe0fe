"""Signatures of Stripe: the vectors of its own SDKs verify or are refused as they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from store.payment.gateways import NoticeForged
from store.payment.gateways.stripe import signature, verify

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "webhooks" / "stripe.json"


def given() -> dict[str, Any]:
    if not FILE.exists():
        pytest.skip("no ../shared/data beside this clone")
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return found


def test_every_vector() -> None:
    vectors = given()["vectors"]
    assert len(vectors) > 10
    for one in vectors:
        said = (one["payload"].encode(), one["header"], one["secret"])
        options = {"now_s": one["now"], "tolerance_s": one["tolerance_s"]}
        if one["valid"]:
            verify(*said, **options)
        else:
            with pytest.raises(NoticeForged):
                verify(*said, **options)


def test_our_own_signatures_are_the_providers() -> None:
    for one in given()["vectors"]:
        if one["name"] in ("valid", "valid node payload", "within tolerance"):
            body = one["payload"].encode()
            assert signature(body, one["secret"], one["now"]) == one["header"]
