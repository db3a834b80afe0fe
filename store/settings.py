"""Settings: every one with its name, its default and a line of help.

A setting comes from the environment as STORE_<NAME>, else from `instance/store.toml` (lower case),
else from the default here. docs/settings.md lists them; a test holds that page to this file.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["SETTINGS", "Setting", "from_environment", "kept", "load", "write"]


class Setting(NamedTuple):
    name: str
    default: Any
    help: str


SETTINGS = (
    Setting("INSTANCE", "instance", "Folder of this shop: database, keys, store.toml."),
    Setting("DATABASE_URL", "", "SQLAlchemy address; empty is SQLite in the instance folder."),
    Setting("SECRET_KEY", "", "Signs labels and passes; empty: made once, kept in instance/."),
    Setting("BASE_URL", "", "The shop's public address, printed on labels: https://shop.example."),
    Setting("SHOP_NAME", "OneShelf", "The shop's name on every page."),
    Setting("SHOP_ADDRESS", "", "On receipts, line by line: 8 River Road; Shanghai."),
    Setting("TAX_NUMBER", "", "The shop's tax number, on receipts."),
    Setting("CURRENCY", "CNY", "The shop's currency, ISO 4217."),
    Setting("TAX_RATE", "13", "Tax included in prices where an item names no other, in percent."),
    Setting("PRICES_INCLUDE_TAX", True, "Whether prices are with tax; no: tax comes on top."),
    Setting("TIME_ZONE", "Asia/Shanghai", "The shop's time zone: days and hours of reports."),
    Setting("COUNTRY", "", "Country of phone numbers without a code: CN; empty: the time zone's."),
    Setting("LANGUAGE", "en", "Language for a visitor who asks for none we have: en or zh."),
    Setting("CONFIRM_OVER", "200", "One tap buys up to this amount; above it a confirm step."),
    Setting("BUY_LIMIT", "0", "Largest buy from an account without its PIN; 0: any."),
    Setting("DAY_LIMIT", "0", "What leaves an account in a day without its PIN; 0: anything."),
    Setting("BUY_AGAIN_S", 60, "A second buy of the same within so many seconds is asked again."),
    Setting("LAST_ONES", 3, "At or below this many on the shelf a page says: last ones."),
    Setting("REORDER_LEAD_DAYS", 7, "A supplier's goods are here so many days after the order."),
    Setting("REORDER_SAFETY_DAYS", 7, "Stock lasts so many days longer than until they come."),
    Setting("REORDER_COVER_DAYS", 14, "What is ordered lasts so many days more."),
    Setting("RETURN_DAYS", 14, "Goods are taken back so many days after the sale; 0: never."),
    Setting("WARRANTY_MONTHS", 0, "Goods have a guarantee of so many months; 0: none is said."),
    Setting("RETURN_OPENED", True, "Whether opened goods are taken back."),
    Setting("REFUND_APPROVAL_ABOVE", "0", "A colleague approves refunds above this; 0: none is."),
    Setting("TOP_UP_LIMIT", "5000", "Largest single top-up of a shopper's account."),
    Setting("PIECE_G", 500, "What an item weighs whose size does not tell, in grams."),
    Setting("HOLD_MINUTES", 15, "Goods and prices stand so long while somebody pays elsewhere."),
    Setting("GUESTS", True, "Whether people without an account may buy, by a provider."),
    Setting("GUEST_PAYMENTS", 60, "Guests' payments begun at one address in a quarter of an hour."),
    Setting("AGE_REMEMBERED", False, "Members may let the shop remember that their age was seen."),
    Setting("EXIT_OFFLINE_MINUTES", 60, "An exit checks so long without a network; 0: never."),
    Setting(
        "DESK_OFFLINE_HOURS", 48, "Staff's acts without a network are taken so long; 0: never."
    ),
    Setting("TILL_BLIND", False, "Staff count a till before they see what should be in it."),
    Setting("CASH_ROUNDING", 0, "Smallest coin in minor units: CHF 5, SEK 100; 0: cash is exact."),
    Setting("CASH_ON_DELIVERY", "0", "Largest order that is paid to the courier; 0: none is."),
    Setting("CASH_ON_DELIVERY_OPEN", 2, "So many of a shopper's may be unpaid or refused at once."),
    Setting("ESCROW_DAYS", 0, "Orders' money is held until so many days after arrival; 0: never."),
    Setting(
        "KEEP_MEMBERS_MONTHS", 0, "Who was not here for so many months is erased; 0: nobody is."
    ),
    Setting("ERASURE_NOTICE_DAYS", 30, "So many days before they are erased they are told."),
    Setting("ASK_CONSENT", True, "A first receipt asks, unticked, who wants to hear of offers."),
    Setting("QUIET_HOURS", "21:00-09:00", "Campaigns send nothing then; empty: they always do."),
    Setting("CAMPAIGN_LETTERS", 2, "Most letters of campaigns to one member…; 0: any number."),
    Setting("CAMPAIGN_DAYS", 7, "…in so many days, over all campaigns."),
    Setting("HOLIDAYS", "", "No working days: 2026-10-01/2026-10-07, 2027-01-01; +DAY is one."),
    Setting("STRIPE_KEY", "", "Stripe's secret key (sk_live_… or sk_test_…); empty: no Stripe."),
    Setting("STRIPE_WEBHOOK_SECRET", "", "Signing secret of the endpoint at Stripe (whsec_…)."),
    Setting("STRIPE_URL", "", "Another address of Stripe's API, for practice."),
    Setting("ALIPAY_APP_ID", "", "The shop's app at Alipay; empty: no Alipay."),
    Setting("ALIPAY_SELLER_ID", "", "The merchant's id at Alipay (2088…)."),
    Setting("ALIPAY_KEY", "", "The app's private key, RSA2, PKCS#1 or PKCS#8."),
    Setting("ALIPAY_PUBLIC_KEY", "", "Alipay's own public key, as its console shows it."),
    Setting("ALIPAY_URL", "", "Another address of Alipay's API, for practice."),
    Setting("WECHAT_APP_ID", "", "The app (wx…) that is bound to the merchant at WeChat Pay."),
    Setting("WECHAT_MERCHANT_ID", "", "The merchant at WeChat Pay; empty: no WeChat Pay."),
    Setting("WECHAT_KEY", "", "The merchant's private key (apiclient_key.pem)."),
    Setting("WECHAT_SERIAL", "", "Serial number of the merchant's certificate."),
    Setting("WECHAT_API_KEY", "", "The APIv3 key, 32 characters: it opens notices."),
    Setting("WECHAT_PUBLIC_KEY", "", "WeChat Pay's public key or platform certificate, as PEM."),
    Setting("WECHAT_PUBLIC_KEY_ID", "", "The id of that key (PUB_KEY_ID_…); a certificate has it."),
    Setting("WECHAT_URL", "", "Another address of WeChat Pay's API, for practice."),
    Setting("PAYPAL_CLIENT_ID", "", "The shop's app at PayPal; empty: no PayPal."),
    Setting("PAYPAL_SECRET", "", "The secret of that app."),
    Setting("PAYPAL_WEBHOOK_ID", "", "Id of the webhook at PayPal: its notices are signed for it."),
    Setting("PAYPAL_URL", "", "Another address of PayPal's API, for practice."),
    Setting("UNIONPAY_MERCHANT_ID", "", "The merchant (merId) at UnionPay; empty: no UnionPay."),
    Setting(
        "UNIONPAY_KEY", "", "The merchant's private key and certificate, one PEM after the other."
    ),
    Setting(
        "UNIONPAY_ISSUERS", "", "Who certifies UnionPay: its root and middle certificate, as PEM."
    ),
    Setting(
        "UNIONPAY_URL", "", "Another address of UnionPay's gateway: its test centre, or practice."
    ),
    Setting("BANK_ACCOUNT", "", "IBAN or number for bank transfers of web orders; empty: none."),
    Setting("BANK_HOLDER", "", "Whose account that is; empty: SHOP_NAME."),
    Setting("BANK_NAME", "", "The bank's name, as shoppers read it."),
    Setting("BANK_BIC", "", "The bank's BIC, if transfers from abroad need it."),
    Setting("BANK_FROM", "0", "Smallest order that is paid by bank transfer; 0: any."),
    Setting("BANK_DAYS", 5, "Goods are kept so many days for a transfer."),
    Setting("SIMULATED_GATEWAY", False, "Offer practice money by the simulated gateway."),
    Setting("PRACTICE_POST", False, "Mail and SMS are printed and kept as files, never sent."),
    Setting("MAIL_FROM", "", "Sender of the shop's mail: shop@shop.example."),
    Setting("SMTP_HOST", "", "Server that takes the shop's mail on; empty: no mail is sent."),
    Setting("SMTP_PORT", 587, "Its port: 587 for starttls, 465 for tls."),
    Setting("SMTP_USER", "", "User at that server, if it asks for one."),
    Setting("SMTP_PASSWORD", "", "Password of that user."),
    Setting("SMTP_TLS", "starttls", "How it is encrypted: starttls, tls, or none."),
    Setting("DAILY_MAIL_AT", "07:00", "When the daily mail goes out, on the shop's clock."),
    Setting("SMS_URL", "", "Where the SMS provider takes messages on; empty: none are sent."),
    Setting("SMS_BODY", "", "What is posted there, with {to}, {number}, {text} and {code} in it."),
    Setting("SMS_HEADERS", "", "Its headers, with bars between: Authorization: Bearer …"),
    Setting("SMS_COUNTRIES", "", "Countries that get SMS: CN,HK; * is all; empty: the shop's own."),
    Setting("CODES_AN_HOUR", 1000, "At most so many codes are sent in an hour, to all together."),
    Setting("GOOGLE_CLIENT_ID", "", "The shop at Google, for signing in; empty: no Google."),
    Setting("GOOGLE_SECRET", "", "The secret of that."),
    Setting("APPLE_CLIENT_ID", "", "The shop's Services ID at Apple; empty: no Apple."),
    Setting("APPLE_TEAM_ID", "", "The team at Apple."),
    Setting("APPLE_KEY_ID", "", "Id of the key at Apple."),
    Setting("APPLE_KEY", "", "That key, as the .p8 file has it."),
    Setting("APPLE_URL", "", "Another address than Apple's, for practice."),
    Setting("OIDC_ISSUER", "", "Address of any OpenID provider: https://id.example; empty: none."),
    Setting("OIDC_NAME", "", "What it is called on the button."),
    Setting("OIDC_CLIENT_ID", "", "The shop there."),
    Setting("OIDC_SECRET", "", "The secret of that."),
    Setting(
        "WECHAT_APP_SECRET",
        "",
        "Secret of WECHAT_APP_ID: signs in and pays inside WeChat; empty: neither.",
    ),
    Setting(
        "WECHAT_SITE_APP_ID", "", "The website app at WeChat Open Platform, for other browsers."
    ),
    Setting("WECHAT_SITE_SECRET", "", "Its secret."),
    Setting("WECHAT_LOGIN_URL", "", "Another address than WeChat's, for practice."),
    Setting("DEMO", False, "This is the demo shop: every page says so."),
    Setting("SESSION_DAYS", 90, "A sign-in ends after so many days."),
    Setting("SECOND_FACTOR", "off", "Who needs a second sign to sign in: off, owners or staff."),
    Setting("SIGN_IN_TRIES", 5, "Wrong passwords in 15 minutes for one person from one address."),
    Setting("UPLOAD_BYTES", 8 * 2**20, "Largest upload, in bytes."),
    Setting("UPLOAD_PIXELS", 40_000_000, "Largest picture, in pixels."),
    Setting("WEBHOOK_NETWORKS", "", "Private networks that webhooks may reach: 192.168.1.0/24."),
    Setting("WOO_URL", "", "Address of a WooCommerce shop to keep in step: https://shop.example."),
    Setting("WOO_KEY", "", "Its REST consumer key."),
    Setting("WOO_SECRET", "", "Its REST consumer secret."),
    Setting("WOO_LOCATION", "MAIN", "The location whose stock it sells."),
    Setting("PROXIES", 0, "How many reverse proxies in front set X-Forwarded headers."),
    Setting("PORT", 8000, "Port that make run serves on; HTTPS is on PORT + 443."),
    Setting("WORKERS", 0, "Server processes; 0 chooses: 1 on SQLite, 2 on PostgreSQL."),
    Setting("THREADS", 8, "Requests that each server process works on at once."),
)

_TIME = r"([01]\d|2[0-3]):[0-5]\d"
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


def load(overrides: dict[str, Any] | None = None) -> dict[str, Any]:
    """All settings as one dict; `overrides` win over environment and file (tests use them).

    Raises ValueError for a value of the wrong kind or a name in store.toml that does not exist:
    a typing error must not silently become a default.
    """
    given = dict(overrides or {})
    instance = Path(given.get("INSTANCE") or os.environ.get("STORE_INSTANCE") or "instance")
    instance.mkdir(parents=True, exist_ok=True)
    return _joined(given, instance, _read_file(instance / "store.toml"))


def _joined(given: dict[str, Any], instance: Path, file: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        raw = given.pop(setting.name, None)
        if raw is None:
            raw = os.environ.get(f"STORE_{setting.name}", file.get(setting.name, setting.default))
        values[setting.name] = _cast(setting, raw)
    values["INSTANCE"] = str(instance.resolve())
    values["DATABASE_URL"] = _database_url(values["DATABASE_URL"], instance.resolve())
    values["SECRET_KEY"] = values["SECRET_KEY"] or _kept_secret(instance / "secret_key")
    _check_post(values)
    if values["SECOND_FACTOR"] not in ("off", "owners", "staff"):
        raise ValueError("STORE_SECOND_FACTOR must be off, owners or staff")
    if not re.fullmatch(r"(HH-HH)?".replace("HH", _TIME), values["QUIET_HOURS"]):
        raise ValueError("STORE_QUIET_HOURS must be like 21:00-09:00")
    if values["BASE_URL"]:
        values["BASE_URL"] = _base_url(values["BASE_URL"])
    values.update(given)
    return values


def from_environment(name: str) -> bool:
    """Whether the environment says it, over whatever store.toml says."""
    return f"STORE_{name}" in os.environ


def kept(instance: Path) -> dict[str, Any]:
    """What store.toml says now, by name; nothing where there is none. Raises ValueError."""
    return _read_file(instance / "store.toml")


def write(instance: Path, changes: dict[str, str | bool | int]) -> None:
    """Put settings into `instance/store.toml`, whole or not at all; its other lines stay as they
    are. They hold from the shop's next start. Raises ValueError for a shop that could not start
    with them; then nothing is written."""
    path = instance / "store.toml"
    with (instance / "store.toml.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = path.read_text("utf-8") if path.exists() else ""
        text = _with_lines(before, changes)
        new = path.with_name(f"{path.name}.new")
        with os.fdopen(os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            _joined({}, instance, _read_file(new))
        except ValueError:
            new.unlink()
            raise
        new.rename(path)


def _with_lines(text: str, changes: dict[str, str | bool | int]) -> str:
    """A file with its lines of these settings replaced, or added to its end."""
    known = {name.upper(): value for name, value in tomllib.loads(text).items()}
    lines = text.splitlines()
    for name, value in changes.items():
        line = f"{name.lower()} = {_toml(value)}"
        for number, old in enumerate(lines):
            if re.match(rf"{name}\s*=", old, re.IGNORECASE):
                lines[number] = line
                break
        else:
            lines.append(line)
    new = "\n".join([*lines, ""])
    wanted = known | changes
    try:
        if {name.upper(): value for name, value in tomllib.loads(new).items()} == wanted:
            return new
    except tomllib.TOMLDecodeError:
        pass
    # Something that goes over several lines was replaced: all is written anew.
    return "".join(f"{name.lower()} = {_toml(value)}\n" for name, value in wanted.items())


def _toml(value: str | bool | int) -> str:
    """A value of TOML: its basic strings are JSON's, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _read_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    values = {name.upper(): value for name, value in tomllib.loads(path.read_text("utf-8")).items()}
    unknown = values.keys() - {setting.name for setting in SETTINGS}
    if unknown:
        raise ValueError(f"{path} has unknown settings: {', '.join(sorted(unknown)).lower()}")
    return values


def _cast(setting: Setting, raw: Any) -> Any:
    name, default = setting.name, setting.default
    if isinstance(default, bool):
        if isinstance(raw, bool):
            return raw
        if str(raw).lower() in _TRUE | _FALSE:
            return str(raw).lower() in _TRUE
        raise ValueError(f"STORE_{name} must be yes or no, not {raw!r}")
    if isinstance(default, int):
        if not re.fullmatch(r"\d{1,12}", str(raw), re.ASCII):
            raise ValueError(f"STORE_{name} must be a whole number, not {raw!r}")
        return int(raw)
    return str(raw)


def _database_url(url: str, instance: Path) -> str:
    if not url:
        return f"sqlite:///{instance / 'store.sqlite3'}"
    # People paste the short forms; the driver that we ship is psycopg 3.
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)


def _check_post(values: dict[str, Any]) -> None:
    if not re.fullmatch(r"([A-Z]{2})?", values["COUNTRY"]):
        raise ValueError("STORE_COUNTRY must be two capital letters, like CN")
    if not re.fullmatch(r"\*|([A-Z]{2}(, ?[A-Z]{2})*)?", values["SMS_COUNTRIES"]):
        raise ValueError("STORE_SMS_COUNTRIES must be like CN,HK or *")
    if values["SMTP_HOST"] and not re.fullmatch(r"[^\s@<>]+@[^\s@<>]+", values["MAIL_FROM"]):
        raise ValueError("STORE_MAIL_FROM must be an address like shop@shop.example")
    if values["SMTP_TLS"] not in ("starttls", "tls", "none"):
        raise ValueError("STORE_SMTP_TLS must be starttls, tls or none")
    if values["SMS_URL"] and not re.fullmatch(r"https?://\S+", values["SMS_URL"]):
        raise ValueError("STORE_SMS_URL must be an address like https://sms.example/send")
    if values["SMS_URL"] and not re.search(r"\{(text|code)\}", values["SMS_BODY"]):
        raise ValueError("STORE_SMS_BODY must say where {text} or {code} goes")


def _base_url(url: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+/?", url):
        raise ValueError(f"STORE_BASE_URL must be like https://shop.example, not {url!r}")
    return url.rstrip("/")


def _kept_secret(path: Path) -> str:
    """The key of this shop, made on the first start. Two processes may start at once: O_EXCL lets
    one make it, under a name of its own first so that nobody reads half a key."""
    if not path.exists():
        mine = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        handle = os.open(mine, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        os.write(handle, secrets.token_urlsafe(48).encode())
        os.fsync(handle)
        os.close(handle)
        try:
            os.link(mine, path)
        except FileExistsError:
            pass
        finally:
            mine.unlink()
    return path.read_text("ascii").strip()
