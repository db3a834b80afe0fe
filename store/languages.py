"""Translations: what the shop says, in every language but English, which stands in the code.

`make translations` collects the sentences from the code into each language's messages.po, keeps
what is translated, and compiles it; a test fails while one is missing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

__all__ = ["catalogue", "collected", "compiled", "file_of", "missing"]

HERE = Path(__file__).parent / "translations"
ROOT = HERE.parent.parent
LANGUAGES = ("zh",)


def file_of(language: str, ending: str = "po") -> Path:
    return HERE / language / "LC_MESSAGES" / f"messages.{ending}"


@cache
def collected() -> Catalog:
    """All sentences that the code and the templates say today."""
    with (HERE / "babel.cfg").open() as config:
        methods, options = parse_mapping_cfg(config)  # type: ignore[no-untyped-call]
    found = Catalog(fuzzy=False)
    for _, _, text, _, context in extract_from_dir(ROOT, methods, options, directory_filter=_ours):
        found.add(text, context=context)
    return found


def _ours(folder: str) -> bool:
    """The folders that the shop speaks from; not the environment or what tests leave behind."""
    path = Path(folder).relative_to(ROOT)
    return path.parts[:1] in {(), ("store",), ("templates",)} and path.name != "__pycache__"


def catalogue(language: str) -> Catalog:
    """A language's translations as they are kept."""
    with file_of(language).open("rb") as file:
        return read_po(file, locale=language)


def compiled(kept: Catalog) -> bytes:
    out = BytesIO()
    write_mo(out, kept)
    return out.getvalue()


def missing(kept: Catalog) -> Iterator[str]:
    """Sentences that the code says and the language does not, or not rightly."""
    for message in collected():
        if not message.id:
            continue
        known = kept.get(message.id if isinstance(message.id, str) else message.id[0])
        said = _texts(known.string) if known is not None else []
        if not said or not all(said):
            yield str(message.id)
        elif any(_names(text) != _names(_texts(message.id)[-1]) for text in said):
            yield f"{message.id} (its names in %(…)s differ)"


def _texts(said: str | list[str] | tuple[str, ...] | None) -> list[str]:
    return [said] if isinstance(said, str) else list(said or [])


def _names(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[sd]", text))


def main() -> int:
    for language in LANGUAGES:
        kept = catalogue(language)
        # Where nothing near is guessed, a changed sentence is translated anew and not by chance.
        kept.update(collected(), no_fuzzy_matching=True)
        kept.obsolete.clear()
        # Nothing in the file changes by itself: no dates, no names of tools.
        kept.header_comment = f"# OneShelf in the language {language}; see store/languages.py."
        kept.creation_date = kept.revision_date = datetime(2026, 11, 23, tzinfo=UTC)
        kept.project, kept.version = "OneShelf", "1"
        kept.msgid_bugs_address, kept.last_translator, kept.language_team = "", "", ""
        with file_of(language).open("wb") as file:
            write_po(file, kept, width=100, no_location=True, omit_header=False, sort_output=True)
        file_of(language, "mo").write_bytes(compiled(kept))
        lacking = list(missing(kept))
        for text in lacking:
            print(f"{language}: {text}")
        print(f"{language}: {len(lacking)} to translate")
    return 0


if __name__ == "__main__":
    sys.exit(main())
