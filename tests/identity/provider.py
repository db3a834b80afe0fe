"""An OpenID provider of the tests' own: it checks PKCE, client, code and way back as a real one
does, signs with a key that it can change, and lies where a test asks it to."""

from __future__ import annotations

import hmac
import json
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

KEY = RSAKey.generate_key(2048, auto_kid=True)
CLIENT, SECRET = "the-shop", "a secret & more"


@dataclass
class Provider:
    port: int = 0
    key: Any = field(default_factory=lambda: KEY)
    published: list[Any] = field(default_factory=list)
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "person-1"})
    lies: dict[str, Any] = field(default_factory=dict)
    """Claims that win over the right ones; None takes one away."""
    broken: str = ""
    """`away` answers 502, `rubbish` no JSON, `huge` does not end."""
    apple: Any = None
    """The public key of the shop's secret, where that is a signed token."""
    asked: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.published = self.published or [self.key]

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        self.asked.append(request.path)
        return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if self.broken == "away":
            return Response("no", 502)
        if self.broken == "rubbish":
            return Response("<html>", 200)
        if self.broken == "huge":
            return Response(iter(lambda: b"[" * 65_536, b""), 200)
        if request.path == "/.well-known/openid-configuration":
            return _json(
                {"issuer": self.lies.get("described", self.issuer),
                 "authorization_endpoint": f"{self.issuer}/authorize?hd=x",
                 "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys"}
            )  # fmt: skip
        if request.path == "/keys":
            return _json(KeySet(list(self.published)).as_dict(private=False))
        return self._token(request) if request.path == "/token" else Response("", 404)

    def agrees(self, address: str) -> dict[str, str]:
        """The person has been sent here and agrees: what they go back with."""
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.issuer}/authorize"
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert asked["client_id"] == CLIENT and asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256" and "openid" in asked["scope"]
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def _token(self, request: Request) -> Response:
        form = request.form
        asked = self._codes.pop(form.get("code", ""), None)
        digest = sha256(form.get("code_verifier", "").encode()).digest()
        challenge = urlsafe_b64encode(digest).decode().rstrip("=")
        if asked is None or challenge != asked["code_challenge"]:
            return _json({"error": "invalid_grant"}, 400)
        if form["redirect_uri"] != asked["redirect_uri"] or not self._is_client(form):
            return _json({"error": "invalid_client"}, 401)
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300,
                  "nonce": asked["nonce"], **self.person, **self.lies}  # fmt: skip
        said = {name: value for name, value in claims.items() if value is not None}
        said.pop("described", None)
        return _json({"access_token": "x", "token_type": "Bearer", "id_token": self._sign(said)})

    def _is_client(self, form: Any) -> bool:
        if self.apple is None:
            return bool((form["client_id"], form["client_secret"]) == (CLIENT, SECRET))
        said = jwt.decode(form["client_secret"], self.apple, algorithms=["ES256"])
        return bool(said.header["kid"] == "KEY1" and said.claims["iss"] == "TEAM1")

    def _sign(self, claims: dict[str, Any]) -> str:
        if self.broken == "unsigned":
            return f"{_part({'alg': 'none'})}.{_part(claims)}."
        if self.broken == "shared":  # Signed with what everybody knows, as if it were a secret.
            head, body = _part({"alg": "HS256", "kid": self.key.kid}), _part(claims)
            known = self.key.as_pem(private=False)
            return (
                f"{head}.{body}.{_plain(hmac.digest(known, f'{head}.{body}'.encode(), 'sha256'))}"
            )
        if self.broken == "other key":  # With the name of the right one.
            other = RSAKey.generate_key(2048)
            return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, other)
        algorithm = "ES256" if isinstance(self.key, ECKey) else "RS256"
        return jwt.encode({"alg": algorithm, "kid": self.key.kid}, claims, self.key)


@dataclass
class WeChatPractice:
    """WeChat's two apps of a shop: an openid for each, and a unionid where they are bound."""

    port: int = 0
    bound: bool = True
    asked: list[Request] = field(default_factory=list)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        self.asked.append(request)
        asked = request.args
        known = {"wxapp": "app-secret", "wxsite": "site-secret"}.get(asked["appid"])
        if known != asked["secret"] or asked["code"] != f"code-{asked['appid']}":
            said: dict[str, Any] = {"errcode": 40029, "errmsg": "invalid code"}
        else:
            said = {"access_token": "x", "openid": f"openid-{asked['appid']}"}
            said |= {"unionid": "union-1"} if self.bound else {}
        return _json(said)(environ, start_response)


def _plain(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _part(said: dict[str, Any]) -> str:
    return _plain(json.dumps(said).encode())


def _json(said: Any, status: int = 200) -> Response:
    return Response(json.dumps(said), status, content_type="application/json")


@contextmanager
def serving(found: Any) -> Iterator[None]:
    server = make_server("127.0.0.1", 0, found, threaded=True)
    found.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield
    server.shutdown()
    server.server_close()


__all__ = ["CLIENT", "SECRET", "Provider", "WeChatPractice", "serving"]
