"""Pages of outside accounts: there, back, and which of them a member has connected."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from .. import web
from ..db import db, transaction
from ..errors import NotFound, Refusal, TooMany
from . import confirm_views, forms, oidc, outside, pins, tries
from .code_views import fresh_digest, start_again, visit_digest, welcome
from .entering import MoreNeeded
from .login import caller, current, safe_next, signed_in
from .oidc import OIDC, OutsideAway, OutsideRefused
from .outside import LastSign, OutsideTaken
from .payer_views import remember_payer
from .sign_ins import MemberDisabled
from .wechat import INSIDE, WeChat

__all__ = ["register", "silent"]

Provider = OIDC | WeChat
NAMES = {"google": "Google", "apple": "Apple", "wechat": "WeChat"}
COOKIE = "outside"


def register(blueprint: Blueprint) -> None:
    """Add these pages to the room's."""
    one, add = "/outside/<provider>", blueprint.add_url_rule
    add(one, "outside", go)
    add(f"{one}/back", "outside_back", back)
    add(f"{one}/back", "outside_posted", posted, methods=["POST"])
    add("/me/outside", "outside_accounts", own)
    add("/me/outside/<number:account_id>/end", "remove_outside", remove, methods=["POST"])
    web.exempt_from_csrf("identity.outside_posted")
    blueprint.app_template_global("outside_providers")(_offered)


def _set_up() -> dict[str, Provider]:
    """Every provider whose settings are there. The way back must be an address that nobody but the
    shop can say, so there are none where its own is not set."""
    said = current_app.config
    found: dict[str, Provider] = {}
    if not said["BASE_URL"]:
        return found
    if said["GOOGLE_CLIENT_ID"]:
        google = (said["GOOGLE_CLIENT_ID"], said["GOOGLE_SECRET"])
        found["google"] = oidc.kept("google", "https://accounts.google.com", *google, None)
    if said["APPLE_CLIENT_ID"]:
        issuer = said["APPLE_URL"] or "https://appleid.apple.com"
        key = (said["APPLE_TEAM_ID"], said["APPLE_KEY_ID"])
        found["apple"] = oidc.kept("apple", issuer, said["APPLE_CLIENT_ID"], said["APPLE_KEY"], key)
    if said["OIDC_ISSUER"]:
        own = (said[f"OIDC_{word}"] for word in ("ISSUER", "CLIENT_ID", "SECRET"))
        found["oidc"] = oidc.kept("oidc", *own, None)
    app = (said["WECHAT_APP_ID"], said["WECHAT_APP_SECRET"])
    site = (said["WECHAT_SITE_APP_ID"], said["WECHAT_SITE_SECRET"])
    wechat = WeChat(app if all(app) else ("", ""), site if all(site) else ("", ""),
                    said["WECHAT_LOGIN_URL"])  # fmt: skip
    if wechat.works_in(_agent()):
        found["wechat"] = wechat
    return found


def _offered() -> list[tuple[str, str]]:
    """(name in addresses, name for people) of those that work in this browser."""
    return [(name, _name(name)) for name in _set_up()]


def _name(provider: str) -> str:
    if provider == "wechat":
        return str(_("WeChat"))
    return NAMES.get(provider) or str(current_app.config["OIDC_NAME"]) or "OpenID"


def _agent() -> str:
    return request.headers.get("User-Agent", "")[:500]


def _provider(name: str) -> Provider:
    found = _set_up().get(name)
    if found is None:
        raise NotFound("This shop does not know such accounts")
    return found


def silent() -> bool:
    """Whether this browser can be signed in without a question: inside WeChat."""
    return INSIDE in _agent() and "wechat" in _set_up()


def _way_back(provider: str) -> str:
    return f"{current_app.config['BASE_URL']}/outside/{provider}/back"


def go(provider: str) -> ResponseReturnValue:
    """To the provider. Nothing is written before somebody comes back."""
    there = _provider(provider)
    if current() and not confirm_views.signed_in_anew():
        raise pins.SignInAgain()
    web.visit()
    who, state = caller(), outside.new_state(provider, visit_digest(), caller())
    db.session.rollback()  # No connection is held while others are waited for.
    try:
        with oidc.calling():
            address = there.address(
                _way_back(provider), state, outside.nonce_of(state, who),
                outside.verifier_of(state, who), _agent(),
            )  # fmt: skip
    except OutsideAway as refusal:
        return start_again(refusal)
    response = redirect(address, 303)
    ways = f"{forms.next_path()}\n{forms.new_path()}".encode()
    web.set_cookie(response, COOKIE, urlsafe_b64encode(ways).decode().rstrip("="), 1)
    return response


def posted(provider: str) -> ResponseReturnValue:
    """Apple answers with a form from its own site, to which browsers add no cookie of ours: the
    same once more, as a page that is gone to."""
    said = {name: request.form.get(name, "")[:2000] for name in ("code", "state", "error")}
    address = url_for("identity.outside_back", provider=provider, code=said["code"],
                      state=said["state"], error=said["error"] or None)  # fmt: skip
    return redirect(address, 303)


def back(provider: str) -> ResponseReturnValue:
    there, who, member = _provider(provider), caller(), current()
    state, code = request.args.get("state", ""), request.args.get("code", "")
    try:
        written = tries.begin(who.from_outside())
        outside.check_state(state, provider, visit_digest(), who)
        if request.args.get("error") or not 0 < len(code) <= 2000:
            raise OutsideRefused("The provider did not let them in, or they did not want to")
        db.session.rollback()
        with oidc.calling():
            claims = there.claims(
                code, _way_back(provider), outside.nonce_of(state, who),
                outside.verifier_of(state, who), _agent(),
            )  # fmt: skip
        entered = outside.enter(
            provider, claims, fresh_digest, who, visit_digest(),
            already=member.id if member else None, language=web.language(),
        )  # fmt: skip
        with transaction():
            tries.forgive(written)
    except (
        OutsideAway, OutsideRefused, OutsideTaken, MemberDisabled, MoreNeeded, TooMany,
    ) as refusal:  # fmt: skip
        web.visited().new_secret = None
        return _page(refusal) if member else start_again(refusal)
    if member:
        flash(_("The account is connected."), "good")
        return redirect(url_for("identity.outside_accounts"), 303)
    next_path, new_path = _ways()
    answer = welcome(entered.member_id, entered.language, new_path if entered.is_new else next_path)
    remember_payer(answer, claims.openid)
    return answer


def _ways() -> tuple[str, str]:
    """Where the shopper was going, from the cookie; safe whatever it says."""
    kept = web.cookie(COOKIE) or ""
    try:
        said = urlsafe_b64decode(kept + "=" * (-len(kept) % 4)).decode().split("\n")
    except ValueError:
        said = []
    next_path, new_path = (said + ["", ""])[:2]
    return safe_next(next_path), safe_next(new_path)


# A member's own


def own() -> ResponseReturnValue:
    return _page()


def _page(refusal: Refusal | None = None) -> ResponseReturnValue:
    mine = outside.of_member(signed_in().id)
    said = forms.fault(refusal)[1] if refusal else ""
    page = render_template(
        "identity/outside_accounts.html", said=said,
        accounts=[(account, _name(account.provider)) for account in mine],
    )  # fmt: skip
    return page, refusal.status if refusal else 200


def remove(account_id: int) -> ResponseReturnValue:
    try:
        outside.remove(signed_in().id, account_id)
    except LastSign as refusal:
        return _page(refusal)
    flash(_("The account is not connected any more."), "good")
    return redirect(url_for("identity.outside_accounts"), 303)
