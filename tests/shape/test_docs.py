"""The docs tell what is there: every setting, every command, every table; and no dead links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from store import create_app
from store.db import Base
from store.settings import SETTINGS, Setting

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "README.zh.md", ROOT / "CHANGELOG.md",
         *sorted((ROOT / "docs").glob("*.md"))]  # fmt: skip
# Flask's own and its extensions', of which we tell only what a shop needs.
OF_OTHERS = {"run", "shell", "routes", "db", "openapi"}
MENTIONED = re.compile(r"\bflask ((?:[a-z-]+)(?: [a-z-]+)?)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> dict[str, click.Command]:
    """Every command by its full name: "stock receive"."""
    app = create_app({"INSTANCE": str(tmp_path_factory.mktemp("instance"))})
    return dict(_named(app.cli.commands.values(), ""))


def _named(found: object, before: str) -> Iterator[tuple[str, click.Command]]:
    for command in found:  # type: ignore[attr-defined]
        name = f"{before}{command.name}"
        if isinstance(command, click.Group):
            yield from _named(command.commands.values(), f"{name} ")
        else:
            yield name, command


def _options(command: click.Command) -> set[str]:
    given = [one for one in command.params if isinstance(one, click.Option)]
    return {text for one in given for text in one.opts if text.startswith("--")} - {"--help"}


def _row(setting: Setting) -> str:
    if isinstance(setting.default, bool):
        default = "`yes`" if setting.default else "`no`"
    else:
        default = f"`{setting.default}`" if str(setting.default) else "empty"
    return f"| `STORE_{setting.name}` | {default} | {setting.help} |"


def test_every_setting_is_told_with_its_default_and_help() -> None:
    page = (ROOT / "docs/settings.md").read_text("utf-8")
    told = [line for line in page.splitlines() if line.startswith("| `STORE_")]
    assert told == [_row(setting) for setting in SETTINGS]


def test_settings_that_any_page_names_exist() -> None:
    names = {setting.name for setting in SETTINGS} | {"PICTURES"}
    for page in PAGES:
        named = set(re.findall(r"\bSTORE_([A-Z][A-Z_]+)\b", page.read_text("utf-8")))
        assert named <= names, page.name


def test_every_command_is_told_with_all_its_options(commands: dict[str, click.Command]) -> None:
    rows = {}
    for line in (ROOT / "docs/commands.md").read_text("utf-8").splitlines():
        if line.startswith("| `flask "):
            usage = line.split("`")[1].removeprefix("flask ")
            name = next(
                (n for n in sorted(commands, key=len)[::-1] if f"{usage} ".startswith(f"{n} ")),
                usage,
            )
            rows[name] = set(OPTION.findall(line.rpartition(" | ")[2]))
    own = {n: c for n, c in commands.items() if n.split()[0] not in OF_OTHERS}
    assert rows.keys() - own.keys() == {"db upgrade", "openapi write"}
    assert {name: rows.get(name) for name in own} == {
        name: _options(command) for name, command in own.items()
    }


def test_commands_and_options_that_any_page_names_exist(
    commands: dict[str, click.Command],
) -> None:
    groups = {name.split()[0] for name in commands if " " in name}
    for page in PAGES:
        for line in page.read_text("utf-8").splitlines():
            for words in MENTIONED.findall(line):
                first = words.split()[0]
                name = words if first in groups else first
                assert name in commands or name in groups, f"{page.name}: flask {words}"
                said = line.partition(f"flask {words}")[2].partition("`")[0]
                if name in commands and page.name != "commands.md":
                    unknown = set(OPTION.findall(said)) - _options(commands[name])
                    assert not unknown, f"{page.name}: flask {words} has no {unknown}"


def test_every_table_and_every_room_stands_in_the_architecture() -> None:
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    told = set(re.findall(r"`([a-z_]+)`", page.partition("## Tables")[2].partition("## Five")[0]))
    assert Base.metadata.tables.keys() - told == set()
    rooms = {file.parent.name for file in (ROOT / "store").glob("*/__init__.py")}
    assert {room for room in rooms if f"`{room}/`" not in page} == set()


def test_the_layers_in_the_architecture_are_those_that_are_checked() -> None:
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    drawn = page.partition("    serving\n")[2].partition("\n\n")[0].split("\n")
    settings = (ROOT / "pyproject.toml").read_text("utf-8")
    held = re.findall(
        r'^  "([^"]+)",$', settings.partition("\nlayers = [")[2].partition("]")[0], re.M
    )
    here = {file.stem for file in (ROOT / "store").iterdir()}
    modules = [[name.strip("() ") for name in layer.split("|")] for layer in held[1:]]
    expected = [" | ".join(name for name in layer if name in here) for layer in modules]
    assert [line.strip() for line in drawn] == expected


def test_every_link_of_the_docs_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
            if "://" not in target and not target.startswith("docs/pictures/"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_picture_that_is_shown_was_made_and_is_small() -> None:
    shown = {
        target
        for page in PAGES
        for target in re.findall(r"\]\((docs/pictures/[^)]+)\)", page.read_text("utf-8"))
    }
    assert len(shown) >= 10
    assert {target for target in shown if not (ROOT / target).is_file()} == set()
    there = {f"docs/pictures/{file.name}" for file in (ROOT / "docs/pictures").iterdir()}
    assert there == shown
    assert max((ROOT / target).stat().st_size for target in shown) < 120_000
