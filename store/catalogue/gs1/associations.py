"""Which application identifiers belong together (GS1 General Specifications, section 4.14)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .ais import AIS
from .fault import CodeFault

__all__ = ["Elements", "check_associations", "without_repeats"]

Elements = Sequence[tuple[str, str]]
"""Application identifiers with their values, in the order in which they were found."""

# A digital signature binds one single thing, so these keys must carry their serial part.
_SIGNED_NEEDS_LONGER_THAN = {"253": 13, "255": 13, "8003": 14}


def check_associations(elements: Elements) -> None:
    """Raise CodeFault where two values contradict, exclude each other, or a companion is missing.

    Identifiers outside the table (allowed only on request) have no rules but the first.
    """
    values = dict(without_repeats(elements))
    for ai in values:
        identifier = AIS.get(ai)
        if identifier is None:
            continue
        for template in identifier.excludes:
            for other in values:
                if other != ai and _fits(other, template):
                    raise CodeFault(f"AI ({ai}) and AI ({other}) exclude each other.", ai=ai)
        if identifier.requires and not any(
            all(_any_fits(values, template) for template in group) for group in identifier.requires
        ):
            raise CodeFault(
                f"AI ({ai}) needs one of these beside it: {_spoken(identifier.requires)}.", ai=ai
            )
    if "8030" in values:
        for ai, length in _SIGNED_NEEDS_LONGER_THAN.items():
            if ai in values and len(values[ai]) <= length:
                raise CodeFault(
                    f"AI (8030) signs one single thing, but AI ({ai}) has no serial part.", ai=ai
                )


def without_repeats(elements: Elements) -> tuple[tuple[str, str], ...]:
    """The elements, each once. Raises CodeFault where one is repeated with another value."""
    values: dict[str, str] = {}
    for ai, value in elements:
        if values.setdefault(ai, value) != value:
            raise CodeFault(f"AI ({ai}) is there twice with different values.", ai=ai)
    return tuple(values.items())


def _any_fits(values: Iterable[str], template: str) -> bool:
    return any(_fits(ai, template) for ai in values)


def _fits(ai: str, template: str) -> bool:
    """Whether 3103 is a 310n or a 31nn."""
    if len(ai) != len(template):
        return False
    stem = template.rstrip("n")
    return ai.startswith(stem)


def _spoken(groups: Iterable[Iterable[str]]) -> str:
    return ", ".join(" with ".join(f"({ai})" for ai in group) for group in groups)
