"""docs/api.md is true: its examples run, and it lists every code that a refusal can have."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import store
from store import web
from store.errors import Refusal
from store.identity import SCOPES
from tests.api.conftest import Shop
from tests.live import LiveServer

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```sh\n(.+?)^# (\d+)\n```", PAGE, re.MULTILINE | re.DOTALL)
# These are made by the web tool of what the library raises.
OF_HTTP = {"bad_request": 400, "failed": 500, "method_not_allowed": 405, "too_large": 413}


def every_refusal(kind: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    yield kind
    for each in kind.__subclasses__():
        yield from every_refusal(each)


def test_every_code_is_listed_with_its_status() -> None:
    for module in pkgutil.walk_packages(store.__path__, "store."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)
    codes = {
        (refusal.code, refusal.status)
        for refusal in every_refusal()
        if refusal.__module__.startswith("store.")
    }
    listed = {(code, int(status)) for code, status in re.findall(r"^\| `(\w+)` \| (\d+) \|", PAGE,
                                                                 re.MULTILINE)}  # fmt: skip
    assert codes - listed == set(), "docs/api.md lacks these codes"
    assert listed - codes == set(OF_HTTP.items())


def test_every_scope_is_listed() -> None:
    assert set(re.findall(r"^\| `([\w:]+)` \| [a-z]", PAGE, re.MULTILINE)) == set(SCOPES)


def test_problem_types_are_codes(shop: Shop) -> None:
    with shop.app.app_context():
        problem = web.problem(409, "out_of_stock", "T", "D").get_json(force=True)
    assert problem["type"] == "urn:oneshelf:problem:out_of_stock"


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples need curl")
def test_every_example_runs(
    shop: Shop, live_server: Callable[..., LiveServer], tmp_path: Path
) -> None:
    server = live_server(WORKERS=1)
    (tmp_path / ".curlrc").write_text('silent\nmax-time = 30\nwrite-out = "\\n%{http_code}"\n')
    assert len(EXAMPLES) > 10
    environment = os.environ | {
        "CURL_HOME": str(tmp_path), "SHOP": server.url, "TOKEN": shop.tokens["lin"],
        "TILL": shop.tokens["sam"], "OWNER": shop.tokens["olga"],
        "SALE": shop.sell(3).get_json()["id"], "no_proxy": "*",
    }  # fmt: skip
    for example, status in EXAMPLES:
        done = subprocess.run(
            ["bash", "-euc", example], env=environment, capture_output=True, text=True, timeout=60
        )
        body, _, said = done.stdout.rpartition("\n")
        assert (done.returncode, said) == (0, status), (example, body, done.stderr)
