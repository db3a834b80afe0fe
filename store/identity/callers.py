"""Callers: where a request comes from, and which limits on tries hold for it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from .. import ids
from ..errors import Invalid
from .identifiers import normalise
from .models import Member
from .tries import Limit

__all__ = ["Caller", "device_mark"]

# Many shoppers share the address of the shop's own network, so these are wide.
WRONG_BY_ADDRESS = 100
LOOK_UPS_BY_ADDRESS = 200
SIGN_UPS_BY_ADDRESS = 60
REPORTS_BY_ADDRESS = 120
REPORTS_BY_VISITOR = 12
BASKET_CODES_BY_ADDRESS = 60
BASKET_CODES_BY_SHOP = 600
COUPON_CODES_BY_PERSON = 10
COUPON_CODES_BY_ADDRESS = 100
GUEST_PAYMENTS_BY_DEVICE = 12
GUEST_MAILS_BY_DEVICE = 6
GUEST_MAILS_BY_ADDRESS = 60
# Guesses at one person from all over the world, from devices that never signed in as them.
WRONG_BY_PERSON = 20
# Codes: what is sent costs money and wakes people; what is guessed has one chance in a million.
CODES_BY_PERSON = 5
CODES_BY_PERSON_A_DAY = 20
CODES_BY_ADDRESS = 120
WRONG_CODES_BY_PERSON_A_DAY = 30
WRONG_CODES_BY_ALL = 1000
DAY_S = 86_400
CHALLENGES_BY_ADDRESS = 600
WRONG_FACTORS = 5
WRONG_FACTORS_A_DAY = 30


@dataclass(frozen=True)
class Caller:
    """Where a request comes from: all that signing in needs to know about it."""

    address: str
    browser: str
    key: bytes
    """The shop's secret key: what is counted is kept as an authentication code."""
    device: str = ""
    """The device cookie: an id and a mark for each member who signed in on the device."""
    most_wrong: int = 5
    days: int = 90
    codes_an_hour: int = 1000

    def wrong_passwords(self, identifier: str, member: Member | None) -> list[Limit]:
        """A device that signed in as this member before has an allowance of its own, so that
        guesses from elsewhere never lock the member out. All others share what is left for the
        person from here, the person from anywhere, and the address."""
        if member and (device_id := self.knows(member.id)):
            subject = self._subject("device", device_id, str(member.id))
            return [Limit("sign_in_device", subject, self.most_wrong)]
        try:
            person = normalise(identifier)[1]
        except Invalid:
            person = identifier[:254]
        here = self._subject("address", self.network)
        pair = self._subject("pair", person, self.network)
        return [
            Limit("sign_in_pair", pair, self.most_wrong),
            Limit("sign_in_person", self._subject("person", person), WRONG_BY_PERSON),
            Limit("sign_in_address", here, WRONG_BY_ADDRESS),
        ]

    def look_ups(self) -> list[Limit]:
        return [Limit("look_up", self._subject("address", self.network), LOOK_UPS_BY_ADDRESS)]

    def codes(self, value: str, member: Member | None) -> list[Limit]:
        """For codes that are sent to an address. A member's own device has an allowance of its own
        here, too: who asks for codes in somebody's name elsewhere does not shut them out."""
        here = self._subject("address", self.network)
        everybody = Limit("code_all", self._subject("all"), self.codes_an_hour, 3600)
        if member and (device_id := self.knows(member.id)):
            subject = self._subject("device", device_id, str(member.id))
            return [Limit("code_device", subject, CODES_BY_PERSON), everybody]
        person = self._subject("person", _mailbox(value))
        return [
            Limit("code_person", person, CODES_BY_PERSON),
            Limit("code_person_day", person, CODES_BY_PERSON_A_DAY, DAY_S),
            Limit("code_address", here, CODES_BY_ADDRESS, 3600),
            everybody,
        ]

    def wrong_codes(self, value: str, member: Member | None) -> list[Limit]:
        """Besides the few tries that each code has."""
        if member and (device_id := self.knows(member.id)):
            subject = self._subject("device", device_id, str(member.id))
            return [Limit("wrong_code_device", subject, WRONG_BY_PERSON, 3600)]
        person, here = self._subject("person", value), self._subject("address", self.network)
        return [
            Limit("wrong_code_person", person, WRONG_CODES_BY_PERSON_A_DAY, DAY_S),
            Limit("wrong_code_address", here, WRONG_BY_ADDRESS),
            Limit("wrong_code_all", self._subject("all"), WRONG_CODES_BY_ALL),
        ]

    def challenges(self) -> list[Limit]:
        """For challenges to passkeys: one for each sign-in page that is opened."""
        return [Limit("challenge", self._subject("address", self.network), CHALLENGES_BY_ADDRESS)]

    def from_outside(self) -> list[Limit]:
        return [Limit("outside", self._subject("address", self.network), WRONG_BY_ADDRESS)]

    def wrong_passkeys(self) -> list[Limit]:
        return [Limit("passkey", self._subject("address", self.network), WRONG_BY_ADDRESS)]

    def wrong_factors(self, member_id: int) -> list[Limit]:
        """For codes of a second factor: who tries has given the first one already. A device that
        knows the member has an allowance of its own."""
        where = ("device", self.knows(member_id)) if self.knows(member_id) else ("person",)
        subject = self._subject("factor", *where, str(member_id))
        return [
            Limit("factor", subject, WRONG_FACTORS),
            Limit("factor_day", subject, WRONG_FACTORS_A_DAY, DAY_S),
            Limit("factor_all", self._subject("all"), WRONG_CODES_BY_ALL),
        ]

    def sign_ups(self) -> list[Limit]:
        return [Limit("sign_up", self._subject("address", self.network), SIGN_UPS_BY_ADDRESS, 3600)]

    def reports(self, visit: str) -> list[Limit]:
        """For what a visitor tells the staff; `visit` is the secret of their cookie."""
        return [
            Limit("report_visit", self._subject("visit", visit), REPORTS_BY_VISITOR, 3600),
            Limit(
                "report_address", self._subject("address", self.network), REPORTS_BY_ADDRESS, 3600
            ),
        ]

    def basket_codes(self) -> list[Limit]:
        """For guesses at the code of somebody's basket."""
        return [
            Limit(
                "basket_code_address",
                self._subject("address", self.network),
                BASKET_CODES_BY_ADDRESS,
            ),
            Limit("basket_code_shop", self._subject("shop"), BASKET_CODES_BY_SHOP),
        ]

    def coupon_codes(self, member_id: int | None, device: str) -> list[Limit]:
        """For guesses at the codes of coupons, by a member or by a guest's device."""
        who = ("member", str(member_id)) if member_id is not None else ("device", device)
        return [
            Limit("coupon_code", self._subject("coupon", *who), COUPON_CODES_BY_PERSON),
            Limit("coupon_code_address", self._subject("address", self.network),
                  COUPON_CODES_BY_ADDRESS),
        ]  # fmt: skip

    def guest_payments(self, device: str, most: int) -> list[Limit]:
        """For payments that somebody without an account begins: each keeps goods for a while.
        `device` is the secret of their cookie, `most` what one address may begin."""
        return [
            Limit("guest_device", self._subject("guest", device), GUEST_PAYMENTS_BY_DEVICE),
            Limit("guest_address", self._subject("address", self.network), most),
        ]

    def guest_mails(self, device: str) -> list[Limit]:
        """For receipts that guests have sent to an address that nobody has proven."""
        return [
            Limit("guest_mail", self._subject("guest", device), GUEST_MAILS_BY_DEVICE, 3600),
            Limit("guest_mail_address", self._subject("address", self.network),
                  GUEST_MAILS_BY_ADDRESS, 3600),
        ]  # fmt: skip

    @property
    def network(self) -> str:
        """The address; of IPv6 the /64, which is what one household has. A proxy that listens on
        both writes IPv4 as `::ffff:198.51.100.7`: all of those in one /64 would be everybody."""
        try:
            address = ipaddress.ip_address(self.address)
        except ValueError:
            return self.address
        if address.version == 4:
            return self.address
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network(f"{address}/64", strict=False))

    def knows(self, member_id: int) -> str:
        """The id of the device, where this member has signed in on it before; else nothing."""
        device_id, *marks = self.device.split(".")
        expected = device_mark(self.key, device_id, member_id)
        return device_id if any(ids.same(mark, expected) for mark in marks) else ""

    def _subject(self, *parts: str) -> str:
        return ids.mac(self.key, "try", *parts, length=32)


def _mailbox(value: str) -> str:
    """Where a code is read: `lin+shop@…` and `lin+2@…` are two signs, and one person's mailbox."""
    name, at, domain = value.rpartition("@")
    return f"{name.split('+')[0] or name}{at}{domain}"


def device_mark(key: bytes, device_id: str, member_id: int) -> str:
    """What a device keeps once a member has signed in on it."""
    return ids.mac(key, "device", device_id, str(member_id), length=26)
