"""The colours and sizes of static/css/tokens.css keep what they promise to people's eyes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = Path(__file__).resolve().parents[2] / "static" / "css"
TEXT, EDGE = 4.5, 3.0
"""The least ratios of WCAG 2.2 at level AA: 1.4.3 for text, 1.4.11 for what bounds a control."""

PAIRS = [
    *((text, ground, TEXT) for text in ("ink", "quiet", "accent-ink", "good", "warn", "bad")
      for ground in ("ground", "surface")),
    ("ink", "picture", TEXT), ("quiet", "picture", TEXT),
    *((text, ground, TEXT) for text in ("ink", "accent-ink")
      for ground in ("accent-ground", "good-ground", "warn-ground", "bad-ground")),
    ("good", "good-ground", TEXT), ("warn", "warn-ground", TEXT), ("bad", "bad-ground", TEXT),
    ("on-accent", "accent", TEXT), ("on-accent", "accent-press", TEXT),
    ("on-good", "good", TEXT), ("on-warn", "warn", TEXT), ("on-bad", "bad", TEXT),
    ("code", "code-ground", TEXT),
    ("edge", "ground", EDGE), ("accent", "ground", EDGE),
]  # fmt: skip


def tokens() -> dict[str, dict[str, str]]:
    """The colours by day and by night: what the dark block does not name stays as it is."""
    light, dark = (CSS / "tokens.css").read_text().split("@media (prefers-color-scheme: dark)")
    found = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)) for block in (light, dark)]
    return {"light": found[0], "dark": found[0] | found[1]}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ratio(one: str, other: str) -> float:
    dim, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dim + 0.05)


def test_the_ratio_is_the_one_of_the_standard() -> None:
    assert ratio("#ffffff", "#000000") == pytest.approx(21)
    assert ratio("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground", "least"), PAIRS)
def test_text_can_be_read_on_its_ground(scheme: str, text: str, ground: str, least: float) -> None:
    colours = tokens()[scheme]
    found = ratio(colours[text], colours[ground])
    assert found >= least, f"--{text} on --{ground} is {found:.2f} : 1 in {scheme}"


def test_every_colour_by_day_has_one_by_night() -> None:
    light, dark = (CSS / "tokens.css").read_text().split("@media (prefers-color-scheme: dark)")
    colours = set(re.findall(r"--([a-z-]+): #", light)) - {"code", "code-ground"}
    assert colours == set(re.findall(r"--([a-z-]+): #", dark))


@pytest.mark.parametrize("sheet", sorted(path.name for path in CSS.glob("*.css")))
def test_type_has_five_sizes_and_no_more(sheet: str) -> None:
    for size in re.findall(r"font-size:\s*([^;}]+)", (CSS / sheet).read_text()):
        assert re.fullmatch(r"var\(--size-[1-5]\)|inherit", size.strip()), f"{sheet}: {size}"


@pytest.mark.parametrize("sheet", sorted(path.name for path in CSS.glob("*.css")))
def test_sheets_only_use_tokens_that_exist(sheet: str) -> None:
    text = (CSS / sheet).read_text()
    known = set(re.findall(r"(--[a-z0-9-]+):", (CSS / "tokens.css").read_text() + text))
    assert set(re.findall(r"var\((--[a-z0-9-]+)", text)) <= known


def test_a_phone_page_loads_less_than_30_kilobytes_of_style() -> None:
    sheets = ("tokens", "base", "parts", "shop")
    assert sum((CSS / f"{name}.css").stat().st_size for name in sheets) < 30_000
