"""The member's code: on the member's phone, and what a till does with it."""

from __future__ import annotations

from flask import Response, flash, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from ... import clock, identity, web
from ...errors import Refusal
from ...identity import member_codes
from ...labels import live
from .. import forms
from ..shown_views import blueprint
from ..staff import member_numbered

__all__ = ["code_was_shown", "from_code", "shown_here"]


@blueprint.get("/me/code", endpoint="member_code")
def page() -> str:
    """The code of this moment; without script the page comes again by itself."""
    member, at = identity.signed_in(), clock.now()
    return render_template(
        "sales/member_code.html", name=member.name or str(member.id), at=at,
        shown=_codes(member.id, 0)[0],
    )  # fmt: skip


@blueprint.get("/me/code.svg", endpoint="member_code_image")
def image() -> ResponseReturnValue:
    """The code of this moment; with ?ahead=N the codes of the next steps too, as JSON."""
    member, ahead = identity.signed_in(), request.args.get("ahead")
    if ahead is None:
        answer = Response(_codes(member.id, 0)[0].svg, mimetype="image/svg+xml")
    else:
        codes = _codes(member.id, live.read_ahead(ahead))
        answer = jsonify(live.as_json("live", clock.now(), codes))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _codes(member_id: int, ahead: int) -> list[live.Code]:
    base, key = web.base_url(), forms.key()

    def address_at(step: int) -> str:
        return f"{base}/desk/till?code={member_codes.text_for(member_id, step, key)}"

    return live.codes(address_at, clock.now(), ahead)


# At the till


def from_code(text: str) -> dict[str, str]:
    """What the till's address holds once a member's code was scanned: who, and that they were here.
    Nothing where the code is not good: the page says why."""
    try:
        member = member_numbered(str(member_codes.read(text, clock.now(), forms.key())))
        if member is None:
            raise member_codes.CodeUnknown("There is no such member any more")
    except member_codes.CodeStale:
        flash(gettext("That code is not live. Ask for the page itself, not a picture."), "bad")
    except Refusal:
        flash(gettext("This is not a member's code of this shop."), "bad")
    else:
        seller = identity.signed_in().id
        seen = member_codes.proof(member.id, seller, clock.now(), forms.key())
        return {"member": str(member.id), "shown": seen}
    return {}


def shown_here() -> str:
    """The proof that this page carries, if it has the shape of one."""
    said = request.values.get("shown", "")
    return said if len(said) <= 40 and said.isascii() else ""


def code_was_shown(member_id: int) -> bool:
    """Whether this till saw the member's own code for this basket."""
    seller = identity.signed_in().id
    return member_codes.proven(shown_here(), member_id, seller, clock.now(), forms.key())
