"""Cards of members: a number that a till reads, so that who pays in cash and has no phone in hand
buys in their own name.

A card can be copied, so it says only whose purchase it is: it opens nothing, and no money leaves
an account by it. Staff give one to a member whose own code they have seen at that moment. Numbers
of an older list (another shop system's cards and customer numbers) come with an address each, and
belong to whoever proves that address: until then they name nobody.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Select, and_, or_, select, update
from sqlalchemy.exc import IntegrityError

from .. import clock, logbook
from ..db import db, in_transaction, insert_new, repeatable, transaction
from ..errors import Invalid, NotFound, Refusal
from .card_models import MemberCard
from .identifiers import normalise
from .models import Identifier, Member

__all__ = [
    "CardTaken", "Listed", "end", "give", "held_by", "listed", "of_member", "read", "take_in",
]  # fmt: skip

MOST = 10
_NUMBER = re.compile(r"[0-9A-Z][0-9A-Z./+_]{2,38}[0-9A-Z]\Z", re.ASCII)


class CardTaken(Refusal):
    """The card is somebody's already, or this member has as many as one can have."""

    code = "card_taken"
    status = 409
    title = "This card is in use already"


class Listed(NamedTuple):
    """A row of an older list: the number, and the e-mail address or phone it was known by there."""

    number: str
    kind: str
    value: str


def read(text: str) -> str:
    """A card's number in its one spelling: capitals, without spaces and hyphens. Raises Invalid."""
    plain = unicodedata.normalize("NFKC", text[:200]).upper()
    number = "".join(each for each in plain if not each.isspace() and each not in "-‐‑–")
    if not _NUMBER.match(number):
        raise Invalid("A card has 4 to 40 letters and digits", field="card")
    return number


_PROVEN = and_(
    Identifier.kind == MemberCard.kind,
    Identifier.value == MemberCard.value,
    Identifier.proven_at.is_not(None),
)
_LIVE = MemberCard.ended_at.is_(None)


def held_by(text: str) -> Member | None:
    """Whose card it is: a member's, or of whoever has proven the address that it came with."""
    try:
        number = read(text)
    except Invalid:
        return None
    query = (
        select(Member)
        .select_from(MemberCard)
        .outerjoin(Identifier, _PROVEN)
        .join(Member, or_(Member.id == MemberCard.member_id, Member.id == Identifier.member_id))
        .where(MemberCard.number == number, _LIVE, Member.disabled_at.is_(None))
    )
    return db.session.scalar(query)


def of_member(member_id: int) -> Sequence[MemberCard]:
    """The cards by which a member is known, the newest first."""
    return db.session.scalars(_theirs(member_id).where(_LIVE).order_by(MemberCard.id.desc())).all()


def _theirs(member_id: int) -> Select[MemberCard]:
    proven = select(Identifier.id).where(_PROVEN, Identifier.member_id == member_id)
    mine = or_(MemberCard.member_id == member_id, proven.correlate(MemberCard).exists())
    return select(MemberCard).where(mine)


@repeatable
def give(member_id: int, text: str, made_by: int) -> MemberCard:
    """Opener: from now on the card is this member's; again it stays theirs. Raises Invalid,
    NotFound, CardTaken."""
    number = read(text)
    try:
        with transaction() as session:
            query = select(Member).where(Member.id == member_id, Member.disabled_at.is_(None))
            if session.scalar(query.with_for_update(key_share=True)) is None:
                raise NotFound("There is no such member any more")
            mine = session.scalars(_theirs(member_id).where(_LIVE)).all()
            for one in mine:
                if one.number == number:
                    return one
            if len(mine) >= MOST:
                raise CardTaken("There are as many cards as one member can have", most=MOST)
            card = MemberCard(
                number=number, member_id=member_id, made_by=made_by, made_at=clock.now()
            )
            session.add(card)
            session.flush()
            logbook.note("card.given", member_id, after={"card": masked(number)})
            return card
    except IntegrityError as error:
        raise CardTaken("This card is somebody else's") from error


@repeatable
def end(member_id: int, card_id: int) -> None:
    """Opener: the card of this member is lost, or shall name them no more; again it stays so.
    Raises NotFound."""
    with transaction() as session:
        theirs = _theirs(member_id).where(MemberCard.id == card_id)
        card = session.scalar(theirs)
        if card is None:
            raise NotFound("There is no such card")
        gone = update(MemberCard).where(MemberCard.id == card_id, _LIVE)
        if session.execute(gone.values(ended_at=clock.now())).rowcount:  # type: ignore[attr-defined]
            logbook.note("card.ended", member_id, before={"card": masked(card.number)})


def masked(number: str) -> str:
    """What a log or a page on a counter may show of a number."""
    return f"…{number[-4:]}"


def listed(number: str, address: str) -> Listed:
    """A row of an older list as it is kept. Raises Invalid."""
    return Listed(read(number), *normalise(address))


def take_in(rows: Sequence[Listed], made_by: int | None = None) -> int:
    """Joiner: cards of an older list; answers how many are new. A number that is known already
    stays whose it is, so a list may be taken in again."""
    if not rows:
        return 0
    insert = insert_new(MemberCard).returning(MemberCard.id)
    given = {"made_by": made_by, "made_at": clock.now()}
    values = [row._asdict() | given for row in rows]
    new = len(in_transaction().connection().execute(insert, values).all())
    logbook.note("cards.listed", "", after={"cards": new})
    return new
