"""Catalogue: what is sold, under which codes and at what price."""

from __future__ import annotations

from .bundles import Part, kept_part, parts_of
from .codes import (
    CodeTaken,
    ItemNotForSale,
    ItemRetired,
    find_item,
    item_by_code_query,
    item_path,
    refuse_retired,
)
from .deposit_kinds import add_deposit
from .deposits import Deposit, deposit_due, deposit_of, deposits
from .figures import OLDEST
from .forms import resolve
from .items import add_item, archive_item, bring_back, edit_item
from .models import BundlePart, Category, Item
from .owners import Owner, has_sellers, owner_at, owners_of, seller_with, sellers
from .pictures import add_picture, picture_url
from .prices import price_in_force, prices_at, quote, set_price
from .quotes import Off, Quote, as_sold, kept_quote, mark_rules, quotes, rules_mark
from .resolver import page_headers
from .return_rules import (
    Rule,
    return_rule,
    rule_of,
    rules_at,
    rules_in_force,
    set_return_rule,
    warranty_until,
)
from .search import brought_by, categories, search, search_conditions
from .sizes import unit_price

__all__ = [
    "OLDEST",
    "BundlePart",
    "Category",
    "CodeTaken",
    "Deposit",
    "Item",
    "ItemNotForSale",
    "ItemRetired",
    "Off",
    "Owner",
    "Part",
    "Quote",
    "Rule",
    "add_deposit",
    "add_item",
    "add_picture",
    "archive_item",
    "as_sold",
    "bring_back",
    "brought_by",
    "categories",
    "deposit_due",
    "deposit_of",
    "deposits",
    "edit_item",
    "find_item",
    "has_sellers",
    "item_by_code_query",
    "item_path",
    "kept_part",
    "kept_quote",
    "mark_rules",
    "owner_at",
    "owners_of",
    "page_headers",
    "parts_of",
    "picture_url",
    "price_in_force",
    "prices_at",
    "quote",
    "quotes",
    "refuse_retired",
    "resolve",
    "return_rule",
    "rule_of",
    "rules_at",
    "rules_in_force",
    "rules_mark",
    "search",
    "search_conditions",
    "seller_with",
    "sellers",
    "set_price",
    "set_return_rule",
    "unit_price",
    "warranty_until",
]
