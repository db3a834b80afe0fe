"""Cards that a provider keeps: ticked once, one tap from then on, gone when they are removed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from store import ids, sales
from store.db import db, transaction
from store.identity import members
from store.payment import attempts
from store.payment.card_models import SavedMeans
from store.payment.commands import settle_pending
from store.payment.gateways import Approved, Declined, GatewayTimeout, Order, Pending
from store.payment.gateways.offered import set_up
from store.payment.gateways.stripe import Stripe
from store.payment.sandboxes.stripe import StripeSandbox
from tests.conftest import Clock
from tests.payment.practice import Providers, deliver, providers
from tests.sales.test_paying import Shopper
from tests.world import Thing, World


@pytest.fixture(scope="module")
def practice() -> Iterator[Providers]:
    with providers() as found:
        yield found


@pytest.fixture
def stripe(practice: Providers) -> StripeSandbox:
    practice.stripe.outgoing.clear()
    practice.stripe.cards.intents.clear()
    return practice.stripe


@pytest.fixture
def settings(settings: dict[str, Any], practice: Providers) -> dict[str, Any]:
    return settings | practice.settings


class Keeper(Shopper):
    """Somebody whose card is kept."""

    def keeps(self, item: Thing, end: str = "pay") -> str:
        """Pays on the provider's page, with the tick; answers the card's id."""
        path = self.goes_to_pay(item, keep="1")
        self.at_provider(path, end)
        self.checks(path)
        with self.world.app.app_context():
            for _ in range(2):  # Of the same card the older one goes.
                settle_pending()
            query = select(SavedMeans.id).where(SavedMeans.state == "kept")
            return str(db.session.scalar(query.order_by(SavedMeans.id.desc())))

    def goes_to_pay(
        self, item: Thing, quantity: int = 1, means: str = "stripe", **more: Any
    ) -> str:
        page = self.visitor.get(f"/pay?code={item.code}&quantity={quantity}").text
        key = re.search(r'name="key" value="(\w+)"', page)
        assert key
        self.form = {"key": key[1], "code": item.code, "quantity": quantity, "means": means,
                     "seen_minor": item.price_minor, **more}  # fmt: skip
        answer = self.visitor.post("/pay", self.form)
        assert answer.status_code == 303, answer.text
        return str(answer.location).partition("?")[0]

    def taps(self, item: Thing, card: str, **more: Any) -> str:
        return self.goes_to_pay(item, means=f"stripe:{card}", **more)

    def refused(self, item: Thing, card: str, status: int, code: str) -> None:
        """The tap is refused, and nothing was asked or kept."""
        count = len(self.stripe.cards.intents)
        form = {"key": ids.new(), "code": item.code, "quantity": 1, "means": f"stripe:{card}",
                "seen_minor": item.price_minor}  # fmt: skip
        answer = self.visitor.post("/pay", form)
        assert (answer.status_code, code in answer.text) == (status, True), answer.text
        assert len(self.stripe.cards.intents) == count


@pytest.fixture
def lin(world: World, stripe: StripeSandbox) -> Keeper:
    return Keeper(world, stripe, world.member())


def card_of(world: World, card_id: str) -> SavedMeans:
    with world.app.app_context():
        return db.session.get_one(SavedMeans, card_id)


def test_ticked_once_it_is_one_tap_until_it_is_removed(
    world: World, lin: Keeper, client: FlaskClient, stripe: StripeSandbox
) -> None:
    milk = world.item(price="12.50", on_hand=30)
    # Without the tick nothing is kept; with it, it is, once the money is there.
    path = lin.goes_to_pay(milk)
    lin.at_provider(path, "pay")
    lin.checks(path)
    assert "None yet" in lin.visitor.get("/me/cards").text
    card = lin.keeps(milk)
    assert "Visa •••• 4242" in lin.visitor.get("/me/cards").text
    pays = f'value="stripe:{card}"'
    assert pays in lin.visitor.get(f"/pay?code={milk.code}").text
    # One tap, the same tap again, the notice, the notice again: one payment and one sale.
    path = lin.taps(milk, card)
    assert lin.state(path) == "receipt"
    assert str(lin.visitor.post("/pay", lin.form).location).startswith("/sales/")
    mine = lin.attempt(path)
    assert (mine.saved_id, mine.state, mine.reference[:3]) == (card, "captured", "pi_")
    for _ in range(2):
        assert deliver(client, stripe.of_card(mine.reference)).status_code == 204
    assert (world.left(milk), len(stripe.cards.intents)) == (27, 1)
    with world.app.app_context():
        receipt = sales.receipt(mine.sale_id or "")
        assert receipt and (receipt.means, receipt.total_minor) == ("stripe", 1250)
        sales.refund(receipt.id, made_by=world.staff().id)
        settle_pending()
        assert attempts.find(mine.id).state == "refunded"
    assert len(stripe.cards.intents[mine.reference].refunds) == 1
    # The same card kept again is one card; another one stands beside it.
    again = lin.keeps(milk)
    assert (card_of(world, card).state, card_of(world, again).state) == ("gone", "kept")
    other = lin.keeps(milk, "asks")
    customers = {card_of(world, one).customer for one in (card, again, other)}
    assert len(customers) == 1
    page = lin.visitor.get("/me/cards").text
    assert page.count("•••• 4242") == 2 and "Mastercard •••• 3184" in page  # Its name, its button.
    # An order is paid by it, too.
    with world.app.app_context():
        world.zone((5000, "5"))
        world.address(lin.member)
    shown = lin.visitor.get(f"/order?code={milk.code}&how=collect&place=MAIN&pay=stripe:{again}")
    assert "Visa •••• 4242 <b>¥12.50</b>" in shown.text
    form = dict(re.findall(r'type="hidden" name="([\w-]+)" value="([^"]*)"', shown.text))
    paid = lin.visitor.post("/orders", {k: v for k, v in form.items() if k != "csrf_token"})
    assert lin.state(str(paid.location).partition("?")[0]) == "receipt"
    # Removed: twice is once, and the provider keeps it no longer.
    for _ in range(2):
        assert lin.visitor.post(f"/me/cards/{again}/removals").status_code == 303
    lin.refused(milk, again, 409, "card_gone")
    with world.app.app_context():
        assert card_of(world, again).state == "leaving"
        settle_pending()
        gone = card_of(world, again)
    assert (gone.state, gone.last4, stripe.cards.cards[gone.token].customer) == ("gone", "", "")
    assert world.faults() == []


def test_the_bank_asks_declines_or_the_card_is_over(
    clock: Clock, world: World, lin: Keeper, client: FlaskClient, stripe: StripeSandbox
) -> None:
    clock.set(datetime(2027, 3, 1, tzinfo=UTC))
    milk = world.item(price="12.50", on_hand=30)
    card = lin.keeps(milk, "asks")
    for end, state in (("pay", "receipt"), ("decline", "failed"), ("never", "receipt")):
        path = lin.taps(milk, card)
        page = lin.visitor.get(f"{path}?go=1").text
        reference = lin.attempt(path).reference
        assert f"/stripe/pay/{reference}" in page and lin.state(path) == "waits"
        lin.at_provider(path, end)
        lin.checks(path)
        assert lin.state(path) == state, end
        if end != "never":
            assert deliver(client, stripe.outgoing[-1]).status_code == 204
    # Whoever goes away lets it go; nobody pays it afterwards.
    path = lin.taps(milk, card)
    lin.visitor.post(f"{path}/cancellations")
    assert lin.state(path) == "expired"
    assert stripe.cards.intents[lin.attempt(path).reference].status == "canceled"
    # Declined: said why, nothing is kept, and the ways out lead to the same goods.
    for does, said in (("refuses", "not good for this amount"), ("expired", "card has expired")):
        stripe.cards.cards[card_of(world, card).token].does = does
        path = lin.taps(milk, card)
        page = lin.visitor.get(path).text
        assert said in page and f"/pay?code={milk.code}&amp;quantity=1" in page
        assert lin.state(path) == "failed"
    # Our own calendar says so, too.
    with world.app.app_context(), transaction() as session:
        session.get_one(SavedMeans, card).exp_year = 2026
    lin.refused(milk, card, 409, "card_expired")
    assert f"stripe:{card}" not in lin.visitor.get(f"/pay?code={milk.code}").text
    assert "Expired 12/2026" in lin.visitor.get("/me/cards").text
    assert (world.left(milk), world.faults()) == (27, [])


def test_nobody_pays_with_what_is_not_theirs(
    world: World, lin: Keeper, stripe: StripeSandbox
) -> None:
    milk = world.item(price="12.50", on_hand=9)
    card = lin.keeps(milk)
    mei = Keeper(world, stripe, world.member())
    for wrong in (card, "NONE", "x" * 30, "'; --"):
        mei.refused(milk, wrong, 404, "not_found")
    assert mei.visitor.post(f"/me/cards/{card}/removals").status_code == 404
    form = {"key": ids.new(), "code": milk.code, "quantity": 1, "seen_minor": milk.price_minor}
    for means in (f"alipay:{card}", f"stripe:{'y' * 60}", f":{card}"):
        assert mei.visitor.post("/pay", form | {"means": means}).status_code in (404, 422)
    # The provider has forgotten it, or this shop has another account there now: said, and removed.
    stripe.cards.cards.pop(card_of(world, card).token)
    path = lin.taps(milk, card)
    assert "does not know this card any more" in lin.visitor.get(path).text
    assert card_of(world, card).state == "leaving"
    stripe.cards.customers.clear()
    kept = lin.keeps(milk)  # A customer of another account is made anew.
    assert card_of(world, kept).state == "kept" and card_of(world, card).state == "gone"
    # Above the limit of the account the PIN is asked for a tap, too.
    lin.visitor.post("/me/limits", buy="5.00", day="")
    lin.refused(milk, kept, 403, "PIN")
    # Who has no account any more has no card.
    with world.app.app_context():
        members.disable(lin.member.id)
        settle_pending()
        assert card_of(world, kept).state == "gone"
    assert world.faults() == []


@pytest.mark.usefixtures("context")
def test_a_lost_answer_is_found_again_and_nothing_is_paid_twice(
    clock: Clock, world: World, settings: dict[str, Any], practice: Providers
) -> None:
    """The provider charged and its answer was lost: it is known by our order."""
    real = set_up(world.app.config)["stripe"]
    assert isinstance(real, Stripe)

    class Lost(Stripe):
        def start(self, order: Order) -> Any:
            super().start(order)
            raise GatewayTimeout("lost")

    stripe = practice.stripe
    lost = Lost(real.key, real.webhook_secret, real.url, real.live)
    card, count = stripe.cards.keep("", "pay"), len(stripe.cards.intents)
    wanted = Order(ids.new(), 1250, "CNY", customer=card.customer, token=card.id,
                   return_url="http://localhost/pay/x")  # fmt: skip
    with pytest.raises(GatewayTimeout):
        lost.start(wanted)
    found = real.status(wanted)
    assert isinstance(found, Approved) and found.amount_minor == 1250
    assert real.start(wanted) == found and real.close(wanted) == found
    assert len(stripe.cards.intents) == count + 1
    assert isinstance(real.status(replace(wanted, id=ids.new())), Pending)
    assert real.close(replace(wanted, id=ids.new())) == Declined("closed")
    # A stranger's card, one that was removed, one of another account.
    other = stripe.cards.keep("", "pay")
    for wrong in (replace(wanted, id=ids.new(), customer=other.customer),
                  replace(wanted, id=ids.new(), token="pm_elsewhere"),
                  replace(wanted, id=ids.new(), customer="cus_elsewhere")):  # fmt: skip
        assert real.start(wrong) == Declined("resource_missing")
    assert isinstance(real.forget(card.id), Approved)
    assert isinstance(real.forget(card.id), Declined)
    assert real.start(replace(wanted, id=ids.new())) == Declined("resource_missing")
    assert card.id not in repr(wanted)
