"""OpenID Connect: an outside account by discovery, with PKCE, for any provider that speaks it.

The provider's description and keys are asked for when they are needed, kept for a while in each
process, and asked for again when a token is signed with a key that is not known, at most once a
minute. Everything is checked that the standard asks for (OpenID Connect Core 1.0, 3.1.3.7): the
signature, issuer, audience, times and the nonce. No call is made with a transaction open, and each
has a deadline; two at once for each process are enough, so that a provider that hangs cannot hold
the shop's threads.
"""

from __future__ import annotations

import logging
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import ECKey, KeySet

from .. import clock, strict
from ..errors import Refusal

__all__ = ["OIDC", "Claims", "OutsideAway", "OutsideRefused", "answer_of", "calling"]

log = logging.getLogger(__name__)

TIMEOUT_S = (3.0, 5.0)
MOST_BYTES = 256 * 1024
KEPT_S = 3600.0
AGAIN_S = 60.0
LEEWAY_S = 60
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
CALLS = threading.BoundedSemaphore(2)


class OutsideAway(Refusal):
    """The provider does not answer, or not as the standard has it. Another way leads in."""

    code = "outside_account_away"
    status = 503
    title = "This provider does not answer just now"


class OutsideRefused(Refusal):
    """What came back is not the answer to what this browser asked, or proves nothing."""

    code = "outside_account_refused"
    status = 403
    title = "This sign-in from outside cannot be used"


@dataclass(frozen=True)
class Claims:
    """Who the provider says this is. `email` only where it says that it has proven it."""

    subject: str
    email: str = ""
    openid: str = ""


@dataclass
class OIDC:
    """One provider. `apple` is what Apple wants otherwise: a secret that is a signed token, and the
    answer as a form."""

    name: str
    issuer: str
    client_id: str
    secret: str
    apple: tuple[str, str] | None = None
    """The team's id and the id of the key; `secret` is then the key itself."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _kept: dict[str, tuple[float, Any]] = field(default_factory=dict)

    def address(self, back: str, state: str, nonce: str, verifier: str, agent: str) -> str:
        """Where the shopper is sent to. Raises OutsideAway."""
        asked = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": back,
            "scope": "openid email", "state": state, "nonce": nonce,
            "code_challenge": _challenge(verifier), "code_challenge_method": "S256",
        }  # fmt: skip
        if self.apple:
            asked["response_mode"] = "form_post"
        there = self._endpoint("authorization_endpoint")
        return f"{there}{'&' if '?' in there else '?'}{urlencode(asked)}"

    def claims(self, code: str, back: str, nonce: str, verifier: str, agent: str) -> Claims:
        """Who it is, by the code that came back. Raises OutsideAway, OutsideRefused."""
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": back,
            "client_id": self.client_id, "client_secret": self._secret(),
            "code_verifier": verifier,
        }  # fmt: skip
        said = answer_of("POST", self._endpoint("token_endpoint"), data=form)
        token = said.get("id_token")
        if not isinstance(token, str):
            raise _refused("no token")
        return self._checked(self._read(token), nonce)

    def _read(self, token: str) -> Mapping[str, Any]:
        """The token's claims, if its signature is the provider's."""
        for fresh in (False, True):
            try:
                return jwt.decode(token, self._keys(fresh=fresh), algorithms=ALGORITHMS).claims
            except InvalidKeyIdError as error:
                # A key that we do not know: perhaps they have changed theirs.
                if fresh:
                    raise _refused("key") from error
            except (JoseError, ValueError, TypeError, KeyError) as error:
                raise _refused(type(error).__name__) from error
        raise AssertionError

    def _checked(self, claims: Mapping[str, Any], nonce: str) -> Claims:
        audience, now = claims.get("aud"), clock.timestamp_s()
        audiences = audience if isinstance(audience, list) else [audience]
        subject, email = claims.get("sub"), claims.get("email")
        ends: Any = claims.get("exp")
        began: Any = claims.get("iat")
        if claims.get("iss") != self._describe()["issuer"]:
            raise _refused("issuer")
        if self.client_id not in audiences or claims.get("azp", self.client_id) != self.client_id:
            raise _refused("audience")
        if len(audiences) > 1 and "azp" not in claims:
            raise _refused("audience")
        # Whole seconds or parts of them; true is no time, though Python takes it for 1.
        if type(ends) not in (int, float) or type(began) not in (int, float):
            raise _refused("times")
        if float(ends) <= now - LEEWAY_S or float(began) > now + LEEWAY_S:
            raise _refused("times")
        if claims.get("nonce") != nonce:
            raise _refused("nonce")
        if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isascii():
            raise _refused("subject")
        # Apple writes it as a text.
        said = claims.get("email_verified")
        verified = (said is True or said == "true") and isinstance(email, str)
        return Claims(subject, str(email) if verified else "")

    def _secret(self) -> str:
        if self.apple is None:
            return self.secret
        team, key_id = self.apple
        now = int(clock.timestamp_s())
        said = {"iss": team, "iat": now, "exp": now + 300, "aud": self.issuer,
                "sub": self.client_id}  # fmt: skip
        return jwt.encode({"alg": "ES256", "kid": key_id}, said, ECKey.import_key(self.secret))

    def _endpoint(self, name: str) -> str:
        found = self._describe().get(name)
        if not isinstance(found, str) or not _may_be_asked(found, self.issuer):
            raise OutsideAway()
        return found

    def _describe(self) -> dict[str, Any]:
        address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        said = self._fetched(address, KEPT_S)
        # OpenID Connect Discovery 1.0, 4.3: it must speak of itself.
        if str(said.get("issuer", "")).rstrip("/") != self.issuer.rstrip("/"):
            raise OutsideAway()
        return said

    def _keys(self, *, fresh: bool) -> KeySet:
        said = self._fetched(self._endpoint("jwks_uri"), AGAIN_S if fresh else KEPT_S)
        signing = [
            key for key in said.get("keys", [])
            if isinstance(key, dict) and key.get("use", "sig") == "sig" and key.get("kty") != "oct"
        ]  # fmt: skip
        return KeySet.import_key_set({"keys": signing})

    def _fetched(self, address: str, kept_s: float) -> dict[str, Any]:
        with self._lock:
            at, said = self._kept.get(address, (0.0, None))
            if said is not None and time.monotonic() - at < kept_s:
                return dict(said)
        said = answer_of("GET", address)
        with self._lock:
            self._kept[address] = (time.monotonic(), said)
        return dict(said)


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")


def _may_be_asked(address: str, issuer: str) -> bool:
    """Only over TLS, but where the provider itself is on this machine (for tests)."""
    scheme = urlsplit(address).scheme
    return scheme == "https" or (scheme == "http" and issuer.startswith("http://127.0.0.1"))


def _refused(what: str) -> OutsideRefused:
    log.warning("an outside account was refused: %s", what)
    return OutsideRefused()


@contextmanager
def calling() -> Iterator[None]:
    """One of the few calls at a time. Raises OutsideAway."""
    if not CALLS.acquire(timeout=1):
        raise OutsideAway()
    try:
        yield
    finally:
        CALLS.release()


def answer_of(method: str, address: str, **more: Any) -> dict[str, Any]:
    """What a provider answers, as an object. Raises OutsideAway, OutsideRefused (of a 4xx)."""
    try:
        with requests.request(
            method, address, timeout=TIMEOUT_S, allow_redirects=False, stream=True, **more
        ) as answer:
            status, began, body = answer.status_code, time.monotonic(), b""
            for piece in answer.iter_content(16_384):
                body += piece
                if len(body) > MOST_BYTES or time.monotonic() - began > sum(TIMEOUT_S):
                    raise ValueError("this is too long")
        if status in (400, 401, 403) and method == "POST":
            raise _refused(f"the provider said {status}")
        said = strict.read(body) if status == 200 else None
        if not isinstance(said, dict):
            raise TypeError("this is no answer")
    except (requests.RequestException, ValueError, TypeError) as error:
        # Its own text may quote what was sent.
        log.warning("a provider of accounts does not answer: %s", type(error).__name__)
        raise OutsideAway() from error
    return said


@lru_cache(maxsize=16)
def kept(name: str, issuer: str, client_id: str, secret: str, apple: Any) -> OIDC:
    """The provider with what this process has learned of it."""
    return OIDC(name, issuer, client_id, secret, apple)
