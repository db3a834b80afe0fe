"""SMS: one POST to whatever provider the shop has, as its settings say.

The body is a template with {to} (+8613800138000), {number} (without the +), {text} and {code}; it
is JSON where it begins with a brace, else a form. docs/shopkeepers.md shows it for some providers.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from urllib.parse import quote_plus

import requests

from .faults import PostFailed, PostRefused

__all__ = ["HttpSms", "Sms"]

CONNECT_S = 4.0
ANSWER_S = 8.0
_PLACES = re.compile(r"\{(to|number|text|code)\}")


@dataclass(frozen=True)
class Sms:
    """A short message to one phone. `code` is the code in it, for providers that have the words."""

    to: str
    text: str
    code: str = ""


@dataclass(frozen=True)
class HttpSms:
    url: str
    body: str
    headers: str
    """`Name: value`, several with | between them."""

    def carry(self, sms: Sms, letter_id: str) -> None:
        """Raises PostFailed where it may be tried again, PostRefused where that is of no use."""
        try:
            with requests.post(
                self.url, data=self.filled(sms), headers=self.all_headers(letter_id),
                timeout=(CONNECT_S, ANSWER_S), allow_redirects=False, stream=True,
            ) as answer:  # fmt: skip
                status = answer.status_code
        except (requests.RequestException, ValueError) as error:
            raise PostFailed(f"The SMS provider: {type(error).__name__}") from error
        if 200 <= status < 300:
            return
        if 400 <= status < 500 and status not in (401, 403, 408, 429):
            raise PostRefused(f"The SMS provider said {status}")
        raise PostFailed(f"The SMS provider said {status}")

    def filled(self, sms: Sms) -> bytes:
        """The body with the message in it. What is filled in cannot add a field of its own."""
        values = {"to": sms.to, "number": sms.to.lstrip("+"), "text": sms.text, "code": sms.code}
        escaped = _in_json if self._is_json else quote_plus
        return _PLACES.sub(lambda found: escaped(values[found[1]]), self.body).encode()

    def all_headers(self, letter_id: str) -> dict[str, str]:
        kind = "application/json" if self._is_json else "application/x-www-form-urlencoded"
        # Providers that know the header send a message that is asked for twice once.
        headers = {"Content-Type": kind, "Idempotency-Key": letter_id}
        for line in filter(None, (part.strip() for part in self.headers.split("|"))):
            name, _, value = line.partition(":")
            headers[name.strip()] = value.strip()
        return headers

    @property
    def _is_json(self) -> bool:
        return self.body.lstrip()[:1] in ("{", "[") and not _PLACES.match(self.body.lstrip())


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]
