"""What others made is exactly what static/VENDORED.md says, and nothing else lies beside it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "static"
FOLDERS = ("vendor", "demo")
ROW = re.compile(r"^\| (?P<file>\S+) \| .+ \| .+ \| .+ \| (?P<sha256>[0-9a-f]{64}) \|$", re.M)


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _listed() -> dict[str, str]:
    """Every file by its path below static/, with the checksum that it must have."""
    listed: dict[str, str] = {}
    for row in ROW.finditer((STATIC / "VENDORED.md").read_text("utf-8")):
        listed[row["file"]] = row["sha256"]
        if row["file"].endswith("/SHA256SUMS"):
            folder = row["file"].rpartition("/")[0]
            for line in (STATIC / row["file"]).read_text("utf-8").splitlines():
                sha256, _, name = line.partition("  ")
                listed[f"{folder}/{name}"] = sha256
    return listed


def test_every_listed_file_is_there_unchanged() -> None:
    listed = _listed()
    assert len(listed) > 40
    changed = {
        name
        for name, sha256 in listed.items()
        if not (STATIC / name).is_file() or _sha256(STATIC / name) != sha256
    }
    assert changed == set()


def test_no_file_of_others_is_unlisted() -> None:
    there = {
        str(file.relative_to(STATIC))
        for folder in FOLDERS
        for file in (STATIC / folder).rglob("*")
        if file.is_file()
    }
    assert there - _listed().keys() == set()


def test_demo_pictures_are_light_enough_for_an_item_page() -> None:
    heavy = {file.name for file in (STATIC / "demo").glob("*.webp") if file.stat().st_size > 40_000}
    assert heavy == set()


def test_no_vendored_script_asks_for_a_source_map() -> None:
    asking = {
        file.name
        for file in (STATIC / "vendor").rglob("*.js")
        if b"sourceMappingURL" in file.read_bytes()
    }
    assert asking == set()
