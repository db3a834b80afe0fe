"""Small forms are read by a shorter way than the library's; it reads them alike."""

from __future__ import annotations

from io import BytesIO

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Request

from store.visits import Visit

FORM = "application/x-www-form-urlencoded"
PIECES = st.sampled_from(
    [b"a", b"=", b"&", b"%", b"%00", b"%41", b"%ff", b"\xff", b"+", b";", b"\xe7\x89\x9b",
     b"%E7%89", b" ", b"a=1&" * 2000, b"csrf=x", b"=&=&"]
)  # fmt: skip


def environ(body: bytes, kind: str = FORM, length: str | None = None) -> dict[str, object]:
    return {
        "REQUEST_METHOD": "POST", "wsgi.input": BytesIO(body), "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body)) if length is None else length, "PATH_INFO": "/",
        "QUERY_STRING": "", "SERVER_NAME": "x", "SERVER_PORT": "80", "wsgi.url_scheme": "http",
    }  # fmt: skip


@hypothesis_settings(
    deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(pieces=st.lists(PIECES, max_size=8))
def test_a_form_is_read_as_the_library_reads_it(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    with Flask("any").app_context():
        ours, theirs = Visit(environ(body)), Request(environ(body))
        assert list(ours.form.items(multi=True)) == list(theirs.form.items(multi=True))
        assert not ours.files and ours.stream.read() == b""


@pytest.mark.parametrize(
    "kind", ["text/plain", f"{FORM}; charset=utf-8", "", "multipart/form-data"]
)
@pytest.mark.parametrize("length", ["3", "", "-1", "x", "٣"])
def test_anything_else_goes_the_librarys_way(kind: str, length: str) -> None:
    with Flask("any").app_context():
        ours, theirs = (kind_of(environ(b"a=1", kind, length)) for kind_of in (Visit, Request))
        assert list(ours.form.items(multi=True)) == list(theirs.form.items(multi=True))


def test_a_form_that_was_cut_off_is_not_half_read() -> None:
    with Flask("any").app_context(), pytest.raises(ClientDisconnected):
        _ = Visit(environ(b"quantity=1", length="11")).form
