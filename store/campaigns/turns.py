"""Turns: one member of a campaign after the other is told, or is held out, by bites of the worker.

A turn is a transaction that locks the campaign, the members' rows in it and the members: pausing,
and a withdrawn consent, lie before it or after it. A letter is in the post in the same commit as
its row moves on, so a killed worker leaves neither without the other, and two workers take other
rows. When the post comes to write it, all is looked at once more (`hand_over`), under the same
locks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Row, Select, func, select, update

from .. import clock, identity, membership, post, web
from ..db import connection, db, in_transaction, repeatable, transaction
from ..identity.merged import gone_of
from ..membership import consents
from . import hours, states
from .drawing import draw
from .models import Campaign, CampaignMember

__all__ = ["AT_ONCE", "LETTER", "MOST_WAITING", "Told", "follow", "hand_over", "take", "work"]

LETTER = "campaign"
AT_ONCE = 20
"""Turns of one commit: who buys waits for some 20 ms at most."""
MOST_WAITING = 100
"""So many letters of a campaign are in the post at a time: a receipt waits for no more of them."""
PAUSE = timedelta(minutes=1)


class Told(NamedTuple):
    """What a letter is written from."""

    campaign: Campaign
    member_id: int
    agreed_at: datetime
    coupon: str | None


def take(campaign_id: int, most: int = AT_ONCE) -> int:
    """Opener: the next bite of turns; answers how many there were."""
    if db.session.execute(_waiting(campaign_id).limit(1)).first() is None:
        return 0  # An idle worker must not take the writer's place every second.
    return _take(campaign_id, most)


@repeatable
def _take(campaign_id: int, most: int) -> int:
    with transaction() as session:
        query = select(Campaign).where(
            Campaign.id == campaign_id, Campaign.state == "running", Campaign.drawn_at.is_not(None)
        )
        plan = session.scalar(query.with_for_update(read=True))
        if plan is None:
            return 0
        if plan.channel in hours.LETTERS:
            most = min(most, MOST_WAITING - _in_post(campaign_id))
        rows = _next(campaign_id, most) if most > 0 else []
        why = _refusals(plan, [row.member_id for row in rows if not row.held])
        for row in rows:
            _turn(plan, row, why.get(row.member_id, ""))
        return len(rows)


def _waiting(campaign_id: int) -> Select[int, int]:
    return select(CampaignMember.member_id, CampaignMember.held).where(
        CampaignMember.campaign_id == campaign_id, CampaignMember.state == "drawn"
    )


def _next(campaign_id: int, most: int) -> Sequence[Row[int, int]]:
    query = _waiting(campaign_id).order_by(CampaignMember.member_id).limit(most)
    return in_transaction().execute(query.with_for_update(skip_locked=True)).all()


def _refusals(plan: Campaign, members: list[int]) -> dict[int, str]:
    """Why these are not told, of whom something stands in the way. Locks them."""
    here = set(consents.lock(members)) - _closed(members)
    agreed = consents.has_given(members, plan.channel)
    others = _told_as_another(plan.id, members)
    full = hours.full(members) if plan.channel in hours.LETTERS else set()
    found = {}
    for member in members:
        for why, holds in (
            ("gone", member not in here), ("withdrawn", member not in agreed),
            ("merged", member in others), ("cap", member in full),
        ):  # fmt: skip
            if holds:
                found[member] = why
                break
    return found


def _closed(members: list[int]) -> set[int]:
    query = select(identity.Member.id).where(
        identity.Member.id.in_(members), identity.Member.disabled_at.is_not(None)
    )
    return set(connection().execute(query).scalars())


def _told_as_another(campaign_id: int, members: list[int]) -> set[int]:
    """Who of these was told, or held out, by another account, which came into theirs since. What
    was in the post for that one goes no further: it is closed."""
    gone = gone_of(members)
    if not gone:
        return set()
    query = select(CampaignMember.member_id).where(
        CampaignMember.campaign_id == campaign_id, CampaignMember.member_id.in_(list(gone)),
        CampaignMember.state.in_(("told", "bounced", "passed")),
    )  # fmt: skip
    return {gone[member] for member in connection().execute(query).scalars()}


def _turn(plan: Campaign, row: Row[int, int], why: str) -> None:
    to = None if row.held or why else _address(row.member_id, plan.channel)
    if not row.held and not why and to is None and plan.channel in hours.LETTERS:
        why = "no_address"
    state = "passed" if row.held else "skipped" if why else "queued"
    if not _move_on(plan, row.member_id, state, why) or state != "queued":
        return
    values: dict[str, object] = {}
    if plan.coupon and plan.own_codes:
        values["coupon_id"] = membership.give(plan.coupon, row.member_id)
    if to is not None:
        language = identity.by_id(row.member_id).language or web.setting("LANGUAGE")
        values["letter_id"] = post.put(LETTER, f"{plan.id}:{row.member_id}", to, language)
    if values:
        mine = (CampaignMember.campaign_id == plan.id, CampaignMember.member_id == row.member_id)
        in_transaction().execute(update(CampaignMember).where(*mine).values(values))


def _move_on(plan: Campaign, member_id: int, state: str, why: str) -> bool:
    """The guarded statement: a turn comes once."""
    now = clock.now()
    query = update(CampaignMember).where(
        CampaignMember.campaign_id == plan.id, CampaignMember.member_id == member_id,
        CampaignMember.state == "drawn",
    )  # fmt: skip
    values = {"state": state, "why": why, "turn_at": now,
              "until_at": now + timedelta(days=plan.days)}  # fmt: skip
    return bool(in_transaction().connection().execute(query.values(values)).rowcount)


def _address(member_id: int, channel: str) -> str | None:
    if channel == "mail":
        return identity.proven_mail(member_id)
    return identity.proven_phone(member_id) if channel == "sms" else None


def _in_post(campaign_id: int) -> int:
    query = select(func.count()).select_from(CampaignMember)
    query = query.where(
        CampaignMember.campaign_id == campaign_id, CampaignMember.letter_id.is_not(None)
    )
    return int(connection().scalar(query) or 0)


# The post writes a letter


@repeatable
def hand_over(campaign_id: int, member_id: int, to: str) -> Told | None:
    """Opener: this letter goes out now, and the row says so; None where it is not to. Raises NotNow
    while the campaign is paused, and in quiet hours."""
    now = clock.now()
    with transaction() as session:
        query = select(Campaign).where(Campaign.id == campaign_id)
        plan = session.scalar(query.with_for_update(read=True))
        mine = (CampaignMember.campaign_id == campaign_id, CampaignMember.member_id == member_id,
                CampaignMember.state.in_(("queued", "told")), CampaignMember.held == 0)  # fmt: skip
        row = session.scalar(select(CampaignMember).where(*mine).with_for_update())
        if plan is None or row is None:
            return None
        if plan.state == "paused":
            raise post.NotNow(now + PAUSE)
        if until := hours.quiet_until(now):
            raise post.NotNow(until)
        here, agreed = _word(member_id, plan.channel)
        if plan.state != "running":
            why = "ended"
        elif not here:
            why = "gone"
        elif agreed is None:
            why = "withdrawn"
        else:
            why = "" if _address(member_id, plan.channel) == to else "no_address"
        row.state, row.why = ("skipped", why) if why else ("told", "")
        row.told_at = row.told_at or (None if why else now)
        if why or agreed is None:
            return None
        coupon = membership.code_of(row.coupon_id) if plan.own_codes else plan.coupon
        return Told(plan, member_id, agreed, coupon)


def _word(member_id: int, channel: str) -> tuple[bool, datetime | None]:
    """Whether a member is here, and since when they want this way. Locks them."""
    here = bool(consents.lock([member_id])) and not _closed([member_id])
    word = consents.standing(member_id).get(channel)
    return here, word.at if word is not None and word.what == "given" else None


# The worker


def work() -> int:
    """Opener, many times: all that campaigns have to do now; answers how many turns there were."""
    done = 0
    for campaign_id, channel, is_drawn, until in _running():
        follow(campaign_id)
        if not is_drawn:
            draw(campaign_id)
        if channel in hours.LETTERS and hours.quiet_until(clock.now()):
            continue
        while turns := take(campaign_id):
            done += turns
        _finish(campaign_id, channel, until)
    return done


def _running() -> list[tuple[int, str, bool, datetime | None]]:
    now = clock.now()
    query = select(Campaign.id, Campaign.channel, Campaign.drawn_at, Campaign.days).where(
        Campaign.state == "running", (Campaign.due_at.is_(None)) | (Campaign.due_at <= now)
    )
    found = [
        (row.id, row.channel, row.drawn_at is not None,
         row.drawn_at + timedelta(days=row.days) if row.drawn_at else None)
        for row in db.session.execute(query.order_by(Campaign.id))
    ]  # fmt: skip
    db.session.rollback()
    return found


def follow(campaign_id: int) -> None:
    """Opener: what became of letters that are no longer in the post."""
    query = select(CampaignMember.member_id, CampaignMember.letter_id).where(
        CampaignMember.campaign_id == campaign_id, CampaignMember.letter_id.is_not(None)
    )
    rows = db.session.execute(query).all()
    known = post.states_of([row.letter_id for row in rows]) if rows else {}
    db.session.rollback()
    over = [row for row in rows if known.get(row.letter_id) != "waits"]
    if over:
        _settle(campaign_id, [(row.member_id, known.get(row.letter_id, "")) for row in over])


@repeatable
def _settle(campaign_id: int, over: list[tuple[int, str]]) -> None:
    with transaction() as session:
        for member_id, state in over:
            mine = (CampaignMember.campaign_id == campaign_id,
                    CampaignMember.member_id == member_id)  # fmt: skip
            query = select(CampaignMember).where(*mine).with_for_update()
            row = session.scalar(query)
            if row is None or row.letter_id is None:
                continue
            row.letter_id = None
            if state == "dead" and row.state in ("queued", "told"):
                row.state = "bounced"
            elif row.state == "queued":
                row.state, row.why = "skipped", "lost"  # Its letter went with its address.


def _finish(campaign_id: int, channel: str, until: datetime | None) -> None:
    """A campaign of letters is over when all had their turn and nothing of it is in the post; one
    of the pages when nobody is measured any more."""
    waiting = db.session.execute(_waiting(campaign_id).limit(1)).first()
    is_over = waiting is None and not _in_post(campaign_id)
    if channel not in hours.LETTERS:
        is_over = until is not None and clock.now() >= until
    db.session.rollback()
    if is_over:
        _end(campaign_id)


@repeatable
def _end(campaign_id: int) -> None:
    with transaction() as session:
        plan = session.scalar(select(Campaign).where(Campaign.id == campaign_id).with_for_update())
        if plan is not None and plan.state == "running" and plan.drawn_at is not None:
            states.move(campaign_id, "finish")
