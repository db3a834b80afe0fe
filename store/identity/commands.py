"""Commands of identity: `flask members …`."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import click
from flask.cli import AppGroup

from ..db import transaction
from ..errors import NotFound, Refusal
from . import factors, identifiers, member_cards, members, passwords, roles, tokens
from .models import ROLES, Member

group = AppGroup("members", help="Members: shoppers, staff and owners.")
COMMANDS: list[click.Command] = [group]


@group.command("add")
@click.argument("identifier", metavar="EMAIL")
@click.option("--password", help="Seen by others in the process list: prefer --password-stdin.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--role", type=click.Choice(ROLES), default="shopper", show_default=True)
@click.option("--name", default="", help="What to call them.")
def add(identifier: str, password: str | None, password_stdin: bool, role: str, name: str) -> None:
    """Add a member known by EMAIL, which may be a phone number; prints the member's id."""
    chosen = _password(password, password_stdin)
    with _said():
        passwords.check(chosen, identifier, name)
        kept = passwords.hashed(chosen)
        with transaction():
            added = members.new_member(identifier, kept, role=role, name=name)
    click.echo(added.id)


@group.command("token")
@click.argument("identifier", metavar="EMAIL")
@click.option(
    "--scope", "scopes", multiple=True, metavar="NAME",
    help=f"May be given several times: {', '.join(roles.SCOPES)}. Without it the token may do "
    "all that the member's role allows.",
)  # fmt: skip
@click.option("--name", default="", help="What the token is for.")
def token(identifier: str, scopes: tuple[str, ...], name: str) -> None:
    """Make a token for the API; prints it, this once."""
    with _said():
        member = _known(identifier)
        with transaction():
            text = tokens.issue_token(member, scopes, name)
    click.echo(text)


@group.command("end-token")
@click.argument("text", metavar="TOKEN")
def end_token(text: str) -> None:
    """Make a token useless."""
    with transaction():
        tokens.end_token(text)


@group.command("password")
@click.argument("identifier", metavar="EMAIL")
@click.option("--password-stdin", is_flag=True, help="Read it from standard input.")
def password(identifier: str, password_stdin: bool) -> None:
    """Set another password and sign the member out everywhere. Without --password-stdin one is
    generated and printed."""
    with _said():
        member = _known(identifier)
        chosen = _password(None, True) if password_stdin else passwords.generate()
        passwords.check(chosen, identifier)
        members.set_password(member.id, passwords.hashed(chosen))
    click.echo(member.id if password_stdin else chosen)


@group.command("reset-second")
@click.argument("identifier", metavar="EMAIL")
def reset_second(identifier: str) -> None:
    """Forget a member's second step (app, recovery codes, passkeys) and sign them out everywhere;
    they set up another when they sign in."""
    with _said():
        member = _known(identifier)
        factors.reset(member.id)
    click.echo(member.id)


@group.command("role")
@click.argument("identifier", metavar="EMAIL")
@click.argument("role", type=click.Choice(ROLES))
def role(identifier: str, role: str) -> None:
    """Change what a member may do."""
    with _said():
        member = _known(identifier)
        members.set_role(member.id, role)
    click.echo(member.id)


@group.command("disable")
@click.argument("identifier", metavar="EMAIL")
def disable(identifier: str) -> None:
    """Close an account: signed out everywhere, its tokens dead."""
    with _said():
        member = _known(identifier)
        members.disable(member.id)
    click.echo(member.id)


@group.command("enable")
@click.argument("identifier", metavar="EMAIL")
def enable(identifier: str) -> None:
    """Open a closed account again."""
    with _said():
        member = _known(identifier)
        members.enable(member.id)
    click.echo(member.id)


@group.command("first-owner")
def first_owner() -> None:
    """Where the shop has no owner yet, make one; prints the generated password, this once."""
    made = members.first_owner()
    if made is None:
        raise click.ClickException("The shop has an owner already.")
    click.echo(f"Sign in as {made[0]} with this password, which is not kept:", err=True)
    click.echo(made[1])


@group.command("cards")
@click.argument("file", type=click.File(encoding="utf-8-sig"))
def cards(file: TextIO) -> None:
    """Take in the cards and customer numbers of an older list: a CSV with the columns card and
    member (e-mail or phone); prints how many are new. Each belongs to who proves that address. A
    row that cannot be taken is named and left out; running it again changes nothing."""
    rows = csv.DictReader(file)
    if not {"card", "member"} <= set(rows.fieldnames or ()):
        raise click.ClickException("The file needs the columns card and member")
    good, refused, new = [], 0, 0
    for number, row in enumerate(rows, start=2):
        try:
            good.append(member_cards.listed(row["card"] or "", row["member"] or ""))
        except Refusal as refusal:
            refused += 1
            click.echo(f"row {number}: {refusal.message}", err=True)
    for start in range(0, len(good), 500):
        with transaction():
            new += member_cards.take_in(good[start : start + 500])
        click.echo(f"{min(start + 500, len(good))} of {len(good)} rows", err=True)
    if refused:
        click.echo(f"{refused} rows were left out", err=True)
    click.echo(new)


@group.command("staff")
@click.option("--json", "as_json", is_flag=True)
def staff(as_json: bool) -> None:
    """List staff and owners."""
    listed = [
        {"id": member.id, "role": member.role, "name": member.name, "identifier": known_by,
         "disabled": member.disabled_at is not None}
        for member, known_by in members.staff()
    ]  # fmt: skip
    if as_json:
        click.echo(json.dumps(listed, ensure_ascii=False))
        return
    for line in listed:
        closed = " (closed)" if line["disabled"] else ""
        click.echo(f"{line['id']}\t{line['role']}\t{line['identifier']}\t{line['name']}{closed}")


@contextmanager
def _said() -> Iterator[None]:
    """A refusal is said in words, and the command fails."""
    try:
        yield
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal


def _known(identifier: str) -> Member:
    found = identifiers.find(identifier)
    if found is None:
        raise NotFound(f"Nobody is known as {identifier}")
    return found


def _password(given: str | None, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if given is None:
        raise click.UsageError("Give --password or --password-stdin.")
    return given
