"""Files under static/: packed for who can unpack, kept for a year, never mixed up."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

CSS = "/static/css/parts.css"
ON_DISK = Path(__file__).parent.parent / "static/css/parts.css"
GZIP = {"Accept-Encoding": "gzip, deflate, br, zstd"}
YEAR = "public, max-age=31536000, immutable"

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def address(client: FlaskClient, name: str) -> str:
    found = re.search(rf'"(/static/{name}\?v=[0-9a-f]+)"', client.get("/sign-in").text)
    assert found
    return found[1]


def test_a_style_sheet_is_packed_and_unpacks_to_the_file(client: FlaskClient) -> None:
    answer = client.get(CSS, headers=GZIP)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.mimetype == "text/css"
    assert "Accept-Encoding" in answer.vary
    assert gzip.decompress(answer.data) == ON_DISK.read_bytes()
    assert len(answer.data) < ON_DISK.stat().st_size / 2
    assert int(answer.headers["Content-Length"]) == len(answer.data)


@pytest.mark.parametrize("accepts", [None, "", "identity", "br", "gzip;q=0"])
def test_who_cannot_unpack_gets_the_file_as_it_is(client: FlaskClient, accepts: str | None) -> None:
    answer = client.get(CSS, headers={} if accepts is None else {"Accept-Encoding": accepts})
    assert "Content-Encoding" not in answer.headers
    assert "Accept-Encoding" in answer.vary, "a cache between would give it to anybody"
    assert answer.data == ON_DISK.read_bytes()


def test_a_browser_keeps_for_a_year_what_its_page_names(client: FlaskClient) -> None:
    for name in ("css/parts.css", "icons/mark.svg", "icons/touch.png"):
        for headers in ({}, GZIP):
            answer = client.get(address(client, name), headers=headers)
            assert answer.headers["Cache-Control"] == YEAR, name


@pytest.mark.parametrize("query", ["", "?v=", "?v=0123456789", "?v=%00"])
def test_an_address_of_other_contents_is_asked_for_each_time(
    client: FlaskClient, query: str
) -> None:
    """As from a machine that has the next version already."""
    answer = client.get(CSS + query)
    assert answer.headers.get("Cache-Control") != YEAR


@pytest.mark.parametrize("headers", [{}, GZIP])
def test_what_has_not_changed_is_not_sent_again(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    first = client.get(CSS, headers=headers)
    again = client.get(CSS, headers={**headers, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    other = client.get(CSS, headers=GZIP if not headers else {})
    assert other.headers["ETag"] != first.headers["ETag"]


def test_heads_missing_files_and_ways_out_of_the_folder(client: FlaskClient) -> None:
    head = client.head(CSS, headers=GZIP)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Encoding"] == "gzip"
    for name in ("css/none.css", "css", "../store/web.py", "%2e%2e/wsgi.py"):
        assert client.get(f"/static/{name}", headers=GZIP).status_code == 404, name
    missing = client.get("/static/css/none.css?v=0123456789")
    assert missing.headers["Cache-Control"] == "private, no-cache", "nobody keeps that for a year"


def test_pictures_are_sent_as_they_are_and_pages_are_never_packed(client: FlaskClient) -> None:
    for path in ("/static/icons/touch.png", "/sign-in"):
        assert "Content-Encoding" not in client.get(path, headers=GZIP).headers
