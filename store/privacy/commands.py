"""Commands of privacy: `flask privacy …`."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup

from .. import identity, logbook
from ..errors import NotFound, Refusal
from .erasing import erase
from .exporting import export
from .retention import sweep

group = AppGroup("privacy", help="Privacy: what is held about a person, handed over and erased.")
COMMANDS: list[click.Command] = [group]


@group.command("export")
@click.argument("identifier", metavar="EMAIL")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export_person(identifier: str, file: Path) -> None:
    """Write everything that is held about a person to FILE as JSON; prints the file."""
    member_id = _known(identifier)
    logbook.listed("export", member=member_id)
    with file.open("w", encoding="utf-8") as out:
        for piece in export(member_id):
            out.write(piece)
    click.echo(file)


@group.command("erase")
@click.argument("identifier", metavar="EMAIL")
@click.option("--forfeit", is_flag=True, help="They said that the shop keeps what they hold.")
@click.confirmation_option(prompt="The person is gone for good. Go on?")
def erase_person(identifier: str, forfeit: bool) -> None:
    """Erase a person who asked for it: the books stay, nobody is named in them; prints the number
    of the account that is nobody's now."""
    try:
        member_id = _known(identifier)
        erase(member_id, forfeit=forfeit)
    except Refusal as refusal:
        why = ", ".join(refusal.data.get("why", []))
        raise click.ClickException(
            f"{refusal.message}: {why}" if why else refusal.message
        ) from None
    click.echo(member_id)


@group.command("sweep")
def sweep_now() -> None:
    """Tell and erase whoever has not been here for as long as the settings say; prints how many
    were erased. The worker does this every hour."""
    click.echo(sweep())


def _known(identifier: str) -> int:
    try:
        found = identity.find(identifier)
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal
    if found is None:
        raise click.ClickException(NotFound(f"Nobody is known as {identifier}").message)
    return found.id
