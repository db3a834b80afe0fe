"""The second factor: an app that makes a code every half minute, and codes on paper besides.

Source of the rules: RFC 6238, section 5.2. A code counts in its own half minute and in those beside
it, since clocks differ; each counts once, and none older than one that was used. Six digits are
few, so the limit on tries is what makes them safe. The secret is shown until its first code was
given, and never after; it is worked out anew from the browser's visit until then, so that looking
at the page writes nothing.
"""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from base64 import b32encode
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import pyotp
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from .. import clock, ids, logbook
from ..db import db, repeatable, transaction
from ..errors import Refusal
from . import admitting, members, notices, tries
from .callers import Caller
from .factor_models import Factor, RecoveryCode
from .models import Member, Passkey, SignIn

__all__ = [
    "FactorNeeded", "Has", "WrongFactor", "address_of", "confirm", "confirm_halfway", "enter",
    "fresh_codes", "has", "remove", "reset", "secret_for", "use",
]  # fmt: skip

STEP_S = 30
DRIFT = (0, -1, 1)
CODES = 10
CODE_LENGTH = 10


class WrongFactor(Refusal):
    """It is not the code of this moment, was used before, or is no recovery code."""

    code = "wrong_second_factor"
    status = 403
    title = "This is not the code of this moment"


class FactorNeeded(Refusal):
    """The shop asks a second factor of this member, and it would be their last."""

    code = "second_factor_needed"
    title = "This shop asks a second factor of you"


class Has(NamedTuple):
    """What a member has: since when the app, how many codes on paper, whether passkeys."""

    app_since: datetime | None
    codes: int
    passkeys: int


def has(member_id: int) -> Has:
    codes = select(func.count(RecoveryCode.id)).where(
        RecoveryCode.member_id == member_id, RecoveryCode.used_at.is_(None)
    )
    keys = select(func.count(Passkey.id)).where(Passkey.member_id == member_id)
    since = select(Factor.set_at).where(Factor.member_id == member_id)
    return Has(
        db.session.scalar(since), db.session.scalar(codes) or 0, db.session.scalar(keys) or 0
    )


# Setting it up


def secret_for(member_id: int, visit: str, caller: Caller) -> str:
    """The secret that this browser is shown, in base 32 as apps take it."""
    return _secret(caller.key, member_id, _next_seed(member_id, visit, caller))


def address_of(secret: str, known_by: str, shop: str) -> str:
    """What the app reads from the picture."""
    named = {"name": known_by or shop, "issuer_name": shop.replace(":", " ")}
    return pyotp.TOTP(secret).provisioning_uri(**named)


def confirm(member_id: int, visit: str, typed: str, caller: Caller) -> list[str]:
    """Set the app up, or another in its place, with a code that it has made; every other sign-in
    of the member ends. Answers the codes for paper, this once. Raises TooMany, WrongFactor."""
    seed, step, written = _first_code(member_id, visit, typed, caller)
    return _confirm(member_id, visit, seed, step, caller, written, None)


def confirm_halfway(
    visit: str, typed: str, fresh_digest: Callable[[], str], caller: Caller
) -> tuple[int, list[str]]:
    """The same for somebody halfway in, who has no second factor yet, and is in with it. Answers
    the member's id and the codes. Raises HalfOver, TooMany, WrongFactor."""
    member_id = admitting.waiting(visit)
    if member_id is None or admitting.has_one(member_id):
        raise admitting.HalfOver()
    seed, step, written = _first_code(member_id, visit, typed, caller)
    fresh = fresh_digest()
    return member_id, _confirm(member_id, visit, seed, step, caller, written, fresh)


def _first_code(
    member_id: int, visit: str, typed: str, caller: Caller
) -> tuple[str, int, list[int]]:
    seed = _next_seed(member_id, visit, caller)
    db.session.rollback()
    written = tries.begin(caller.wrong_factors(member_id))
    step = _step_of(_secret(caller.key, member_id, seed), typed)
    if step is None:
        raise WrongFactor()
    return seed, step, written


@repeatable
def _confirm(
    member_id: int, visit: str, seed: str, step: int, caller: Caller, written: list[int],
    fresh: str | None,
) -> list[str]:  # fmt: skip
    with transaction() as session:
        _lock(session, member_id)
        if fresh is not None and admitting.has_one(member_id):
            raise admitting.HalfOver()  # Another browser was faster.
        session.execute(delete(Factor).where(Factor.member_id == member_id))
        row = {"member_id": member_id, "seed": seed, "last_step": step, "set_at": clock.now()}
        session.execute(insert(Factor).values(**row))
        if fresh is not None:
            admitting.finish(visit, fresh, caller)
        members.end_sign_ins(session, member_id, but=fresh or visit)
        session.execute(update(SignIn).where(SignIn.digest == visit).values(second_at=clock.now()))
        tries.forgive(written)
        notices.tell(member_id, "second_set")
        return _write_codes(session, member_id, caller)


@repeatable
def fresh_codes(member_id: int, caller: Caller) -> list[str]:
    """Other codes for paper; the ones before are over. Answers them, this once (opener)."""
    with transaction() as session:
        _lock(session, member_id)
        return _write_codes(session, member_id, caller)


def _write_codes(session: Session, member_id: int, caller: Caller) -> list[str]:
    now = clock.now()
    session.execute(delete(RecoveryCode).where(RecoveryCode.member_id == member_id))
    codes = [ids.encode(secrets.randbits(5 * CODE_LENGTH), CODE_LENGTH) for _ in range(CODES)]
    rows = [
        {"member_id": member_id, "mark": _mark(caller, member_id, code), "made_at": now}
        for code in codes
    ]
    session.execute(insert(RecoveryCode), rows)
    return [f"{code[:5]}-{code[5:]}" for code in codes]


@repeatable
def remove(member_id: int, visit: str) -> None:
    """Do without the app and its codes; every other sign-in ends. Raises FactorNeeded where the
    shop asks for one and there is no passkey (opener)."""
    with transaction() as session:
        member = _lock(session, member_id)
        passkey = session.scalar(select(Passkey.id).where(Passkey.member_id == member_id).limit(1))
        if admitting.is_asked(member.role) and passkey is None:
            raise FactorNeeded()
        _forget(session, member_id)
        members.end_sign_ins(session, member_id, but=visit)
        notices.tell(member_id, "second_removed")


@repeatable
def reset(member_id: int) -> None:
    """For somebody who lost everything: app, codes and passkeys are forgotten, every sign-in ends,
    and the next one leads to setting up another (opener)."""
    with transaction() as session:
        _lock(session, member_id)
        _forget(session, member_id)
        session.execute(delete(Passkey).where(Passkey.member_id == member_id))
        members.end_sign_ins(session, member_id)
        logbook.note("second.reset", member_id)
        notices.tell(member_id, "second_reset")


def _forget(session: Session, member_id: int) -> None:
    for table in (Factor, RecoveryCode):
        session.execute(delete(table).where(table.member_id == member_id))


def _lock(session: Session, member_id: int) -> Member:
    return session.scalars(select(Member).where(Member.id == member_id).with_for_update()).one()


# Giving it


def enter(
    visit: str, typed: str, fresh_digest: Callable[[], str], caller: Caller
) -> tuple[int, str | None]:
    """Whoever is halfway in is in, with a code of the app or of the paper. Answers the member's id
    and language. Raises HalfOver, TooMany, WrongFactor."""
    member_id = admitting.waiting(visit)
    db.session.rollback()
    if member_id is None:
        raise admitting.HalfOver()
    written = tries.begin(caller.wrong_factors(member_id))
    return _enter(member_id, visit, typed, fresh_digest(), caller, written)


@repeatable
def _enter(
    member_id: int, visit: str, typed: str, digest: str, caller: Caller, written: list[int]
) -> tuple[int, str | None]:
    with transaction() as session:
        use(session, member_id, typed, caller)
        member = admitting.finish(visit, digest, caller)
        tries.forgive(written)
        return member.id, member.language


def use(session: Session, member_id: int, typed: str, caller: Caller) -> None:
    """Joiner: a code of the member's app or of their paper, once. Raises WrongFactor."""
    if not (_use_app(session, member_id, typed, caller)
            or _use_paper(session, member_id, typed, caller)):  # fmt: skip
        raise WrongFactor()


def _use_app(session: Session, member_id: int, typed: str, caller: Caller) -> bool:
    factor = session.get(Factor, member_id, populate_existing=True)
    step = _step_of(_secret(caller.key, member_id, factor.seed), typed) if factor else None
    if factor is None or step is None:
        return False
    # Of two who give the same code at once one goes on, and an app that was taken away opens none.
    used = session.execute(
        update(Factor)
        .where(Factor.member_id == member_id, Factor.seed == factor.seed, Factor.last_step < step)
        .values(last_step=step)
        .execution_options(synchronize_session=False)
    )
    return bool(used.rowcount == 1)  # type: ignore[attr-defined]


def _use_paper(session: Session, member_id: int, typed: str, caller: Caller) -> bool:
    code = ids.normalise(unicodedata.normalize("NFKC", typed[:40]))
    used = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.member_id == member_id, RecoveryCode.used_at.is_(None),
            RecoveryCode.mark == _mark(caller, member_id, code),
        )
        .values(used_at=clock.now())
    )  # fmt: skip
    return bool(used.rowcount == 1)  # type: ignore[attr-defined]


def _step_of(secret: str, typed: str) -> int | None:
    """The half minute whose code this is, of those that count now."""
    plain = unicodedata.normalize("NFKC", typed[:40])
    digits = "".join(sign for sign in plain if sign in "0123456789")
    now, made = int(clock.timestamp_s()) // STEP_S, pyotp.TOTP(secret)
    fits = [now + drift for drift in DRIFT if ids.same(made.generate_otp(now + drift), digits)]
    return max(fits) if fits else None


def _next_seed(member_id: int, visit: str, caller: Caller) -> str:
    before = db.session.scalar(select(Factor.seed).where(Factor.member_id == member_id)) or ""
    return ids.mac(caller.key, "factor seed", str(member_id), visit, before, length=50)


def _secret(key: bytes, member_id: int, seed: str) -> str:
    """160 bits, as RFC 4226 wants them."""
    message = f"factor\x1f{member_id}\x1f{seed}".encode()
    return b32encode(hmac.digest(key, message, "sha256")[:20]).decode()


def _mark(caller: Caller, member_id: int, code: str) -> str:
    plain = code.encode(errors="replace").decode()
    return ids.mac(caller.key, "recovery", str(member_id), plain, length=50)
