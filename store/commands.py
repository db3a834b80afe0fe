"""Commands of the whole shop: audit, backup and restore, the outbox, the demo."""

from __future__ import annotations

import click

COMMANDS: list[click.Command] = []
