"""Speaking: a letter is made from the same templates as a page, in its reader's language."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app

__all__ = ["link_to", "speaking"]


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """A request of the shop's own, in which templates are written in this language."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    base, query = str(app.config["BASE_URL"]) or None, {"lang": language}
    # A context of its own: what is kept for a request (the language, a session) is not the next's.
    with app.app_context(), app.test_request_context("/", base_url=base, query_string=query):
        yield


def link_to(path: str) -> str:
    """The address of a page for a letter, or nothing where the shop's own address is not set: what
    a request says of it may be a stranger's, and a letter outlives the request."""
    base = str(current_app.config["BASE_URL"])
    return f"{base}{path}" if base else ""
