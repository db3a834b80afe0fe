"""Browsers and people for the tests of identity."""

from __future__ import annotations

import re
from collections.abc import Callable
from http.cookies import SimpleCookie

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from store.db import db, transaction
from store.identity import add_member
from store.identity.models import SignIn

PASSWORD = "korrekt pferd batterie"


class Browser:
    """A person's browser: it keeps cookies, and fills in the form that it was last shown."""

    def __init__(self, app: Flask, address: str = "192.0.2.1", agent: str = "") -> None:
        self.app = app
        self.client = app.test_client()
        self.address = address
        self.agent = agent or "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Safari/604.1"

    def get(self, path: str, **more: object) -> TestResponse:
        return self.client.get(path, **self._from(), **more)

    def post(self, path: str, *, page: str = "/sign-in?next=/", **form: str) -> TestResponse:
        """Send a form with the token of `page`; empty `page`: with the one at hand."""
        if page:
            shown = self.get(page)
            found = re.search(r'name="csrf" value="([^"]+)"', shown.text)
            # Who is signed in is led away from the sign-in; every account page has a form.
            found = found or re.search(r'name="csrf" value="([^"]+)"', self.get("/me").text)
            assert found, shown.text
            self.csrf = found[1]
        return self.client.post(path, data={"csrf": self.csrf, **form}, **self._from())

    def sign_in(
        self, who: str, password: str = PASSWORD, next_path: str = "/", page: str = "/sign-in"
    ) -> TestResponse:
        form = {"identifier": who, "password": password, "next": next_path}
        return self.post("/sign-in", page=page, **form)

    def sign_up(self, who: str, password: str = PASSWORD, **form: str) -> TestResponse:
        return self.post("/sign-up", page="/sign-up", identifier=who, password=password, **form)

    def cookie(self, name: str = "visit") -> str | None:
        found = self.client.get_cookie(name)
        return found.value if found else None

    def is_signed_in(self) -> bool:
        return self.get("/me").status_code == 200

    def _from(self) -> dict[str, object]:
        return {
            "environ_base": {"REMOTE_ADDR": self.address},
            "headers": {"User-Agent": self.agent},
        }


@pytest.fixture
def browser(app: Flask) -> Callable[..., Browser]:
    """Opens browsers: `browser()`, or `browser("198.51.100.7")` somewhere else."""

    def open_browser(address: str = "192.0.2.1", agent: str = "") -> Browser:
        return Browser(app, address, agent)

    return open_browser


@pytest.fixture
def people(app: Flask) -> dict[str, int]:
    """Anna who shops, Mei of the staff, Olga who owns the shop; by name, their ids."""
    with app.app_context(), transaction():
        return {
            "anna": add_member("anna@shop.example", PASSWORD, name="Anna").id,
            "mei": add_member("+8613800138000", PASSWORD, role="staff", name="Mei").id,
            "olga": add_member("olga@shop.example", PASSWORD, role="owner", name="Olga").id,
        }


def live_sign_ins(app: Flask) -> int:
    with app.app_context():
        return db.session.query(SignIn).filter(SignIn.ended_at.is_(None)).count()


def set_cookies(response: TestResponse) -> dict[str, str]:
    jar = SimpleCookie()
    for line in response.headers.getlist("Set-Cookie"):
        jar.load(line)
    return {name: morsel.value for name, morsel in jar.items()}
