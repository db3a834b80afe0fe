"""The steps of a spot check, from the first look to the end. Each is an opener: one transaction in
which the sale is held and the check moves by a guarded statement, so that of two at once one
counts.

    open ── passed ──────────────▶ ended (all was right)
    open ── asked ─▶ asked ── yes ─▶ ended (the difference was paid, given back, or both)
    open, asked ── refused ─▶ refused ── its pass scanned again ─▶ open

The pass is used in the transaction that ends the check, never before.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select, update

from .. import logbook, sales
from ..db import in_transaction, insert_new, repeatable, transaction
from ..errors import NotFound, Refusal
from . import ages
from .bags import Piece, to_buy, to_give_back
from .models import PassUse, SpotCheck, SpotScan
from .spots import pieces_of
from .uses import ACCEPTED, Check, note, take

TRANSITIONS = {
    ("open", "scan"): "open", ("open", "widen"): "open", ("open", "pass"): "ended",
    ("open", "ask"): "asked", ("open", "anew"): "open", ("asked", "anew"): "open",
    ("asked", "settle"): "ended", ("open", "refuse"): "refused", ("asked", "refuse"): "refused",
}  # fmt: skip
MOST_SCANS = 2_000


class CheckOver(Refusal):
    """The check is in another state by now: somebody else was faster. `data`: state."""

    code = "check_over"
    title = "This check has moved on"


class BagDiffers(Refusal):
    """Not enough was scanned, or something else than was paid. `data`: unpaid, absent, scanned,
    wanted (pieces)."""

    code = "bag_differs"
    title = "The bag is not what was paid"


class BagFits(Refusal):
    """There is no difference to ask for: the bag may leave."""

    code = "bag_fits"
    title = "The bag is what was paid"


class NobodyToAsk(Refusal):
    """The sale is in nobody's name: what is missing is sold at the till, what is too much is given
    back there."""

    code = "nobody_to_ask"
    title = "Nobody's phone can say yes"


class Ours(NamedTuple):
    """A check that this transaction holds, with its sale and the bag of this round."""

    check: SpotCheck
    receipt: sales.Receipt
    pieces: list[Piece]

    @property
    def scanned(self) -> int:
        return sum(piece.found for piece in self.pieces)

    @property
    def least_age(self) -> int:
        """From which age what is paid is, and what is there besides."""
        more = ages.needed(piece.item_id for piece in self.pieces if piece.unpaid)
        return max(ages.waits_for(self.receipt), more)

    @property
    def unpaid(self) -> int:
        return sum(piece.unpaid for piece in self.pieces)

    @property
    def absent(self) -> int:
        return sum(piece.absent for piece in self.pieces)


@repeatable
def scan(sale_id: str, item_id: int, quantity: int, staff_id: int, key: str, at: datetime) -> bool:
    """One piece (1), or one back (-1). Something that was not paid makes the check one of the whole
    bag. Answers whether it was counted: not what was never scanned. Raises NotFound, CheckOver."""
    with transaction() as session:
        ours = _held(sale_id, "scan")
        row = {"sale_id": sale_id, "round": ours.check.round, "key": key, "item_id": item_id,
               "quantity": quantity, "staff_id": staff_id, "at": at}  # fmt: skip
        before = {piece.item_id: piece.found for piece in ours.pieces}
        if (quantity < 0 and not before.get(item_id)) or ours.scanned + quantity > MOST_SCANS:
            return False
        session.connection().execute(insert_new(SpotScan), row)
        if any(piece.unpaid for piece in pieces_of(ours.check, ours.receipt)):
            _move(ours.check, "scan", whole=True)
        return True


@repeatable
def pass_(sale_id: str, asked: Check) -> sales.Receipt:
    """The bag is right, and leaves. Repeated with its key, the same answer. Raises NotFound,
    CheckOver, AgeFirst, AgeRefused, BagDiffers."""
    with transaction():
        try:
            ours = _held(sale_id, "pass")
        except CheckOver:
            if (receipt := _passed(sale_id, asked)) is not None:
                return receipt
            raise
        check = ours.check
        ages.refuse_unanswered(ours.receipt, ours.least_age)
        enough = ours.unpaid == 0 and (
            ours.absent == 0 if check.whole else ours.scanned >= check.sample
        )
        if not enough:
            wanted = ours.receipt.kept_pieces if check.whole else check.sample
            raise BagDiffers(unpaid=ours.unpaid, absent=ours.absent, scanned=ours.scanned,
                             wanted=wanted)  # fmt: skip
        _move(check, "pass", outcome="ok", ended_at=asked.at, ended_by=asked.staff_id)
        logbook.note("check.passed", sale_id, place_id=check.location_id)
        _leave([sale_id], asked)
        return ours.receipt


@repeatable
def widen(sale_id: str) -> None:
    """Something looks different: the whole bag is scanned. Raises NotFound, CheckOver."""
    with transaction():
        ours = _held(sale_id, "widen")
        _move(ours.check, "widen", whole=True)


@repeatable
def anew(sale_id: str) -> None:
    """The scanning begins again, from an empty table. Raises NotFound, CheckOver."""
    with transaction():
        ours = _held(sale_id, "anew")
        _move(ours.check, "anew", round=ours.check.round + 1, whole=True, **_NOTHING)


@repeatable
def ask(sale_id: str) -> None:
    """The whole bag is scanned: what is different is shown to the shopper, with what it comes to.
    Raises NotFound, CheckOver, AgeFirst, AgeRefused, NobodyToAsk, BagFits, ItemNotForSale,
    OutOfStock, NotSoManyLeft."""
    with transaction():
        ours = _held(sale_id, "ask")
        if not ours.check.whole:
            raise BagDiffers(unpaid=ours.unpaid, absent=ours.absent, scanned=ours.scanned,
                             wanted=ours.receipt.kept_pieces)  # fmt: skip
        ages.refuse_unanswered(ours.receipt, ours.least_age)
        _ask(ours, "ask")
        logbook.note("check.asked", sale_id, place_id=ours.check.location_id)


@repeatable
def refuse(sale_id: str, asked: Check) -> None:
    """The shopper wants no check, or no difference: the goods stay, and the pass is not used.
    Raises NotFound, CheckOver."""
    with transaction():
        ours = _held(sale_id, "refuse")
        _move(ours.check, "refuse", ended_at=asked.at, ended_by=asked.staff_id)
        note(sale_id, asked, "check_refused")
        logbook.note("check.refused", sale_id, place_id=ours.check.location_id)


@repeatable
def decline(sale_id: str, member_id: int, round_: int) -> None:
    """The shopper's no: nothing was charged, and staff scan again or take out what is not paid.
    Raises NotFound, CheckOver."""
    with transaction():
        ours = _held(sale_id, "anew")
        if ours.receipt.member_id != member_id:
            raise NotFound("There is no such check")
        if (ours.check.state, ours.check.round) != ("asked", round_):
            raise CheckOver(state=ours.check.state)
        _move(ours.check, "anew", round=round_ + 1, whole=True, **_NOTHING)


class Yes(NamedTuple):
    """The shopper's yes to what their phone showed in this round; `is_confirmed` by their PIN where
    a limit holds."""

    sale_id: str
    member_id: int
    round: int
    is_confirmed: bool
    at: datetime


@repeatable
def settle(yes: Yes) -> SpotCheck:
    """Charge, give back, let the goods leave, in one transaction. Any number of times: once.
    Raises NotFound (also where it is not theirs), CheckOver, and what a correction raises:
    PriceRose, OutOfStock, InsufficientFunds, ConfirmationNeeded, NotSoManyLeft."""
    with transaction() as session:
        sales.hold(yes.sale_id)
        check = _row(yes.sale_id)
        receipt = sales.receipt(yes.sale_id, yes.member_id)
        if receipt is None or check is None:
            raise NotFound("There is no such check")
        if check.state == "ended" and check.round == yes.round:
            return check
        if (check.state, "settle") not in TRANSITIONS or check.round != yes.round:
            raise CheckOver(state=check.state)
        ours = Ours(check, receipt, pieces_of(check, receipt))
        if not ours.unpaid and not ours.absent:
            raise CheckOver(state=check.state)
        ages.refuse_unanswered(receipt, ours.least_age)
        done = sales.correct(_correction(ours, yes))
        outcome = "both" if ours.unpaid and ours.absent else "missing" if ours.unpaid else "extra"
        _move(
            check, "settle", outcome=outcome, ended_at=yes.at, ended_by=check.staff_id,
            charged_minor=done.charged_minor, refunded_minor=done.refunded_minor,
            next_sale_id=done.sale_id, refund_id=done.refund_id, unpaid=ours.unpaid,
            absent=ours.absent,
        )  # fmt: skip
        by = Check(check.staff_id, check.location_id, yes.at, f"check-{check.sale_id}")
        if done.sale_id:
            ages.carry_over(done.sale_id, by)
        _leave([check.sale_id, *([done.sale_id] if done.sale_id else [])], by)
        session.refresh(check)
        return check


@repeatable
def price_anew(sale_id: str) -> None:
    """What was asked for has become dearer meanwhile: it is asked for as it is now."""
    with transaction():
        sales.hold(sale_id)
        check, receipt = _row(sale_id), sales.receipt(sale_id)
        if check is not None and receipt is not None and check.state == "asked":
            _ask(Ours(check, receipt, pieces_of(check, receipt)), None)


_NOTHING: dict[str, Any] = {"unpaid": 0, "absent": 0, "charged_minor": 0, "refunded_minor": 0}


def _held(sale_id: str, event: str) -> Ours:
    """Joiner: the check, its sale held. Raises NotFound, CheckOver."""
    sales.hold(sale_id)
    check, receipt = _row(sale_id), sales.receipt(sale_id)
    if check is None or receipt is None:
        raise NotFound("There is no such check")
    if (check.state, event) not in TRANSITIONS:
        raise CheckOver(state=check.state)
    return Ours(check, receipt, pieces_of(check, receipt))


def _row(sale_id: str) -> SpotCheck | None:
    query = select(SpotCheck).where(SpotCheck.sale_id == sale_id, SpotCheck.kind != "none")
    return in_transaction().scalar(
        query.with_for_update().execution_options(populate_existing=True)
    )


def _move(check: SpotCheck, event: str, **values: Any) -> None:
    """The guard: the check moves from the state and the round in which it was read, once."""
    state = TRANSITIONS[check.state, event]
    moved = in_transaction().execute(
        update(SpotCheck)
        .where(SpotCheck.sale_id == check.sale_id, SpotCheck.state == check.state,
               SpotCheck.round == check.round)
        .values(state=state, **values)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        raise CheckOver(state=check.state)


def _ask(ours: Ours, event: str | None) -> None:
    if ours.receipt.member_id is None:
        raise NobodyToAsk()
    if not ours.unpaid and not ours.absent:
        raise BagFits()
    charged, refunded = sales.preview(_correction(ours, None))
    values = {"unpaid": ours.unpaid, "absent": ours.absent, "charged_minor": charged,
              "refunded_minor": refunded}  # fmt: skip
    if event is not None:
        _move(ours.check, event, **values)
        return
    in_transaction().execute(
        update(SpotCheck)
        .where(SpotCheck.sale_id == ours.check.sale_id, SpotCheck.state == "asked")
        .values(**values)
    )


def _correction(ours: Ours, yes: Yes | None) -> sales.Correction:
    """What makes the sale fit the bag. The key is the round's: one buy for one yes."""
    check, receipt = ours.check, ours.receipt
    return sales.Correction(
        check.sale_id, receipt.member_id or 0, receipt.location_id, receipt.currency,
        to_give_back(receipt, ours.pieces), to_buy(ours.pieces),
        f"check-{check.sale_id}-{check.round}", check.staff_id,
        check.charged_minor, bool(yes and yes.is_confirmed),
    )  # fmt: skip


def _leave(sale_ids: list[str], asked: Check) -> None:
    """The goods of these sales are out of the shop: their passes are used."""
    for sale_id in sale_ids:
        if not take(sale_id, asked):
            raise RuntimeError("a pass was used while its bag was looked at")
    note(sale_ids[0], asked, ACCEPTED)


def _passed(sale_id: str, asked: Check) -> sales.Receipt | None:
    """The same step again, whose answer was lost."""
    use = in_transaction().get(PassUse, sale_id)
    if use is None or (use.staff_id, use.key) != (asked.staff_id, asked.key):
        return None
    return sales.receipt(sale_id)


__all__ = [
    "BagDiffers", "BagFits", "CheckOver", "NobodyToAsk", "Yes", "anew", "ask", "decline", "pass_",
    "price_anew", "refuse", "scan", "settle", "widen",
]  # fmt: skip
