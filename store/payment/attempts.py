"""Attempts: the life of a payment with money from outside.

    begin     written down, with the number that the provider gets             one transaction
    start     the provider is asked (`asking`)                            no transaction is open
    settle    what was said becomes true here, and what it pays for follows    one transaction

The shopper's return, the provider's notice and our own asking are three ways to the same `settle`,
any number of times in any order. What an attempt is for is served by a room that says so with
`serves`: its joiners run in the transaction that settles, so that money which has come and what it
pays for are one commit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from .. import clock, ids
from ..db import db, in_transaction, repeatable, transaction
from ..errors import NotFound, Refusal, Unavailable
from . import cards, events
from .gateways import Answer, Approved, Declined, Notice, NoticeForeign, Pending
from .models import OPEN, Attempt

__all__ = [
    "TRANSITIONS",
    "Ends",
    "KeyReused",
    "Wanted",
    "begin",
    "find",
    "give_up",
    "serves",
    "settle",
    "take_notice",
]

# (state, event) → state; what is not here changes nothing. Late money is money: an attempt that
# failed or that we gave up is captured all the same. Money that came never leaves by an answer to
# the question whether it comes.
TRANSITIONS = {
    ("created", "asked"): "pending",
    ("created", "authorised"): "authorised",
    ("created", "paid"): "captured",
    ("created", "declined"): "failed",
    ("created", "given_up"): "expired",
    ("pending", "asked"): "pending",
    ("pending", "authorised"): "authorised",
    ("pending", "paid"): "captured",
    ("pending", "declined"): "failed",
    ("pending", "given_up"): "expired",
    ("authorised", "paid"): "captured",
    ("authorised", "declined"): "failed",
    ("authorised", "given_up"): "expired",
    ("failed", "paid"): "captured",
    ("expired", "paid"): "captured",
    ("captured", "sent_part_back"): "partly_refunded",
    ("captured", "sent_all_back"): "refunded",
    ("captured", "disputed"): "disputed",
    ("partly_refunded", "sent_part_back"): "partly_refunded",
    ("partly_refunded", "sent_all_back"): "refunded",
    ("partly_refunded", "disputed"): "disputed",
    ("disputed", "kept"): "captured",
    ("disputed", "kept_rest"): "partly_refunded",
    ("disputed", "sent_all_back"): "refunded",
}
EVENTS = tuple(dict.fromkeys(event for _, event in TRANSITIONS))

FIRST_ASKED_AFTER = timedelta(seconds=5)


class KeyReused(Refusal):
    """The same key came with other contents."""

    code = "key_reused"
    status = 409
    title = "This key was used for something else"


@dataclass(frozen=True)
class Wanted:
    """What a shopper asks for: so much, by this way of paying, under the key of their page; or of
    the till of `sold_by`. A kept card pays (`saved_id`), or the one that pays is kept.
    `payer`: whose WeChat pays (`gateways.Order`). `back_to`: where a top-up leads on to."""

    member_id: int | None
    amount_minor: int
    currency: str
    key: str
    wish: str = "approve"
    way: str = ""
    subject: str = ""
    base_url: str = ""
    address: str = ""
    sold_by: int | None = None
    guest_id: int | None = None
    saved_id: str | None = None
    keeps: bool = False
    payer: str = field(default="", repr=False)
    back_to: str = ""


class Ends(NamedTuple):
    """What follows for the thing that an attempt is for: joiners, called once each."""

    paid: Callable[[Attempt], None]
    over: Callable[[Attempt], None]


_served: dict[str, Ends] = {}


def serves(purpose: str, ends: Ends) -> None:
    """Say what follows when an attempt for this purpose is paid, or comes to nothing."""
    _served[purpose] = ends


@dataclass
class _Said:
    source: str
    answer: Answer | None
    digest: str = ""
    event: str = field(init=False)

    def __post_init__(self) -> None:
        self.event = _EVENT_OF.get(type(self.answer), "told")
        if isinstance(self.answer, Pending) and self.answer.to_capture:
            self.event = "authorised"


_EVENT_OF: dict[type, str] = {Approved: "paid", Declined: "declined", Pending: "asked"}


def begin(
    wanted: Wanted, gateway: str, purpose: str, lasts: timedelta, *, number: int = 1
) -> Attempt:
    """Joiner: write an attempt down, before anybody is asked."""
    at = clock.now()
    mine = Attempt(
        id=ids.new(), member_id=wanted.member_id, purpose=purpose, key=wanted.key, number=number,
        sold_by=wanted.sold_by, guest_id=wanted.guest_id, gateway=gateway, way=wanted.way,
        refunded_minor=0,
        amount_minor=wanted.amount_minor, currency=wanted.currency, state="created",
        created_at=at, ends_at=at + lasts, ask_at=at + FIRST_ASKED_AFTER,
        saved_id=wanted.saved_id, keeps=wanted.keeps, back_to=wanted.back_to,
    )  # fmt: skip
    in_transaction().add(mine)
    return mine


def settle(attempt_id: str, answer: Answer | None, source: str = "query", digest: str = "") -> str:
    """What was said becomes true here, once; answers the state. Raises NotFound, NoticeForeign
    where another amount or currency was paid than we asked for, Unavailable."""
    said = _Said(source, answer, digest)
    for last in (False, False, False, True):
        try:
            return _settle(attempt_id, said)
        except (Unavailable, IntegrityError) as error:
            # Another process took the goods, or told the same, between our reading and writing.
            if last:
                raise Unavailable("The payment could not be settled just now") from error
    raise AssertionError("unreachable")


@repeatable
def _settle(attempt_id: str, said: _Said) -> str:
    with transaction():
        mine = locked(attempt_id)
        if said.digest and events.taken(mine.gateway, said.digest):
            return mine.state
        _compare(mine, said.answer)
        return step(mine, said.event, said.source, answer=said.answer, digest=said.digest)


def locked(attempt_id: str) -> Attempt:
    """Joiner: an attempt as it is now, ours until the commit. Raises NotFound."""
    query = select(Attempt).where(Attempt.id == attempt_id).with_for_update()
    # Who has read it before and then waited for it must not go on with what it was.
    mine = in_transaction().scalar(query.execution_options(populate_existing=True))
    if mine is None:
        raise NotFound("There is no such payment")
    return mine


def _compare(mine: Attempt, answer: Answer | None) -> None:
    """A provider that took another amount than we asked for has not paid this attempt."""
    if not isinstance(answer, Approved):
        return
    paid = (answer.amount_minor, answer.currency)
    if paid != (None, None) and paid != (mine.amount_minor, mine.currency):
        raise NoticeForeign("Another amount or currency than was asked for")


def step(
    mine: Attempt, event: str, source: str, *, answer: Answer | None = None, digest: str = ""
) -> str:
    """Joiner: one step in the life of an attempt that is locked; answers the state. An event that
    says nothing new is not written down, a notice always is."""
    before, state = mine.state, TRANSITIONS.get((mine.state, event))
    news = _news(answer) if state in OPEN else {}
    changed = {name: value for name, value in news.items() if getattr(mine, name) != value}
    if digest or (state is not None and (state != before or changed)):
        detail = answer.reason if isinstance(answer, Declined) else ""
        events.note(mine, source, event, state or before, detail=detail, digest=digest)
    if state is None or (state == before and not changed and not event.startswith("sent_")):
        return before
    values: dict[str, object] = {"state": state, **changed}
    if isinstance(answer, Approved):
        values["reference"] = events.plain(answer.reference, 128)
    if state not in OPEN:
        values["settled_at"] = clock.now()
    in_transaction().execute(update(Attempt).where(Attempt.id == mine.id).values(**values))
    in_transaction().refresh(mine)
    if event == "paid":
        _served[mine.purpose].paid(mine)
        if mine.keeps:
            cards.want(mine)
    elif state in ("failed", "expired") and before in OPEN:
        _served[mine.purpose].over(mine)
    return state


def _news(answer: Answer | None) -> dict[str, str]:
    """What a pending answer tells; what it is silent about stays as it was."""
    if not isinstance(answer, Pending):
        return {}
    told = {
        "reference": events.plain(answer.reference, 128), "next_url": answer.next_url,
        "code": answer.code,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value}


def take_notice(notice: Notice, digest: str = "") -> str:
    """Settle by what the provider told us by itself. Raises NotFound, NoticeForeign."""
    mine = find(notice.payment_id)
    if (mine.amount_minor, mine.currency) != (notice.amount_minor, notice.currency):
        raise NoticeForeign("Another amount or currency than was asked for")
    return settle(mine.id, notice.answer, "notice", digest)


@repeatable
def give_up(attempt_id: str, source: str = "query") -> str:
    """Opener: wait no longer for an attempt; answers its state. Late money is still booked."""
    with transaction():
        return step(locked(attempt_id), "given_up", source)


def find(
    attempt_id: str, member_id: int | None = None, purpose: str | None = None,
    sold_by: int | None = None, guest_id: int | None = None,
) -> Attempt:  # fmt: skip
    """An attempt; with a member or a guest's device, only theirs; with a seller, only of their
    till. Raises NotFound."""
    db.session.expire_all()
    mine = db.session.get(Attempt, attempt_id)
    if (
        mine is None
        or not _is_of(mine, member_id, guest_id)
        or (sold_by is not None and mine.sold_by != sold_by)
        or (purpose is not None and mine.purpose != purpose)
    ):
        raise NotFound("There is no such payment")
    return mine


def _is_of(mine: Attempt, member_id: int | None, guest_id: int | None) -> bool:
    """Whether an attempt is this member's, or of this device and nobody else's; anybody's where
    neither is asked for."""
    if member_id is None and guest_id is None:
        return True
    if mine.sold_by is not None:
        return False
    if mine.member_id is not None:
        return mine.member_id == member_id
    return mine.guest_id is not None and mine.guest_id == guest_id


def with_key(
    member_id: int | None, key: str, sold_by: int | None = None, guest_id: int | None = None
) -> Attempt | None:
    """Joiner: the newest attempt with this key of a member's page, of a guest's, or of a seller's
    till."""
    mine = Attempt.sold_by == sold_by if sold_by is not None else Attempt.member_id == member_id
    if guest_id is not None:
        mine = Attempt.guest_id == guest_id
    query = select(Attempt).where(mine, Attempt.key == key)
    return in_transaction().scalar(query.order_by(Attempt.number.desc()).limit(1))


def lock_key(member_id: int | None, key: str) -> None:
    """Joiner: of two pages with this key of a member, the second waits here for the first, and then
    reads what became of it."""
    first = (Attempt.member_id == member_id, Attempt.key == key, Attempt.number == 1)
    in_transaction().execute(select(Attempt.id).where(*first).with_for_update())


def open_count(gateway: str) -> int:
    """How many attempts of a gateway nobody knows the end of."""
    query = select(func.count()).where(Attempt.state.in_(OPEN), Attempt.gateway == gateway)
    return int(db.session.scalar(query) or 0)


def open_at_till(seller_id: int) -> list[Attempt]:
    """Codes of a seller's till that wait to be paid, the newest first."""
    query = select(Attempt).where(Attempt.sold_by == seller_id, Attempt.state.in_(OPEN))
    return list(db.session.scalars(query.order_by(Attempt.created_at.desc()).limit(5)))
