"""Browsers without a screen on the open shop: their cookies, and the forms of its pages."""

from __future__ import annotations

import re

import requests

from tests.live import LiveServer
from tests.world import PASSWORD, Somebody

_FIELD = re.compile(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"')


class Tab:
    """A browser's tab on the open shop; tabs of one member share its cookies."""

    def __init__(self, server: LiveServer, cookies: dict[str, str] | None = None) -> None:
        self.url = server.url
        self.session = requests.Session()
        self.session.cookies.update(cookies or {})

    def get(self, path: str) -> str:
        return self.session.get(f"{self.url}{path}", timeout=60).text

    def post(self, path: str, form: dict[str, str]) -> requests.Response:
        return self.session.post(f"{self.url}{path}", form, timeout=60, allow_redirects=False)

    def form(self, path: str, action: str) -> dict[str, str]:
        """The fields of the form with this action, as the page has them."""
        page = self.get(path)
        found = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', page, re.S)
        assert found, page
        return dict(_FIELD.findall(found[0]))


def signed_in(server: LiveServer, member: Somebody) -> Tab:
    tab = Tab(server)
    fields = dict(_FIELD.findall(tab.get("/sign-in")))
    answer = tab.post("/sign-in", fields | {"identifier": member.email, "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return tab
