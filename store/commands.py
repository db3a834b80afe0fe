"""Commands of the whole shop: audit, backup and restore, the outbox, the demo."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from . import backup as copies
from . import campaigns, demo, intake, integration, merging, outbox, reports, settings
from . import db as database
from .api import keys
from .errors import Refusal
from .identity import admitting, codes, outside, passkey_answers, proving, sign_ins, tries
from .labels import scans
from .late import acts as late_acts
from .membership import point_ages
from .payment import events
from .payment.commands import settle_pending
from .post import letters, speaking
from .privacy import retention
from .reports import oracle
from .reports.daily import daily
from .sales import pointed
from .sales.basket import basket
from .sellers import settling
from .stock import reservations

log = logging.getLogger(__name__)

SWEEPS = (
    basket.sweep, reservations.sweep, sign_ins.sweep, tries.sweep, keys.sweep, events.sweep,
    admitting.sweep, codes.sweep, passkey_answers.sweep, outside.sweep, letters.sweep,
    settling.sweep,
    pointed.sweep, point_ages.sweep, retention.sweep,
    proving.sweep, merging.sweep, intake.sweep, late_acts.sweep, scans.sweep,
)  # fmt: skip
SWEEP_EVERY_S = 3600


@click.command("audit")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on the last line.")
@with_appcontext
def audit(as_json: bool) -> None:
    """Check that money, stock and sales add up over the whole database. Ends with 1 if not."""
    findings, figures = oracle.audit(), oracle.figures()
    off = [finding for finding in findings if finding.count]
    for name, count in figures.items():
        click.echo(f"{count:>12,} {name}", err=as_json)
    for finding in findings:
        mark = "OFF" if finding.count else "ok"
        click.echo(f"{finding.count:>12,} {finding.name:<28} {mark}", err=as_json)
    for finding in off:
        click.echo(f"off: {finding.count} {finding.meaning}", err=True)
    if as_json:
        counts = {finding.name: finding.count for finding in findings}
        click.echo(json.dumps({"ok": not off, "off": counts, "rows": figures}))
    else:
        click.echo("audit: clean" if not off else f"audit: {len(off)} rules are broken")
    sys.exit(1 if off else 0)


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@with_appcontext
def backup(file: Path) -> None:
    """Write a checked copy of the database to FILE while the shop runs; prints the path."""
    try:
        click.echo(copies.back_up(_app(), file, _faults))
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Set the present database aside.")
@with_appcontext
def restore(file: Path, force: bool) -> None:
    """Put a copy made by `flask backup` in place; the shop must not be running."""
    try:
        click.echo(copies.restore(_app(), file, _faults, force=force))
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal


def _app() -> Flask:
    return current_app._get_current_object()  # type: ignore[attr-defined,no-any-return]


def _faults(url: str) -> list[str]:
    """What an audit of another database finds, in sentences."""
    app = Flask("audit")
    app.config.update(current_app.config)  # The days of its takings are those of this shop.
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = database.engine_options(url, 1)
    database.db.init_app(app)
    with app.app_context():
        try:
            found = oracle.audit()
        except Exception as error:
            return [f"it cannot be audited: {error}"]
        finally:
            database.db.engine.dispose()
    return [f"{one.count} {one.meaning}" for one in found if one.count]


work_group = AppGroup("outbox", help="The outbox: what must still happen after a commit.")


@work_group.command("work")
@click.option("--forever", is_flag=True, help="Go on until the process is ended.")
def work(forever: bool) -> None:
    """Do what is due: events, open payments, sweeping; prints how many events were done."""
    reports.catch_up()
    done = outbox.work()
    _tell_others()
    campaigns.work()
    _send_letters()
    settle_pending()
    while intake.work():
        pass
    _sweep()
    if forever:
        for others in (_tell_others, _send_letters, _take_lists_in, _run_campaigns):
            threading.Thread(target=_each_second, args=(_app(), others), daemon=True).start()
    while forever:
        sweep_at = time.monotonic() + SWEEP_EVERY_S
        while time.monotonic() < sweep_at:
            time.sleep(1)
            outbox.work(to_the_end=False)
            settle_pending()
        _sweep()
    click.echo(done)


def _tell_others() -> None:
    """What happened becomes changes, these become deliveries, and those are sent."""
    integration.follow()
    reports.fold()
    reports.count_orders()
    integration.webhooks.fan_out()
    integration.deliver()


def _send_letters() -> None:
    daily.put_due(current_app.config)
    letters.deliver(current_app.config, speaking.speaking)


def _take_lists_in() -> None:
    intake.work()


def _run_campaigns() -> None:
    campaigns.work()


def _each_second(app: Flask, others: Callable[[], None]) -> None:
    """In a thread of its own: a receiver that is slow must hold up nothing else."""
    while True:
        time.sleep(1)
        with app.app_context():
            try:
                others()
            except Exception:
                log.exception("telling others failed: %s", others.__name__)


def _sweep() -> None:
    """Remove what is old. Where a sweep fails the others go on: the next hour comes."""
    for sweep in SWEEPS:
        try:
            sweep()
        except Exception:
            log.exception("sweep: %s failed", sweep.__module__)


@work_group.command("pending")
def pending() -> None:
    """How many events wait."""
    click.echo(outbox.pending())


@click.command("demo")
@with_appcontext
def open_demo() -> None:
    """Open the demo shop in an empty database; prints the sign-ins."""
    try:
        demo.open_shop()
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal
    for role, identifier, password in demo.SIGN_INS:
        click.echo(f"{role}\t{identifier}\t{password}")


@click.command("settings")
def list_settings() -> None:
    """Every setting with its default and what it is for."""
    for setting in settings.SETTINGS:
        click.echo(f"STORE_{setting.name:<20} {setting.default!r:<18} {setting.help}")


COMMANDS: list[click.Command] = [audit, backup, restore, work_group, open_demo, list_settings]

__all__ = ["COMMANDS"]
