"""The demo shop with its doors open, and the address of every page that somebody can see in it."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import select

from store import (
    catalogue,
    clock,
    create_app,
    delivery,
    demo,
    door,
    identity,
    ids,
    labels,
    payment,
    sales,
    stock,
)
from store.catalogue import groups, markdowns
from store.db import db, transaction
from store.delivery import addresses
from store.demo import transfers
from store.demo.goods import GOODS, OWNER, SHOPPER, STAFF, Person
from store.door import ages, rules, spots, steps
from store.intake import staging
from store.labels import bad_stickers, walks
from store.labels.judging import Shop
from store.membership import offers
from store.membership.consent_views import stop_path
from store.payment import complaints
from store.payment.gateways import Complaint
from store.payment.models import Attempt, Dispute
from store.sales.orders import fulfilment
from store.sales.returns.returns import Wish, declare
from store.sales.till import pay_ins, till_days
from store.sellers import figures
from store.stock import purchases, slips, transit
from tests.journeys.demo_more import more_pages, more_things
from tests.live import LiveServer, open_server
from tests.world import Visitor

__all__ = ["LONG_NAME", "NO_PAGES", "DemoShop", "open_demo"]

LONG_NAME = "Barista oat drink, unsweetened, with calcium, six-pack of 1 l"
LONG_PERSON = "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewis"
LONG_ZH = "燕麦咖啡师专用植物饮料无添加蔗糖富含钙质六瓶装每瓶一升量贩家庭装冷藏风味更佳"
CAST = {"shopper": SHOPPER, "staff": STAFF, "owner": OWNER}

# What a GET answers with something else than a page: pictures, files, documents, other addresses.
NO_PAGES = {
    "sales.basket_code", "sales.member_code_image",
    "static", "catalogue.other_key", "catalogue.description", "catalogue.picture",
    "catalogue.old_link", "catalogue.find", "door.pass_image", "identity.code", "identity.more",
    "identity.second", "merging.shown",
    "identity.outside", "identity.outside_back", "identity.payer", "identity.payer_back",
    "identity.start_again", "payment.costs_csv", "payment.due_payments_csv",
    "payment.settlement_rejects",
    "intake.example", "intake.refused",
    "labels.picture", "labels.job_page", "labels.page_picture", "labels.sample",
    "labels.sheet_picture", "labels.find",
    "reports.stock_csv", "reports.stock_xlsx",
    "reports.takings_csv", "reports.sales_csv", "reports.takings_xlsx", "reports.sales_xlsx",
    "reports.acts_csv", "reports.customers_csv", "reports.returns_csv", "reports.returns_xlsx",
    "reports.returns_list_csv", "reports.returns_list_xlsx", "reports.labels_csv",
    "reports.labels_xlsx", "privacy.data",
    "sales.till_goods", "floor.live_part",
    "sales.till_worker", "door.exit_kit", "door.exit_worker",
    "late.start", "late.worker",
    "door.exit_report_csv",
    "sellers.sellers_csv", "sellers.settlement_csv", "sellers.settlement_pdf",
    "sales.till_report_csv",
    "campaigns.people_csv", "campaigns.people_xlsx", "campaigns.change_campaign",
    "payment.month_csv", "payment.month_pdf", "sales.receipt_pdf", "sales.refund_pdf",
}  # fmt: skip
NO_PAGES_OF = {"health", "api-docs"}


@dataclass
class DemoShop:
    app: Flask
    server: LiveServer
    secrets: dict[str, str]
    things: dict[str, Any]
    seen: dict[str, list[str]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.server.url

    def cookie(self, who: str) -> Any:
        port = self.url.rpartition(":")[2]
        return {"name": f"visit-{port}", "value": self.secrets[who], "url": self.url}


def open_demo(folder: Path) -> DemoShop:
    settings = {
        "DATABASE_URL": f"sqlite:///{folder / 'shop.sqlite3'}", "INSTANCE": str(folder),
        "SECRET_KEY": "known-to-the-tests-only", "DEMO": True, "SIMULATED_GATEWAY": True,
        "PRACTICE_POST": True, "TESTING": True, "BANK_ACCOUNT": transfers.ACCOUNT,
    }  # fmt: skip
    app = create_app(settings)
    with app.app_context():
        upgrade()
        demo.open_shop()
        db.session.remove()
    visitors = {who: _visitor(app, person) for who, person in CAST.items()}
    things = _things(app, visitors["shopper"])
    things |= more_things(app, visitors["staff"])
    server = open_server(settings, folder / "server.log", https=False)
    server.wait_until_ready()
    secrets = {who: _secret(visitor) for who, visitor in visitors.items()}
    shop = DemoShop(app, server, secrets, things)
    shop.seen = _addresses(shop)
    return shop


def _variants(place: int) -> tuple[int, str]:
    """Joiner: two sizes of one thing, each with a deposit, one of them sold out; answers the group
    and the page of the other."""
    bottle = catalogue.add_deposit({"en": "Bottle", "zh": "瓶子"}, 25, "CNY").item_id
    group = groups.add_group({"en": LONG_NAME, "zh": LONG_ZH}, [{"en": "Size", "zh": "尺码"}])
    markdowns.set_markdown(3, 30)
    for value in ("L", "S"):
        item = catalogue.add_item(
            names={"en": f"Bottle {value}"}, price_minor=500, currency="CNY", tax_rate_bp=1300,
            deposit_id=bottle,
        )  # fmt: skip
        groups.put_in(item, group, [{"en": value}])
    stock.receive(item.id, place, 9)
    return group.id, catalogue.item_path(item)


def _visitor(app: Flask, person: Person) -> Visitor:
    visitor = Visitor(app.test_client())
    answer = visitor.post("/sign-in", identifier=person.email, password=person.password)
    assert answer.status_code == 303
    return visitor


def _secret(visitor: Visitor) -> str:
    cookie = visitor.client.get_cookie("visit")
    assert cookie is not None
    return cookie.value


def _things(app: Flask, shopper: Visitor) -> dict[str, Any]:
    """One of each thing that has a page, besides a long name wherever names stand."""
    with app.app_context(), transaction():
        item = catalogue.add_item(
            code="LONG", gtin=None, names={"en": LONG_NAME, "zh": LONG_ZH},
            price_minor=123_456, currency="CNY", tax_rate_bp=1300,
        )  # fmt: skip
        place = stock.location(stock.MAIN).id
        stock.receive(item.id, place, 99)
        found = {"item": item.id, "place": place, "gone": _sold_out(place)}
        found["group"], found["variant"] = _variants(place)
        found["offer"] = half = offers.add(
            offers.Wanted("percent", 10, "CNY", item_id=item.id, by_code=True), made_by=None
        )
        offers.add_codes(half, many=2)
        somebody = identity.add_member("long@example.com", "a-long-password-1", name=LONG_PERSON)
        payment.deposit(somebody.id, 1_000_000, "CNY", "cash")
        good, person = item.id, somebody.id
    with app.app_context():
        sales.buy(sales.Buy(person, place, "CNY", (sales.Line(good, 1),), ids.new()))
        money = pay_ins.Paid(person, place, "CNY", 12_345, "cash", ids.new(), person, 10**6)
        found["stop"] = stop_path(person, "mail").rpartition("/")[2]
        found["paid_in"], found["member"] = pay_ins.pay(money), person
    shopper.get("/pay?code=LONG")
    form = {"code": "LONG", "quantity": "1", "seen_minor": "123456", "means": "simulated",
            "wish": "never", "key": ids.new()}  # fmt: skip
    found["paying"] = shopper.post("/pay", form).location.split("/")[2].split("?")[0]
    shopper.get("/me/top-up")
    for wish in ("approve", "decline", "never"):
        form = {"amount": "5000", "means": "simulated", "wish": wish, "key": ids.new()}
        found[wish] = shopper.post("/me/top-up", form).location
    bought = shopper.post(
        "/sales", code="LONG", quantity="2", key=ids.new(), seen_minor="123456", confirmed="1"
    )
    found["receipt"] = bought.location
    shopper.post("/basket/lines", code="LONG", quantity="2", seen_minor="123456")
    with app.app_context():
        found["label"] = db.session.scalar(select(labels.Label.id).limit(1))
        member = identity.find(SHOPPER.email)
        assert member is not None
        found["shopper"], found["order"] = member.id, _ordered(member.id, place)
        found["complaint"] = _complaint()
        found["sale"] = sales.receipts(member_id=member.id, limit=1)[0].id
        found["list"] = _list(member.id, place)
        found["slips"] = _slips(member.id, place, good)
        found["walk"] = _walk(member.id, place, good)
        found["day"] = _closed_day(place)
        found["checked"] = _checked(member.id, place, good)
        found["aged"] = _aged(member.id, place)
        kept = str(bought.location).rpartition("/")[2]
        found["bought"] = kept
        back = Wish(kept, [sales.Part(1, 1)], "shop", "A reason in words", ids.new())
        found["return"] = declare(member.id, back)
    return found


def _complaint() -> str:
    """Somebody complains at WeChat about money that came by it."""
    came = (Attempt.gateway == "wechat", Attempt.state == "captured")
    mine = db.session.scalars(select(Attempt).where(*came)).first()
    assert mine is not None
    told = Complaint("2002018", mine.id, "open", mine.amount_minor, mine.currency, LONG_ZH,
                     f"{LONG_NAME} {LONG_NAME}", "13800138000")  # fmt: skip
    complaints.take("wechat", told, clock.now())
    return str(db.session.scalars(select(Dispute.id).where(Dispute.kind == "complaint")).one())


def _slips(member_id: int, place: int, item: int) -> dict[str, int]:
    """Work with stock of each kind, of which something is scanned; a delivery that is booked."""
    made = {}
    with transaction():
        for kind in ("purchase", "delivery", "count", "booked"):
            slip = slips.open_slip(
                "delivery" if kind == "booked" else kind, place, member_id, title=LONG_PERSON
            )
            slips.scan(slip, item, 12, member_id, key=ids.new())
            made[kind] = slip
        mill = next(each.id for each in stock.locations() if each.id != place)
        made["transfer"] = transit.open_transfer(place, mill, member_id, note=LONG_NAME)
        slips.scan(made["transfer"], item, 3, member_id, key=ids.new())
        stock.open_task("shelf_empty", place, item)
        stock.write_off(item, place, 1, "damaged", member_id=member_id, note=LONG_NAME)
    with transaction():
        purchases.book_delivery(made["booked"], member_id)
    return made


def _checked(member_id: int, place: int, item: int) -> tuple[str, str]:
    """Two bags that are looked at: one is being scanned, of the other a difference is asked for."""
    staff = identity.find(STAFF.email)
    assert staff is not None
    with transaction():
        payment.deposit(member_id, 1_000_000, "CNY", "cash")
        rules.set_rules(rules.Rules(random_bp=10_000), by=staff.id, at=clock.now())
    bags = []
    for _ in range(2):
        lines = (sales.Line(item, 2),)
        bag = sales.buy(sales.Buy(member_id, place, "CNY", lines, ids.new())).sale_id
        receipt = sales.receipt(bag)
        assert receipt is not None
        with transaction():
            spots.due(receipt, door.Check(staff.id, place, clock.now(), ids.new()), b"")
        steps.widen(bag)
        steps.scan(bag, item, 1, staff.id, ids.new(), clock.now())
        bags.append(bag)
    steps.ask(bags[1])
    with transaction():
        rules.set_rules(rules.Rules(), by=staff.id, at=clock.now())
    return bags[0], bags[1]


def _aged(member_id: int, place: int) -> str:
    """A bag that waits for an ID."""
    staff, beer = identity.find(STAFF.email), catalogue.find_item(GOODS["beer"].code)
    assert staff is not None and beer is not None
    lines = (sales.Line(beer.id, 1),)
    bag = sales.buy(sales.Buy(member_id, place, "CNY", lines, ids.new())).sale_id
    ages.begin(bag, beer.least_age, door.Check(staff.id, place, clock.now(), ids.new()))
    return bag


def _list(member_id: int, place: int) -> str:
    """A list that somebody has sent, with a slip in it, and that is not taken in."""
    where = staging.Where("CNY", "en", 1300, place, member_id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "list.csv")
        rows = f"EAN;Name;Price;Note\n9521000000018;{LONG_NAME};3.50;{LONG_PERSON}\n123;Tea;1;\n"
        path.write_text(rows, "utf-8")
        return staging.stage(path, f"{LONG_NAME}.csv", where)


def _walk(member_id: int, place: int, item: int) -> int:
    """A walk that found a label of each kind, on a shelf and on none, and what it put on the list
    of wrong ones."""
    shop = Shop("http://localhost", "known-to-the-tests-only", "CNY")
    with transaction():
        walk = walks.begin(place, member_id, ids.new())
        stock.put_on_shelf(item, place, LONG_NAME[:40])
        shelf = stock.shelves([item], place)[item]
        for text in ("http://localhost/i/LONG?l=MADE00UP00000", "https://evil.example/pay"):
            walks.scan(walk, text, shelf, ids.new(), member_id, shop)
        walks.close_shelf(walk, shelf, "CNY", member_id)
        label = db.session.scalar(select(labels.Label.id).order_by(labels.Label.id.desc()))
        seen = labels.Sighting("moved", place, item, label, shelf=shelf)
        bad_stickers.report(seen, times=12)
        bad_stickers.report(labels.Sighting("swapped", place, item, label))
    return walk


def _closed_day(place: int) -> str:
    """A day of a till, closed with a coin too little, and the next one open with its count."""
    staff = identity.find(STAFF.email)
    assert staff is not None
    day = till_days.open_day(place, staff.id, "CNY", 123_456_00, "", made_by=staff.id)
    counted = till_days.count(day, {"cash": 123_455_00, "card": 0}, made_by=staff.id)
    asked = till_days.Closing(day, counted, 123_400_00, {"cash": LONG_NAME})
    till_days.close_day(asked, made_by=staff.id)
    again = till_days.open_day(place, staff.id, "CNY", 55_00, "", made_by=staff.id)
    till_days.count(again, {"cash": 60_00, "card": 123_456_00}, made_by=staff.id)
    return day


def _ordered(member_id: int, place: int) -> tuple[str, str]:
    """An order that is collected here, ready to be handed over; answers its shipment and sale."""
    with transaction():
        payment.deposit(member_id, 123_456, "CNY", "cash")
        where = addresses.Where(LONG_PERSON, "", LONG_NAME, "Shanghai", "200001", "CN")
        addresses.add_address(member_id, where)
    item = catalogue.find_item("LONG")
    assert item is not None
    lines = (sales.Line(item.id, 1),)
    asked = sales.Order(member_id, place, "CNY", lines, ids.new(), "collect", 500, place_id=place)
    sale_id = sales.order(asked).sale_id
    (shipment,) = delivery.of_sale(sale_id)
    for event in ("pick", "pack"):
        fulfilment.step(shipment.id, event, made_by=member_id)
    return shipment.id, sale_id


def _sold_out(place: int) -> str:
    """The page of an item that is for sale but not there."""
    item = catalogue.add_item(
        code="GONE",
        gtin=None,
        names={"en": "Plum cake"},
        price_minor=900,
        currency="CNY",
        tax_rate_bp=1300,
    )
    return catalogue.item_path(item)


def _addresses(shop: DemoShop) -> dict[str, list[str]]:
    """Who sees which pages: made from the list of addresses that the shop answers."""
    work = shop.things["slips"]
    with shop.app.app_context():
        (settled,) = figures.settlements(limit=1)
    values = {
        "sales.item": {"rest": "09521000003019"}, "sales.item_by_code": {"code": "LONG"},
        "sales.receipt": {"sale_id": shop.things["sale"]},
        "sales.returns": {"sale_id": shop.things["bought"]},
        "sales.one_return": {"sale_id": shop.things["bought"], "return_id": shop.things["return"]},
        "sales.hand_in": {"sale_id": shop.things["bought"]},
        "sales.desk_sale": {"sale_id": shop.things["sale"]},
        "sales.till_receipt": {"sale_id": shop.things["till_sale"]},
        "integration.deliveries": {"webhook_id": shop.things["webhook"]},
        "sales.desk_order": {"shipment_id": shop.things["order"][0]},
        "catalogue.group": {"group_id": shop.things["group"]},
        "catalogue.desk_item": {"item_id": shop.things["item"]},
        "labels.walk": {"walk_id": shop.things["walk"]},
        "labels.sticker": {"label_id": shop.things["label"]}, "labels.job": {"job_id": 1},
        "payment.top_up_state": {"top_up_id": shop.things["approve"].split("/")[3].split("?")[0]},
        "payment.top_up_ways": {"amount": "5000"}, "payment.onward": {"gateway": "none"},
        "privacy.held": {"section": "sales"},
        "merging.merged": {"merge_id": "none"},
        "sales.not_mine": {"sale_id": shop.things["not_mine"], "k": shop.things["k"]},
        "payment.month": {"month": clock.now().strftime("%Y-%m")},
        "membership.stop": {"mark": shop.things["stop"]},
        "sales.pay_in_slip": {"pay_in_id": shop.things["paid_in"]},
        "sales.ways": {"code": "LONG"}, "sales.payment": {"attempt_id": shop.things["paying"]},
        "sales.till_report": {"day_id": shop.things["day"]},
        "sales.till_payment": {"attempt_id": "none"}, "reports.table": {"kind": "items"},
        "reports.stock_list": {"kind": "items"},
        "campaigns.campaign": {"campaign_id": 1}, "campaigns.people": {"campaign_id": 1},
        "reports.label": {"label_id": shop.things["label"]},
        "reports.customer": {"member_id": shop.things["shopper"]},
        "stock.purchase": {"slip_id": work["purchase"]},
        "stock.delivery": {"slip_id": work["delivery"]},
        "stock.shelf_count": {"slip_id": work["count"]},
        "stock.transfer_slip": {"slip_id": work["transfer"]},
        "payment.due_payments": {"means": "card"},
        "payment.settlement_file": {"file_id": shop.things["file"]},
        "intake.one_import": {"intake_id": shop.things["list"]},
        "labels.delivery": {"slip_id": work["booked"]}, "sellers.seller": {"code": "QUAY"},
        "sellers.settlement": {"settlement_id": settled.settlement.id},
        "opening.settings": {"group": "shop"}, "floor.anything": {"code": "LONG"},
        "membership.offer": {"offer_id": shop.things["offer"]},
        "payment.complaint": {"complaint_id": shop.things["complaint"]},
        "door.spot_check": {"sale_id": shop.things["checked"][0]},
        "door.ask_age": {"sale_id": shop.things["aged"]},
        "reports.daily_stop": {"mark": shop.things["daily"]},
    }  # fmt: skip
    seen: dict[str, list[str]] = {"guest": [], "shopper": [], "staff": [], "owner": []}
    with shop.app.test_request_context():
        for rule in shop.app.url_map.iter_rules():
            if "GET" not in (rule.methods or ()) or rule.endpoint in NO_PAGES:
                continue
            if rule.endpoint.split(".")[0] in NO_PAGES_OF or rule.rule.startswith("/api/"):
                continue
            address = shop.app.url_for(rule.endpoint, **values.get(rule.endpoint, {}))
            seen[_who(rule.rule)].append(address)
    gone = shop.things["gone"]
    seen["guest"] += [
        "/nowhere", "/i/NOTHERE", "/find?code=6901234567893", "/?q=nothing+like+it", gone,
        "/01/09521000003019?l=ABCDEFGH12345&quantity=3", "/?q=oat",
    ]  # fmt: skip
    seen["shopper"] += [
        "/i/LONG", shop.things["variant"], "/basket", gone, shop.things["decline"],
        shop.things["never"], shop.things["receipt"], "/desk", "/order",
        "/order?code=LONG&how=collect", "/order?code=LONG&how=deliver",
        "/sales/" + shop.things["order"][1], "/sales/" + shop.things["checked"][1],
        "/sales/" + shop.things["aged"],
    ]  # fmt: skip
    seen["staff"] += [
        "/desk/items?q=nothing+like+it", "/desk/sales?q=ZZZZZ", "/desk/stock?code=LONG",
        f"/desk/counts/{work['count']}?result=1", f"/desk/deliveries/{work['delivery']}?item=1",
        f"/desk/deliveries/{work['booked']}", "/desk/exit?pass=nonsense", "/owner",
        "/desk/anything?code=NOTHING-HERE",
        "/me", "/desk/nowhere", "/desk/exit/" + shop.things["checked"][1],
        f"/desk/till/pay-ins?member={shop.things['member']}",
        f"/desk/walks/{shop.things['walk']}?result=1", f"/desk/labels?walk={shop.things['walk']}",
    ]  # fmt: skip
    for who, paths in more_pages(shop.things).items():
        seen[who] += paths
    seen["owner"] += ["/desk", "/me", "/owner/takings?period=today", "/owner/takings/shoppers"]
    return seen


def _who(rule: str) -> str:
    if rule.startswith("/owner"):
        return "owner"
    if rule.startswith("/desk"):
        return "staff"
    return "shopper" if re.match(r"/me\b|/sales/|/pay\b", rule) else "guest"
