"""Identity: who a person is, what they are known by, and what they may do."""

from .confirm_views import confirmed, refuse_stale_sign_in, signed_in_anew
from .identifiers import (
    IdentifierTaken,
    find,
    is_proven,
    normalise,
    proven_by,
    proven_mail,
    proven_mails,
    proven_phone,
)
from .login import SignInNeeded, caller, current, needs, recognise, safe_next, signed_in
from .members import add_member, by_id, first_owner, names_of, others_who_may
from .merged import now_of
from .models import Member
from .payer_views import payer, payer_asked_at
from .roles import PERMISSIONS, SCOPES, allows
from .sign_ins import is_stale as visit_is_stale
from .sign_ins import visitor_query
from .tokens import TokenInvalid, issue_token, member_of_token
from .tries import begin as count_tries
from .tries import forgive as forgive_tries
from .visitors import Visitor
from .watching import rights_by_visit

__all__ = [
    "PERMISSIONS", "SCOPES", "IdentifierTaken", "Member", "SignInNeeded", "TokenInvalid", "Visitor",
    "add_member", "allows", "by_id", "caller", "confirmed", "count_tries", "current", "find",
    "first_owner", "forgive_tries", "is_proven", "issue_token", "member_of_token", "names_of",
    "needs", "normalise", "now_of", "others_who_may", "payer", "payer_asked_at", "proven_by",
    "proven_mail", "proven_mails", "proven_phone", "recognise", "refuse_stale_sign_in",
    "rights_by_visit", "safe_next", "signed_in", "signed_in_anew", "visit_is_stale",
    "visitor_query",
]  # fmt: skip
