"""What providers tell us by themselves: checked and settled once, or refused, counted and shown."""

from __future__ import annotations

from flask import current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from .. import web
from ..errors import NotFound
from . import attempts, complaints, disputes, events
from .blueprint import blueprint
from .gateways import NoticeForeign, NoticeForged
from .gateways.offered import set_up

web.exempt_from_csrf("payment.notice")

LARGEST_BYTES = 256 * 1024
"""No provider's notice is a tenth of this."""


@blueprint.post("/payments/notices/<gateway>")
def notice(gateway: str) -> ResponseReturnValue:
    """A provider tells us, once, twice, late or out of order: settled once. What was taken before
    is thanked for again and changes nothing."""
    found = set_up(current_app.config).get(gateway)
    if found is None:
        raise NotFound("This shop has no such gateway")
    digest = ""
    try:
        body = _body()
        digest = events.digest_of(body)
        told = found.read_notice(dict(request.headers), body)
        if told.complaint:
            complaints.hear(found, told.complaint, digest)
        elif told.claim is not None:
            disputes.take(told, digest)
        elif told.answer is not None and not events.known(found.name, digest):
            attempts.take_notice(told, digest)
    except (NoticeForged, NotFound, NoticeForeign) as refusal:
        events.refuse(found.name, "notice", refusal, digest=digest)
        raise
    return (found.thanks, 200) if found.thanks else ("", 204)


def _body() -> bytes:
    """What was sent, as it was signed. Raises NoticeForged where it is larger than any notice."""
    try:
        request.max_content_length = LARGEST_BYTES
        return request.get_data(cache=True)
    except RequestEntityTooLarge as error:
        raise NoticeForged("The notice is larger than any") from error
