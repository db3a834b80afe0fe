"""Answers: how they leave the shop."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from flask import Response
from werkzeug.datastructures import Headers

__all__ = ["Answer", "add_headers", "names_of", "see_other"]

_PLAIN_PATH = re.compile(r"/[\w/.-]*\Z", re.ASCII)


class Answer(Response):
    """An answer. One that is ready, with nothing in it for the library to mend, goes out as it is:
    copying and looking through its headers took as long as making the page."""

    def get_wsgi_response(self, environ: Any) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        if (
            self.status_code in (200, 303)
            and environ["REQUEST_METHOD"] != "HEAD"
            and isinstance(self.response, list)
            and all(type(part) is bytes for part in self.response)
            and not self._on_close
        ):
            headers = self.headers.to_wsgi_list()
            sent = {name.lower(): value for name, value in headers}
            plain = "location" not in sent or _PLAIN_PATH.match(sent["location"])
            if plain and "content-length" in sent and "content-location" not in sent:
                return self.response, self.status, headers
        return super().get_wsgi_response(environ)


def see_other(path: str) -> Answer:
    """The answer to a form that was done: look there now. `path` is a path of the shop."""
    return Answer(b"", 303, [("Location", path), ("Content-Type", "text/html; charset=utf-8")])


def names_of(headers: Headers) -> set[str]:
    """The names of the headers that are there, in lower case; asking for each takes longer."""
    return {name.lower() for name, _ in headers}


def add_headers(headers: Headers, fixed: Iterable[tuple[str, str]]) -> None:
    """Add headers of our own. Every answer carries a dozen, and the library would look through
    each of them for line ends again: values that a visitor had a say in must not come this way."""
    headers._list.extend(fixed)
