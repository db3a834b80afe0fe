"""Refusals: every "no" of the shop is one of these, with a code that never changes."""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = ["Forbidden", "Invalid", "NotFound", "Refusal", "TooMany", "Unavailable"]


class Refusal(Exception):
    """The shop says no, nothing was changed, and the caller learns what to do next.

    `code` is permanent: clients are written against it. `status` is the HTTP status. `data` holds
    what a caller needs to go on (the new price, how many are left) and must be JSON. `message` is
    English for logs and the API; pages show `templates/refusals.html`, chosen by the code.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Refused"

    def __init__(self, message: str = "", **data: Any) -> None:
        super().__init__(message or self.title)
        self.message = message or self.title
        self.data = data


class Invalid(Refusal):
    """What was sent cannot be read. `field` names the place, `message` the fault."""

    code = "invalid"
    status = 422
    title = "This cannot be read"

    def __init__(self, message: str = "", *, field: str = "", **data: Any) -> None:
        if field:
            data["field"] = field
        super().__init__(message, **data)
        self.field = field


class NotFound(Refusal):
    """Not there, or not yours: the two look the same from outside."""

    code = "not_found"
    status = 404
    title = "Nothing is here"


class Forbidden(Refusal):
    code = "forbidden"
    status = 403
    title = "This needs a permission that you do not have"


class TooMany(Refusal):
    """A limit was reached; `retry_after_s` says when to come back."""

    code = "too_many"
    status = 429
    title = "Too many tries"

    def __init__(self, message: str = "", *, retry_after_s: int, **data: Any) -> None:
        super().__init__(message, retry_after_s=retry_after_s, **data)
        self.retry_after_s = retry_after_s


class Unavailable(Refusal):
    """The shop cannot answer now (disk full, database away). Nothing is known to be lost."""

    code = "unavailable"
    status = 503
    title = "The shop cannot answer just now"
