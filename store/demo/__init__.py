"""The demo shop: a shop to try everything in, with goods, people, and five weeks of sales.

It opens only where there is nothing yet, and says on every page that it is a demo: its sign-ins are
known to everybody who can read.
"""

from __future__ import annotations

import os
from pathlib import Path

from flask import current_app
from sqlalchemy import select

from .. import catalogue, identity, outbox, sellers
from ..db import db
from ..errors import Refusal
from . import loyal, regulars, transfers
from .goods import OWNER, SHOPPER, STAFF
from .opening import agree, lay_out
from .weeks import pass_weeks

__all__ = ["SIGN_INS", "NotEmpty", "is_wanted", "open_shop"]

SIGN_INS = [
    (person.role, person.email, person.password or "") for person in (SHOPPER, STAFF, OWNER)
]

SETTINGS = """\
# Written when the demo shop was opened. docs/settings.md lists what can stand here.
demo = true
simulated_gateway = true
escrow_days = 7
practice_post = true
"""
BANK = f"""\
bank_account = "{transfers.ACCOUNT}"
bank_holder = "{transfers.HOLDER}"
bank_name = "{transfers.NAME}"
bank_from = "20"
"""


class NotEmpty(Refusal):
    """The demo never opens over what is there."""

    code = "not_empty"
    status = 409
    title = "The demo shop opens only where there is nothing yet"


def is_wanted() -> bool:
    """Whether a new shop is to be the demo: one with settings or an address of its own is a real
    one, and gets no sign-in that everybody knows."""
    if current_app.config["DEMO"]:
        return _is_empty()
    of_its_own = _settings_file().exists() or current_app.config["BASE_URL"]
    return not of_its_own and "STORE_DEMO" not in os.environ and _is_empty()


def open_shop() -> None:
    """Opener: fill an empty shop. Raises NotEmpty where there is any member or item, or settings
    that do not say `demo = true`.

    The settings are written first: there is no moment at which somebody can sign in with a printed
    password and no page says so. The shop must be loaded anew to read them.
    """
    if not _is_empty():
        raise NotEmpty("There are members or items already")
    if not current_app.config["DEMO"]:
        if _settings_file().exists():
            raise NotEmpty("This shop has settings of its own, which do not say demo = true")
        _settings_file().write_text(SETTINGS + BANK, "utf-8")
    laid = lay_out()
    agree(laid)
    loyal.begin(laid)
    regulars.live(laid)  # First: lists of the newest go by the moment of writing.
    pass_weeks(laid)
    transfers.send_statement(laid.currency, laid.people[OWNER.email])
    outbox.work()
    loyal.tell(laid)
    sellers.settle()


def _is_empty() -> bool:
    found = [
        db.session.scalar(select(table.id).limit(1)) for table in (identity.Member, catalogue.Item)
    ]
    db.session.rollback()
    return found == [None, None]


def _settings_file() -> Path:
    return Path(current_app.config["INSTANCE"]) / "store.toml"
