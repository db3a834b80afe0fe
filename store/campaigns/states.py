"""The life of a campaign: a draft, running, paused, ended; or a draft that was dropped.

Each step is one guarded statement on the campaign's row, so of two at once one is made.
"""

from __future__ import annotations

from sqlalchemy import select, update

from .. import catalogue, clock, logbook
from ..db import in_transaction
from ..errors import NotFound, Refusal
from .models import Campaign

__all__ = ["EVENTS", "STATES", "TRANSITIONS", "CampaignMoved", "move", "steps_of"]

STATES = ("draft", "running", "paused", "ended", "dropped")
EVENTS = ("start", "pause", "resume", "end", "finish", "drop")

TRANSITIONS: dict[tuple[str, str], str] = {
    ("draft", "start"): "running", ("draft", "drop"): "dropped",
    ("running", "pause"): "paused", ("running", "end"): "ended", ("running", "finish"): "ended",
    ("paused", "resume"): "running", ("paused", "end"): "ended",
}  # fmt: skip
"""What becomes of it; what is not here is refused. `finish` is the worker's: all had their turn."""


class CampaignMoved(Refusal):
    """Somebody else has moved it on, or it does not go from there. `data`: state."""

    code = "campaign_moved"
    status = 409
    title = "This campaign has been moved on meanwhile"


def steps_of(state: str) -> list[str]:
    """What a person can do with it."""
    return [event for (at, event), _ in TRANSITIONS.items() if at == state and event != "finish"]


def move(campaign_id: int, event: str) -> str:
    """Joiner: the next state. Raises NotFound, CampaignMoved."""
    session, now = in_transaction(), clock.now()
    for (before, what), after in TRANSITIONS.items():
        if what != event:
            continue
        values: dict[str, object] = {"state": after}
        if event == "start":
            values["started_at"] = now
        if after in ("ended", "dropped"):
            values["ended_at"] = now
        query = update(Campaign).where(Campaign.id == campaign_id, Campaign.state == before)
        if session.connection().execute(query.values(values)).rowcount:
            _mark(campaign_id)
            _note(campaign_id, event)
            return after
    state = session.get(Campaign, campaign_id, populate_existing=True)
    if state is None:
        raise NotFound("There is no such campaign")
    raise CampaignMoved(state=state.state)


def _mark(campaign_id: int) -> None:
    """Item pages know by the mark of the rules whether a campaign of the pages runs."""
    channel = in_transaction().scalar(select(Campaign.channel).where(Campaign.id == campaign_id))
    if channel == "page":
        catalogue.mark_rules()


def _note(campaign_id: int, event: str) -> None:
    if event == "start":
        logbook.note("campaign.started", campaign_id)
    elif event == "pause":
        logbook.note("campaign.paused", campaign_id)
    elif event == "resume":
        logbook.note("campaign.resumed", campaign_id)
    elif event == "end":
        logbook.note("campaign.ended", campaign_id)
    elif event == "drop":
        logbook.note("campaign.dropped", campaign_id)
