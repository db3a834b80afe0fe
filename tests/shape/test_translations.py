"""Both languages are complete: every sentence of the code and the templates is translated."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from store import languages

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("language", languages.LANGUAGES)
def test_every_sentence_is_translated(language: str) -> None:
    assert list(languages.missing(languages.catalogue(language))) == []


@pytest.mark.parametrize("language", languages.LANGUAGES)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    kept = languages.catalogue(language)
    assert languages.file_of(language, "mo").read_bytes() == languages.compiled(kept)


def test_a_sentence_that_nobody_translated_is_found() -> None:
    kept = languages.catalogue("zh")
    kept["Scan an item"].string = ""
    assert list(languages.missing(kept)) == ["Scan an item"]


def test_a_translation_that_loses_a_name_is_found() -> None:
    kept = languages.catalogue("zh")
    kept["was %(amount)s"].string = "原价"
    assert len(list(languages.missing(kept))) == 1


WORDS = re.compile(r">\s*([A-Z][a-z]+(?: [a-z]+)+[.?!]?)\s*<")
SPOKEN = re.compile(r"{#.*?#}|{%-? *trans.*?endtrans *-?%}|{%.*?%}|{{.*?}}", re.S)


def test_templates_say_nothing_in_english_only() -> None:
    """A sentence between tags that does not go through _() would never be translated."""
    found = {
        f"{page.relative_to(ROOT)}: {match[1]}"
        for page in (ROOT / "templates").rglob("*.html")
        for match in WORDS.finditer(SPOKEN.sub("", page.read_text("utf-8")))
    }
    assert found == set()
