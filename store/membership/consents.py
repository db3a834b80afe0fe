"""Consent: whether a member wants to be told of offers, and by which way.

Each word is a row that stays: what was said, when, where, and to which words. The latest of a way
holds; without one nothing was given. Whoever writes one, and whoever sends something because of
one, locks the member's row first, so that they come one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from sqlalchemy import Select, exists, insert, select
from sqlalchemy.orm import aliased

from .. import clock, ids
from ..db import connection, in_transaction, repeatable, transaction
from ..errors import NotFound, Refusal
from ..identity import Member
from .consent_models import CHANNELS, Consent

__all__ = [
    "CHANNELS", "TEXTS", "VERSION", "TextChanged", "decide", "givers", "has_given", "history",
    "lock", "mark_of", "move", "read_mark", "say", "standing", "stop", "text_of",
]  # fmt: skip

VERSION = 1
TEXTS = {
    "mail": {
        "en": "{shop} may send me offers by e-mail, chosen by what I buy there.",
        "zh": "{shop}可以根据我在这里的购买，通过电子邮件给我发送优惠。",
    },
    "sms": {
        "en": "{shop} may send me offers by SMS, chosen by what I buy there.",
        "zh": "{shop}可以根据我在这里的购买，通过短信给我发送优惠。",
    },
    "page": {
        "en": "{shop} may show me offers on its pages, chosen by what I buy there.",
        "zh": "{shop}可以根据我在这里的购买，在网页上向我展示优惠。",
    },
}
"""What a member agrees to. They stand here and not among the translations: other words, in any
language, are another VERSION, and what was agreed to before keeps its own."""

_MARK = re.compile(r"([msp])([1-9]\d{0,14})-([0-9A-Z]{16})\Z", re.ASCII)


class TextChanged(Refusal):
    """The words on the page are not those of today, so nobody has agreed to them."""

    code = "consent_text_changed"
    status = 409
    title = "The words of this consent have changed: please read them again"


class Word(NamedTuple):
    """The latest word of a member about a way, or one of those before."""

    channel: str
    what: str
    place: str
    words: str
    at: Any


def text_of(channel: str, language: str, shop: str) -> str:
    """The words of today."""
    texts = TEXTS[channel]
    return texts.get(language, texts["en"]).replace("{shop}", shop)


@repeatable
def decide(
    member_id: int, wanted: dict[str, bool], *, place: str, language: str, shop: str,
    version: int = VERSION,
) -> list[str]:  # fmt: skip
    """Opener: what a member says about these ways; answers those of which something is new now.
    Who says no where nothing was given has declined. Raises TextChanged, NotFound."""
    with transaction():
        return say(member_id, wanted, place=place, language=language, shop=shop, version=version)


def say(
    member_id: int, wanted: dict[str, bool], *, place: str, language: str, shop: str,
    version: int = VERSION,
) -> list[str]:  # fmt: skip
    """Joiner: the same."""
    if version != VERSION and any(wanted.values()):
        raise TextChanged()
    if not lock([member_id]):
        raise NotFound("There is no such member")
    before, rows = standing(member_id), []
    for channel, yes in wanted.items():
        was = before[channel].what if channel in before else ""
        what = "given" if yes else "withdrawn" if was == "given" else "declined"
        if was == what or (was == "withdrawn" and what == "declined"):
            continue
        words = text_of(channel, language, shop) if yes else ""
        rows.append(_row(member_id, channel, what, place, language, words, version))
    _add(rows)
    return [row["channel"] for row in rows]


@repeatable
def stop(member_id: int, channel: str, *, place: str, language: str) -> None:
    """Opener: nothing more by this way, for the account that the letter was for and for those that
    took its word over. Again, or for somebody who has gone, changes nothing."""
    with transaction():
        for each in lock(_and_heirs(member_id, channel)):
            before = standing(each).get(channel)
            if before is not None and before.what == "given":
                _add([_row(each, channel, "withdrawn", place, language, "", 0)])


def _and_heirs(member_id: int, channel: str) -> set[int]:
    """The account, and those that it was merged into, and so on."""
    found, new = {member_id}, {member_id}
    while new:
        query = select(Consent.member_id).where(
            Consent.from_member_id.in_(new), Consent.channel == channel
        )
        new = set(in_transaction().scalars(query)) - found
        found |= new
    return found


def _row(
    member_id: int, channel: str, what: str, place: str, language: str, words: str, version: int
) -> dict[str, Any]:
    return {"member_id": member_id, "purpose": "offers", "channel": channel, "what": what,
            "place": place, "language": language, "version": version if words else 0,
            "words": words, "from_member_id": None, "at": clock.now()}  # fmt: skip


def _add(rows: list[dict[str, Any]]) -> None:
    if rows:
        in_transaction().execute(insert(Consent), rows)


def lock(member_ids: Iterable[int]) -> list[int]:
    """Joiner: these members' words are ours until the commit; answers those who are still here. It
    does not stand in the way of a sale in their name."""
    query = select(Member.id).where(
        Member.id.in_(sorted(set(member_ids))), Member.erased_at.is_(None)
    )
    query = query.order_by(Member.id).with_for_update(key_share=True)
    return list(in_transaction().execute(query).scalars())


def _latest() -> Select[Any]:
    """The words that hold."""
    later = aliased(Consent)
    newer = exists().where(
        later.member_id == Consent.member_id, later.channel == Consent.channel,
        later.id > Consent.id,
    )  # fmt: skip
    return select(Consent.member_id).where(~newer)


def givers(channel: str) -> Select[Any]:
    """A query of the numbers of all members who want this way."""
    return _latest().where(Consent.channel == channel, Consent.what == "given")


def has_given(member_ids: Collection[int], channel: str) -> set[int]:
    """Who of these wants this way now."""
    if not member_ids:
        return set()
    query = givers(channel).where(Consent.member_id.in_(list(member_ids)))
    return set(connection().execute(query).scalars())


_COLUMNS = (Consent.channel, Consent.what, Consent.place, Consent.words, Consent.at)


def standing(member_id: int) -> dict[str, Word]:
    """A member's latest word about each way that there is one about."""
    query = _latest().with_only_columns(*_COLUMNS).where(Consent.member_id == member_id)
    return {row[0]: Word(*row) for row in connection().execute(query)}


def history(member_id: int, limit: int = 50) -> list[Word]:
    """All that a member said, the newest first."""
    query = select(*_COLUMNS).where(Consent.member_id == member_id).order_by(Consent.id.desc())
    return [Word(*row) for row in connection().execute(query.limit(limit))]


def move(from_id: int, to_id: int) -> None:
    """Joiner, for accounts that become one, both locked: the later word of the two holds for each
    way, with the words that it was given to. What was said before stays where it was said."""
    in_transaction()
    lock([from_id, to_id])
    columns = [*_COLUMNS, Consent.language, Consent.version, Consent.member_id]
    query = _latest().with_only_columns(*columns).where(Consent.member_id.in_([from_id, to_id]))
    said = connection().execute(query.order_by(Consent.at, Consent.id)).all()
    rows = []
    for channel in {one.channel for one in said if one.member_id == from_id}:
        last = [one for one in said if one.channel == channel][-1]
        row = _row(to_id, channel, last.what, "merge", last.language, last.words, last.version)
        rows.append(row | {"from_member_id": from_id})
    _add(rows)


# The link in a letter


def mark_of(key: bytes, member_id: int, channel: str) -> str:
    """What the link that ends a way is known by: only this shop can make it."""
    code = ids.mac(key, "consent", str(member_id), channel)
    return f"{channel[0]}{member_id}-{code}"


def read_mark(key: bytes, mark: str) -> tuple[int, str]:
    """Whose link it is, and which way it ends. Raises NotFound."""
    found = _MARK.match(mark)
    if found is not None:
        channel = next(one for one in CHANNELS if one[0] == found[1])
        if ids.same(mark, mark_of(key, int(found[2]), channel)):
            return int(found[2]), channel
    raise NotFound("This link is not one of this shop")
