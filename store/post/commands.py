"""Commands of the post: `flask post …`."""

from __future__ import annotations

import json

import click
from flask import current_app
from flask.cli import AppGroup

from .. import ids
from . import carriers, letters
from .mail import Mail
from .sms import Sms

group = AppGroup("post", help="Mail and SMS.")
COMMANDS: list[click.Command] = [group]


@group.command("test")
@click.argument("to", metavar="ADDRESS")
def test(to: str) -> None:
    """Send a test to ADDRESS, a mail or (to a number like +8613800138000) an SMS, and say at once
    what the server says."""
    shop = current_app.config["SHOP_NAME"]
    words = f"This is a test from {shop}: messages arrive."
    message = Mail(to, f"A test from {shop}", words) if "@" in to else Sms(to, words, "000000")
    try:
        carriers.carry(current_app.config, message, ids.new())
    except (carriers.PostFailed, carriers.PostRefused) as fault:
        raise click.ClickException(str(fault)) from fault
    click.echo(to)


@group.command("dead")
@click.option("--json", "as_json", is_flag=True)
@click.option("--again", is_flag=True, help="Try them once more.")
def dead(as_json: bool, again: bool) -> None:
    """List letters that could not be sent for two days or were refused."""
    found = letters.dead()
    if again:
        letters.again([letter.id for letter in found])
    lines = [
        {"id": one.id, "kind": one.kind, "subject": one.subject, "error": one.error}
        for one in found
    ]
    if as_json:
        click.echo(json.dumps(lines, ensure_ascii=False))
        return
    for line in lines:
        click.echo("\t".join(line.values()))
