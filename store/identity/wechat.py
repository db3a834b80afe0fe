"""WeChat's own OAuth: silent inside WeChat, a code to scan everywhere else.

Inside WeChat the official account's app asks with `snsapi_base`, which shows nothing; in any other
browser the website's app shows a QR code (`snsapi_login`). Both know a person by an openid of their
own; a unionid is the same for all apps that one company has bound together at the WeChat Open
Platform, and is taken where there is one. What comes over TLS from WeChat's own address is not
signed besides. Source: developers.weixin.qq.com, "OAuth 2.0" of official accounts and websites.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from .oidc import Claims, OutsideRefused, answer_of

__all__ = ["INSIDE", "WeChat"]

INSIDE = "MicroMessenger"
AUTHORIZE = "https://open.weixin.qq.com"
API = "https://api.weixin.qq.com"


@dataclass(frozen=True)
class WeChat:
    """The apps of a shop: `app` is the official account's, `site` the website's; each id and
    secret. `url` is another address, for practice."""

    app: tuple[str, str]
    site: tuple[str, str]
    url: str = ""
    name: str = "wechat"

    def address(self, back: str, state: str, nonce: str, verifier: str, agent: str) -> str:
        inside = INSIDE in agent
        (app_id, _), scope, path = (
            (self.app, "snsapi_base", "connect/oauth2/authorize")
            if inside
            else (self.site, "snsapi_login", "connect/qrconnect")
        )
        # In this order: WeChat looks at the address as a text.
        asked = urlencode(
            {"appid": app_id, "redirect_uri": back, "response_type": "code", "scope": scope,
             "state": state}
        )  # fmt: skip
        return f"{self._shown(back)}/{path}?{asked}#wechat_redirect"

    def _shown(self, back: str) -> str:
        """Where a person is sent: a practice WeChat is on the host by which they know the shop."""
        if not self.url:
            return AUTHORIZE
        there, host = urlsplit(self.url), urlsplit(back).hostname
        return there._replace(netloc=f"{host}:{there.port}").geturl()

    def works_in(self, agent: str) -> bool:
        return bool((self.app if INSIDE in agent else self.site)[0])

    def claims(self, code: str, back: str, nonce: str, verifier: str, agent: str) -> Claims:
        """Raises OutsideAway, OutsideRefused."""
        inside = INSIDE in agent
        app_id, secret = self.app if inside else self.site
        asked = {"appid": app_id, "secret": secret, "code": code,
                 "grant_type": "authorization_code"}  # fmt: skip
        said = answer_of("GET", f"{self.url or API}/sns/oauth2/access_token", params=asked)
        openid, union = said.get("openid"), said.get("unionid")
        if not isinstance(openid, str) or not 0 < len(openid) <= 64:
            raise OutsideRefused()
        if not isinstance(union, str) or not 0 < len(union) <= 64:
            union = f"{app_id}:{openid}"
        return Claims(union, openid=openid if inside else "")
