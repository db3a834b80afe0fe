"""The ledger: double entry, only added to. Money is conserved because every transfer takes from
one account what it gives to another.

A shopper's account is what the shop owes the shopper: a credit raises it, a debit lowers it, and
it never goes below zero. The shop's own accounts (takings, what a gateway owes us) have no kept
balance; they are the sums of their transfers.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ScalarSelect, bindparam, insert, or_, select, update

from .. import clock
from ..db import in_transaction, insert_new
from ..errors import Invalid, Refusal
from ..money import LARGEST_MINOR
from ..prepared import Many, Prepared, one_of
from .gateways import OUTSIDE
from .models import Account, Transfer

TAKINGS = "takings"
PASSING = "passing"
FORFEITED = "forfeited"
"""The shop's account through which money goes that came and found nothing to pay for."""
DEPOSITS = "deposits"
"""What is owed to whoever brings the empties back."""


class InsufficientFunds(Refusal):
    """The shopper's account holds less than this costs. `data`: balance_minor, needed_minor."""

    code = "insufficient_funds"
    status = 402
    title = "The account does not hold enough for this"


class Payment(NamedTuple):
    """So much to the shop's takings for one sale: from a member's account, or from the shop's own
    account of that name ("cash", "card"), into which a till took it; or from what a gateway owes
    us, and then an attempt brought it. Of it `deposit_minor` is owed from then on, and goes from
    the takings to the deposits."""

    member_id: int | None
    amount_minor: int
    sale_id: str
    means: str = "account"
    attempt_id: str | None = None
    deposit_minor: int = 0

    def split(self, account_minor: int) -> list[Payment]:
        """The same from two: so much from the member's account, the rest as it was."""
        rest = self._replace(amount_minor=self.amount_minor - account_minor)
        return [rest, Payment(self.member_id, account_minor, self.sale_id)]


def account_of(means: str) -> str:
    """The shop's own account that a means of paying fills: what a gateway owes us stands under the
    gateway's name."""
    return f"gateway:{means}" if means in OUTSIDE else means


_debit = Prepared(
    lambda dialect: (
        update(Account)
        .where(
            Account.member_id == bindparam("member"),
            Account.currency == bindparam("money"),
            Account.balance_minor >= bindparam("amount"),
        )
        .values(balance_minor=Account.balance_minor - bindparam("amount"))
    )
)
_accounts = Prepared(
    lambda dialect: select(
        Account.member_id,
        Account.id,
        Account.balance_minor,
        Account.most_buy_minor,
        Account.most_day_minor,
    ).where(
        or_(
            one_of(Account.member_id, "members", dialect)
            & (Account.currency == bindparam("money")),
            Account.code == bindparam("takings"),
        )
    )
)
_book = Prepared(
    lambda dialect: insert(Transfer),
    (
        "debit_id", "credit_id", "amount_minor", "currency", "reason", "sale_id", "attempt_id",
        "reverses_id", "note", "at",
    ),
)  # fmt: skip
_credit = (
    update(Account)
    .where(Account.id == bindparam("account"), Account.balance_minor.is_not(None))
    .values(balance_minor=Account.balance_minor + bindparam("amount"))
)


def shopper_account(member_id: int, currency: str) -> int:
    """Joiner: the id of a member's account in a currency, opened when there is none."""
    session = in_transaction()
    query = select(Account.id).where(Account.member_id == member_id, Account.currency == currency)
    found = session.scalar(query)
    if found is None:
        row = {"code": f"shopper:{member_id}:{currency}", "member_id": member_id,
               "currency": currency, "balance_minor": 0}  # fmt: skip
        session.connection().execute(insert_new(Account), [row])
        found = session.scalar(query)
    return int(found or 0)


def shop_account(name: str, currency: str) -> int:
    """Joiner: the id of an account of the shop itself ("takings", "gateway:simulated")."""
    session = in_transaction()
    code = f"{name}:{currency}"
    query = select(Account.id).where(Account.code == code)
    found = session.scalar(query)
    if found is None:
        row = {"code": code, "member_id": None, "currency": currency, "balance_minor": None}
        session.connection().execute(insert_new(Account), [row])
        found = session.scalar(query)
    return int(found or 0)


def balance_expression(member_id: Any, currency: Any) -> ScalarSelect[int]:
    """An expression for other rooms' queries: the member's balance; NULL without an account."""
    where = (Account.member_id == member_id, Account.currency == currency)
    return select(Account.balance_minor).where(*where).correlate_except(Account).scalar_subquery()


class Balance(NamedTuple):
    """What a member's account holds, and what its owner lets leave it unconfirmed."""

    account_id: int
    balance_minor: int
    most_buy_minor: int | None = None
    most_day_minor: int | None = None


class Accounts(NamedTuple):
    """What a charge needs to know, read in one statement: each member's account and balance, and
    the shop's takings account in that currency (None before the first sale)."""

    currency: str
    of_members: dict[int, Balance]
    takings_id: int | None

    def balance_of(self, member_id: int) -> int:
        found = self.of_members.get(member_id)
        return found.balance_minor if found else 0


def accounts(member_ids: Sequence[int], currency: str) -> Accounts:
    """The members' accounts in a currency; who has none is left out and holds nothing."""
    rows = _accounts.all(members=Many(member_ids), money=currency, takings=f"{TAKINGS}:{currency}")
    found = {row[0]: Balance(*row[1:]) for row in rows}
    takings = found.pop(None, None)
    return Accounts(currency, found, takings.account_id if takings else None)


_lock = Prepared(
    lambda dialect: (
        select(Account.id)
        .where(
            one_of(Account.member_id, "members", dialect), Account.currency == bindparam("money")
        )
        .order_by(Account.member_id)
        .with_for_update()
    )
)


def lock_accounts(member_ids: Collection[int], currency: str) -> None:
    """Joiner: nobody else spends from these accounts until the caller's transaction ends. Locked in
    the order in which `charge` debits."""
    in_transaction()
    _lock.all(members=Many(member_ids), money=currency)


def lock_all_accounts(member_id: int) -> None:
    """Joiner: the same for one member's accounts in every currency."""
    query = select(Account.id).where(Account.member_id == member_id).order_by(Account.id)
    in_transaction().execute(query.with_for_update()).all()


def forfeit(member_id: int) -> None:
    """Joiner: what a member's accounts hold is the shop's, by their own word; their rows are
    locked."""
    session, at = in_transaction(), clock.now()
    query = select(Account.id, Account.balance_minor, Account.currency).where(
        Account.member_id == member_id, Account.balance_minor > 0
    )
    for account_id, balance, currency in session.execute(query).all():
        amount = int(balance or 0)
        if not take(member_id, amount, currency):
            raise InsufficientFunds()
        to = shop_account(FORFEITED, currency)
        row = row_of(account_id, to, amount, currency, FORFEITED, at)
        session.connection().execute(insert(Transfer), [row])


def set_limits(
    member_id: int, currency: str, most_buy_minor: int | None, most_day_minor: int | None
) -> None:
    """Joiner: what may leave a member's account without their PIN; None is no limit of theirs."""
    for amount in (most_buy_minor, most_day_minor):
        if amount is not None and not 0 < amount <= LARGEST_MINOR:
            raise Invalid("A limit is more than nothing", field="limit")
    account_id = shopper_account(member_id, currency)
    change = update(Account).where(Account.id == account_id)
    values = {"most_buy_minor": most_buy_minor, "most_day_minor": most_day_minor}
    in_transaction().execute(change.values(**values))


def balance_of(member_id: int, currency: str) -> int:
    return accounts([member_id], currency).balance_of(member_id)


def take(member_id: int, amount_minor: int, currency: str) -> bool:
    """Joiner: lower a member's balance, if it holds so much."""
    in_transaction()
    row = {"member": member_id, "money": currency, "amount": amount_minor}
    return _debit.run([row]) == 1


def charge(payments: Sequence[Payment], known: Accounts, at: datetime) -> bool:
    """Joiner: pay all of these, or answer False where a member's account holds too little and the
    caller rolls back: with several buys in one transaction only the caller knows whose refusal it
    is. A member who pays twice here is debited once, by the sum; accounts are locked in order of
    member. What a till took in cash or by card is no balance that could run out."""
    payments = [payment for payment in payments if payment.amount_minor]
    if not payments:
        return True
    sums: dict[int, int] = {}
    for member, amount, _, means, _, _ in payments:
        if means == "account" and member is not None:
            sums[member] = sums.get(member, 0) + amount
    debits = [
        {"member": member, "money": known.currency, "amount": sums[member]}
        for member in sorted(sums)
    ]
    in_transaction()
    if debits and _debit.run(debits) != len(debits):
        return False
    takings = known.takings_id or shop_account(TAKINGS, known.currency)
    others = {payment.means for payment in payments} - {"account"}
    shops = {means: shop_account(account_of(means), known.currency) for means in sorted(others)}
    rows = [
        row_of(shops.get(means) or known.of_members[member or 0].account_id, takings, amount,
               known.currency, "charge", at, sale_id=sale_id, attempt_id=attempt_id)
        for member, amount, sale_id, means, attempt_id, _ in payments
    ]  # fmt: skip
    owed = [payment for payment in payments if payment.deposit_minor]
    if owed:
        deposits = shop_account(DEPOSITS, known.currency)
        rows += [
            row_of(takings, deposits, payment.deposit_minor, known.currency, "deposit_owed", at,
                 sale_id=payment.sale_id)
            for payment in owed
        ]  # fmt: skip
    _book.run(rows)
    return True


def pass_through(source: str, amount_minor: int, currency: str, attempt_id: str) -> None:
    """Joiner: money that came from an account of the shop (`source`, "gateway:stripe") and goes
    back to it, as nothing is left to pay for."""
    connection, at = in_transaction().connection(), clock.now()
    outside, passing = shop_account(source, currency), shop_account(PASSING, currency)
    came = row_of(outside, passing, amount_minor, currency, "late", at, attempt_id=attempt_id)
    came_id = connection.execute(insert(Transfer).returning(Transfer.id), [came]).scalar_one()
    back = row_of(passing, outside, amount_minor, currency, "late_back", at)
    back |= {"reverses_id": came_id, "reversed_before_minor": 0}
    connection.execute(insert(Transfer), [back])


def deposit(
    member_id: int, amount_minor: int, currency: str, source: str, *, attempt_id: str | None = None,
    note: str = "", reason: str = "top_up",
) -> None:  # fmt: skip
    """Joiner: money comes in from an account of the shop (`source`, "gateway:simulated", "cash") to
    the shopper's. An attempt's id is unique in the ledger: it is booked once."""
    account = shopper_account(member_id, currency)
    row = row_of(shop_account(source, currency), account, amount_minor, currency, reason,
                 clock.now(), attempt_id=attempt_id, note=note)  # fmt: skip
    in_transaction().connection().execute(insert(Transfer), [row])
    give(account, amount_minor)


def give(account_id: int, amount_minor: int) -> None:
    """Raise a shopper's balance. An account of the shop keeps none (NULL), and so it stays."""
    row = {"account": account_id, "amount": amount_minor}
    in_transaction().connection().execute(_credit, [row])


def row_of(
    debit: int, credit: int, amount_minor: int, currency: str, reason: str, at: datetime,
    *, sale_id: str | None = None, attempt_id: str | None = None, note: str = "",
) -> dict[str, Any]:  # fmt: skip
    return {
        "debit_id": debit, "credit_id": credit, "amount_minor": amount_minor,
        "currency": currency, "reason": reason, "sale_id": sale_id, "attempt_id": attempt_id,
        "reverses_id": None, "note": note, "at": at,
    }  # fmt: skip
