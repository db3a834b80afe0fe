"""The table of access: every route of the shop, an example, and the answer to each visitor."""

from __future__ import annotations

ROLES = ("guest", "shopper", "other", "staff", "owner")
"""`shopper` is Lin, whose sale, pass and top-up the examples are; `other` is another shopper."""

PUBLIC = (200, 200, 200, 200, 200)
MEMBERS = (303, 200, 200, 200, 200)
MINE = (303, 200, 404, 404, 404)
DESK = (303, 403, 403, 200, 200)
OWNERS = (303, 403, 403, 403, 200)
TOKENS = (401, 401, 401, 401, 401)
NOWHERE = (404, 404, 404, 404, 404)
GUESTS = (200, 303, 303, 303, 303)
# Forms without a field beside their token: whoever may send them is told what is missing.
ANYBODYS_FORM = (422, 422, 422, 422, 422)
MEMBERS_FORM = (303, 422, 422, 422, 422)
GUESTS_FORM = (422, 303, 303, 303, 303)
DESK_FORM = (303, 403, 403, 422, 422)
DESK_NOWHERE = (303, 403, 403, 404, 404)
DESK_BUTTON = (303, 403, 403, 303, 303)
OWNERS_FORM = (303, 403, 403, 403, 422)
OWNERS_BUTTON = (303, 403, 403, 403, 303)
OWNERS_NOWHERE = (303, 403, 403, 403, 404)
MEMBERS_NOWHERE = (303, 404, 404, 404, 404)
ALL_GO_ON = (303, 303, 303, 303, 303)

# endpoint and method: an example of its path, and the answers to the roles. Tried in this order.
ROUTES: dict[str, tuple[str, tuple[int, ...]]] = {
    "static GET": ("/static/css/base.css", PUBLIC),
    "health.alive GET": ("/healthz", PUBLIC),
    "health.ready GET": ("/readyz", PUBLIC),
    "sales.shop GET": ("/", PUBLIC),
    "sales.item GET": ("/01/{gtin}", PUBLIC),
    "sales.item_by_code GET": ("/i/{code}", PUBLIC),
    "sales.basket GET": ("/basket", PUBLIC),
    "catalogue.scan GET": ("/scan", PUBLIC),
    "catalogue.find GET": ("/find?code={code}", ALL_GO_ON),
    "catalogue.old_link GET": ("/gtin/{gtin}", (307, 307, 307, 307, 307)),
    "catalogue.other_key GET": ("/8018/{gtin}", (400, 400, 400, 400, 400)),
    "catalogue.description GET": ("/.well-known/gs1resolver", PUBLIC),
    "catalogue.picture GET": ("/pictures/none-96.webp", NOWHERE),
    "identity.sign_in GET": ("/sign-in", GUESTS),
    "identity.sign_up GET": ("/sign-up", GUESTS),
    "identity.start_again GET": ("/start", ALL_GO_ON),
    "identity.account GET": ("/me", MEMBERS),
    "identity.devices GET": ("/me/devices", MEMBERS),
    "identity.password GET": ("/me/password", MEMBERS),
    "payment.statement GET": ("/me/account", MEMBERS),
    "payment.top_up GET": ("/me/top-up", MEMBERS),
    "payment.top_up_state GET": ("/me/top-up/{top_up}", MINE),
    "sales.history GET": ("/me/sales", MEMBERS),
    "sales.order GET": ("/order?code={code}", MEMBERS),
    "delivery.addresses GET": ("/me/addresses", MEMBERS),
    "sales.receipt GET": ("/sales/{sale}", MINE),
    "door.pass_image GET": ("/sales/{sale}/pass.svg", MINE),
    "labels.on_screen GET": ("/demo/labels", NOWHERE),
    "labels.picture GET": ("/labels/none.svg", (303, 403, 403, 404, 404)),
    "door.desk GET": ("/desk", DESK),
    "door.exit GET": ("/desk/exit", DESK),
    "catalogue.desk_items GET": ("/desk/items", DESK),
    "catalogue.desk_item GET": ("/desk/items/{item}", DESK),
    "catalogue.new_item GET": ("/desk/items/new", DESK),
    "labels.studio GET": ("/desk/labels", DESK),
    "labels.jobs GET": ("/desk/labels/jobs", DESK),
    "labels.job GET": ("/desk/labels/jobs/1", DESK_NOWHERE),
    "labels.job_pdf GET": ("/desk/labels/jobs/1.pdf", DESK_NOWHERE),
    "labels.sticker GET": ("/desk/labels/none", DESK_NOWHERE),
    "labels.find GET": ("/desk/labels/find", DESK_NOWHERE),
    "labels.sample GET": ("/desk/labels/sample.svg", DESK_NOWHERE),
    "labels.sheet_picture GET": ("/desk/labels/sheet.svg", DESK),
    "sales.desk_orders GET": ("/desk/orders", DESK),
    "sales.desk_order GET": ("/desk/orders/none", DESK_NOWHERE),
    "sales.desk_sales GET": ("/desk/sales", DESK),
    "sales.desk_sale GET": ("/desk/sales/{sale}", DESK),
    "stock.desk GET": ("/desk/stock", DESK),
    "stock.tasks GET": ("/desk/tasks", DESK),
    "stock.reported GET": ("/shelf-reports", PUBLIC),
    "integration.feeds GET": ("/desk/feeds", DESK),
    "reports.takings GET": ("/owner", OWNERS),
    "reports.table GET": ("/owner/takings/items", OWNERS),
    "reports.takings_csv GET": ("/owner/takings.csv", OWNERS),
    "reports.sales GET": ("/owner/sales", OWNERS),
    "reports.sales_csv GET": ("/owner/sales.csv", OWNERS),
    "identity.people GET": ("/owner/people", OWNERS),
    "delivery.decisions GET": ("/owner/delivery", OWNERS),
    "api-docs.openapi_json GET": ("/api/v1/openapi.json", PUBLIC),
    "api_items.items GET": ("/api/v1/items", TOKENS),
    "api_items.item GET": ("/api/v1/items/{code}", TOKENS),
    "api_locations.locations GET": ("/api/v1/locations", TOKENS),
    "api_me.me GET": ("/api/v1/me", TOKENS),
    "api_me.transfers GET": ("/api/v1/me/transfers", TOKENS),
    "api_changes.changes GET": ("/api/v1/changes", TOKENS),
    "api_feeds.entries GET": ("/api/v1/feeds/entries", TOKENS),
    "api_reports.takings GET": ("/api/v1/reports/takings", TOKENS),
    "api_sales.listed GET": ("/api/v1/sales", TOKENS),
    "api_sales.one GET": ("/api/v1/sales/{sale}", TOKENS),
    "api_stock.levels GET": ("/api/v1/stock/{code}", TOKENS),
    "api_sales.sell POST": ("/api/v1/sales", TOKENS),
    "api_sales.refund POST": ("/api/v1/sales/{sale}/refunds", TOKENS),
    "api_stock.receive POST": ("/api/v1/stock/{code}/receipts", TOKENS),
    "api_feeds.stock POST": ("/api/v1/feeds/stock", TOKENS),
    "api_feeds.items POST": ("/api/v1/feeds/items", TOKENS),
    "api_feeds.prices POST": ("/api/v1/feeds/prices", TOKENS),
    "api_feeds.decide POST": ("/api/v1/feeds/entries/1/decisions", TOKENS),
    "payment.notice POST": ("/payments/notices/simulated", (400, 400, 400, 400, 400)),
    "sales.create POST": ("/sales", ANYBODYS_FORM),
    "sales.add POST": ("/basket/lines", ANYBODYS_FORM),
    "sales.set_quantity POST": ("/basket/quantity", ANYBODYS_FORM),
    "sales.checkout POST": ("/basket/checkout", MEMBERS_FORM),
    "payment.start_top_up POST": ("/me/top-up", MEMBERS_FORM),
    "payment.check POST": ("/me/top-up/{top_up}/checks", (303, 303, 404, 404, 404)),
    "door.scan POST": ("/desk", DESK_FORM),
    "door.check POST": ("/desk/exit", DESK_FORM),
    "door.choose_place POST": ("/desk/place", DESK_FORM),
    "catalogue.create_item POST": ("/desk/items", DESK_FORM),
    "catalogue.change_item POST": ("/desk/items/{item}", DESK_FORM),
    "catalogue.archive POST": ("/desk/items/{item}/archive", DESK_BUTTON),
    "catalogue.sell_again POST": ("/desk/items/{item}/bring-back", DESK_BUTTON),
    "labels.print POST": ("/desk/labels/jobs", DESK_FORM),
    "labels.revoke POST": ("/desk/labels/none/revoke", DESK_NOWHERE),
    "sales.refund POST": ("/desk/sales/{sale}/refunds", DESK_BUTTON),
    "stock.count POST": ("/desk/stock/counts", DESK_FORM),
    "stock.recall POST": ("/desk/stock/recalls", DESK_FORM),
    "stock.receive_goods POST": ("/desk/stock/receipts", DESK_FORM),
    "stock.report_empty POST": ("/shelf-reports", ANYBODYS_FORM),
    "stock.take_task POST": ("/desk/tasks/999/takings", DESK_NOWHERE),
    "stock.give_back_task POST": ("/desk/tasks/999/returns", DESK_NOWHERE),
    "stock.end_task POST": ("/desk/tasks/999/ends", DESK_NOWHERE),
    "sales.place_order POST": ("/orders", MEMBERS_FORM),
    "sales.cancel POST": ("/sales/{sale}/cancel", (303, 409, 404, 404, 404)),
    "sales.take_step POST": ("/desk/orders/none/steps", DESK_FORM),
    "sales.pick_short POST": ("/desk/orders/none/short", DESK_NOWHERE),
    "sales.hand_over POST": ("/desk/orders/hand-over", DESK_FORM),
    "delivery.add_address POST": ("/me/addresses", MEMBERS_FORM),
    "delivery.remove_address POST": ("/me/addresses/999999/remove", MEMBERS_NOWHERE),
    "delivery.add_zone POST": ("/owner/delivery/zones", OWNERS_FORM),
    "delivery.remove_zone POST": ("/owner/delivery/zones/999999/remove", OWNERS_NOWHERE),
    "delivery.add_rate POST": ("/owner/delivery/zones/999999/rates", OWNERS_FORM),
    "delivery.remove_rate POST": ("/owner/delivery/rates/999999/remove", OWNERS_NOWHERE),
    "delivery.describe_place POST": ("/owner/delivery/places/MAIN", OWNERS_BUTTON),
    "delivery.set_weights POST": ("/owner/delivery/weights", OWNERS_FORM),
    "integration.apply POST": ("/desk/feeds/1/apply", DESK_NOWHERE),
    "integration.dismiss POST": ("/desk/feeds/1/dismiss", DESK_NOWHERE),
    "identity.add_person POST": ("/owner/people", OWNERS_FORM),
    "identity.set_role POST": ("/owner/people/{member}/role", OWNERS_FORM),
    "identity.reset_password POST": ("/owner/people/{member}/password", OWNERS),
    "identity.disable POST": ("/owner/people/{member}/disable", OWNERS_BUTTON),
    "identity.enable POST": ("/owner/people/{member}/enable", OWNERS_BUTTON),
    "identity.change_language POST": ("/me/language", MEMBERS_FORM),
    "identity.change_name POST": ("/me/name", ALL_GO_ON),
    "identity.change_password POST": ("/me/password", MEMBERS_FORM),
    "identity.end_device POST": ("/me/devices/999999/end", ALL_GO_ON),
    "identity.end_other_devices POST": ("/me/devices/end", ALL_GO_ON),
    "identity.sign_up_with_password POST": ("/sign-up", GUESTS_FORM),
    "identity.start POST": ("/start", GUESTS_FORM),
    "identity.sign_in_with_password POST": ("/sign-in", (403, 403, 403, 403, 403)),
    "identity.sign_out POST": ("/sign-out", ALL_GO_ON),
}
WITH_PROOF_OF_THEIR_OWN = ("api_", "payment.notice")
"""Routes that need no token of a form: they ask for a bearer token or a signature."""
