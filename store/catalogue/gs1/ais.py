"""Application identifiers: look one up, check a value against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .fault import CodeFault, excerpt
from .lints import CHARACTER_SETS, LINTS, pads_fault
from .table import TABLE

__all__ = ["AIS", "Component", "Identifier", "check_value", "identify", "value_fault"]


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a value: N3, X..20. `shortest` equals `longest` where the length is fixed."""

    charset: str
    shortest: int
    longest: int
    optional: bool
    lints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Identifier:
    """What the standard says about one application identifier."""

    ai: str
    title: str
    components: tuple[Component, ...]
    separated: bool
    """A separator (FNC1) must follow unless it is last."""
    attribute: bool
    """May stand in the query of a Digital Link."""
    is_key: bool
    """May be the primary key of a Digital Link."""
    qualifiers: tuple[tuple[str, ...], ...]
    """Of a key: what may follow it in the path, in order; one of the alternatives."""
    requires: tuple[tuple[str, ...], ...]
    """At least one of these groups must be there too."""
    excludes: tuple[str, ...]
    shortest: int
    longest: int


def identify(ai: str, *, at: int | None = None) -> Identifier:
    """The identifier, or CodeFault if there is none of that name."""
    found = AIS.get(ai)
    if found is None:
        raise CodeFault(f"There is no application identifier ({excerpt(ai)[1:-1]}).", at=at)
    return found


def check_value(identifier: Identifier, value: str, *, at: int = 0) -> None:
    """Raise CodeFault unless the value has the identifier's form; `at` is where it starts."""
    fault = value_fault(identifier, value)
    if fault:
        raise CodeFault(
            f"AI ({identifier.ai}), {identifier.title or 'coupon'}: {excerpt(value)} {fault[1]}.",
            at=at + fault[0],
            ai=identifier.ai,
        )


def value_fault(identifier: Identifier, value: str) -> tuple[int, str] | None:
    """The first fault of a value as its offset and a sentence, or None."""
    length = len(value)
    if length < identifier.shortest:
        return length, f"has {length} characters, at least {identifier.shortest} are needed"
    if length > identifier.longest:
        return identifier.longest, f"has more than the {identifier.longest} characters it may have"
    at = 0
    for component in identifier.components:
        part = value[at : at + component.longest]
        if not part and component.optional:
            continue
        fault = _part_fault(component, part)
        if fault:
            return at + fault[0], fault[1]
        at += len(part)
    return None


def _part_fault(component: Component, part: str) -> tuple[int, str] | None:
    if len(part) < component.shortest:
        return len(part), f"ends within a part of {component.shortest} characters"
    pattern, what = CHARACTER_SETS[component.charset]
    good = pattern.match(part)
    if good is None or good.end() < len(part):
        at = good.end() if good else 0
        return at, f"has {excerpt(part[at])} where a character must be {what}"
    if component.charset == "Z" and (fault := pads_fault(part)):
        return fault
    for name in component.lints:
        if fault := LINTS[name](part):
            return fault
    return None


def _read_table(table: str) -> Iterator[Identifier]:
    requires: tuple[tuple[str, ...], ...] = ()
    for line in table.splitlines():
        if line.startswith("needs "):
            groups = line.removeprefix("needs ")
            requires = (
                ()
                if groups == "nothing"
                else tuple(tuple(group.split("+")) for group in groups.split(","))
            )
            continue
        left, _, title = line.rpartition("|")
        names, flags, *rest = left.split()
        for ai in _series(names):
            yield _identifier(ai, flags, rest, title.strip(), requires)


def _series(names: str) -> list[str]:
    """310[0-5] as the six names that it stands for."""
    stem, bracket, span = names.partition("[")
    if not bracket:
        return [names]
    return [f"{stem}{last}" for last in range(int(span[0]), int(span[2]) + 1)]


def _identifier(
    ai: str, flags: str, rest: list[str], title: str, requires: tuple[tuple[str, ...], ...]
) -> Identifier:
    components = tuple(_component(word) for word in rest if word[0] not in "!>")
    excludes = [name for word in rest if word[0] == "!" for name in word[1:].split(",")]
    if "s" in flags:
        excludes.append(f"{ai[:3]}n")
    keys = [word[1:] for word in rest if word[0] == ">"]
    return Identifier(
        ai=ai,
        title=title,
        components=components,
        separated="f" not in flags,
        attribute="a" in flags,
        is_key=bool(keys),
        qualifiers=tuple(tuple(each.split(",")) for each in keys[0].split("|") if each)
        if keys
        else (),
        requires=requires,
        excludes=tuple(excludes),
        shortest=sum(part.shortest for part in components if not part.optional),
        longest=sum(part.longest for part in components),
    )


def _component(word: str) -> Component:
    """N13:csum:gcppos1, X..17? and their like."""
    form, *lints = word.removesuffix("?").split(":")
    variable = form[1:].startswith("..")
    longest = int(form[1:].removeprefix(".."))
    return Component(
        charset=form[0],
        shortest=1 if variable else longest,
        longest=longest,
        optional=word.endswith("?"),
        lints=tuple(lints),
    )


AIS: dict[str, Identifier] = {each.ai: each for each in _read_table(TABLE)}
