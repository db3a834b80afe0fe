"""Columns: which column of a file holds what, by the headings that people use."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence

from .tables import FileRefused

__all__ = ["FIELDS", "ColumnTwice", "Columns", "chosen_columns", "find_columns", "recognised"]

_KNOWN = """
short_code: short_code shortcode
gtin: gtin ean ean13 ean_13 ean8 upc upc_a barcode bar_code gtin14 gtin_14 gtin13 gtin12 条码 条形码
 商品条码 国际条码 gtin_as_published
code: code product_code item_code 商品编码 商品代码 编码
sku: sku item_number item_no article_number article_no stockcode stock_code 货号
name: name title product_name product item item_name 名称 品名 商品名称 商品名
name_en: name_en english_name english 英文名 英文名称
name_zh: name_zh chinese_name chinese 中文名 中文名称
description: description details 描述 说明
description_en: description_en
description_zh: description_zh
brand: brand brand_name brands 品牌 brand_owner
category: category group department category_name 分类 类别 品类
category_en: category_en
category_zh: category_zh
size: size size_text quantity package_weight net_weight net_content content weight 规格 净含量
price: price retail_price unit_price unitprice sales_price 价格 售价 单价 零售价
cost: cost cost_price purchase_price unit_cost buying_price 进价 成本 成本价 采购价
tax_rate: tax_rate tax vat vat_rate 税率
batches: batches track_batches batch_tracking 批次 批次管理
least_age: least_age age_limit minimum_age min_age age_restriction 最低年龄 年龄限制
group: item_group variant_group 商品组
group_en: group_en
group_zh: group_zh
options: options variant 选项
options_en: options_en
options_zh: options_zh
deposit: deposit bottle_deposit pfand 押金
parts: parts bundle bundle_parts 组合
seller: seller seller_code counter 专柜 商户
stock: stock on_hand inventory 库存 库存数量
shelf: shelf aisle 货架
"""

FIELDS: dict[str, tuple[str, ...]] = {}
"""What an item can be told in a file, with the headings that are understood, the best one first:
where a row leaves that one empty, the next one counts."""
for _line in _KNOWN.replace("\n ", " ").strip().splitlines():
    _field, _headings = _line.split(":")
    FIELDS[_field] = tuple(_headings.split())

Columns = Mapping[str, tuple[int, ...]]
"""The columns of each field by their place, the best one first."""


class ColumnTwice(FileRefused):
    """Two columns are said to hold the same. `data`: field, columns (their headings)."""

    code = "column_twice"
    title = "Two columns hold the same"


def recognised(headings: Sequence[str]) -> list[str]:
    """The field of each column as far as its heading says it, else an empty text."""
    known = {heading: field for field, all_ in FIELDS.items() for heading in all_}
    return [known.get(_normal(heading), "") for heading in headings]


def chosen_columns(headings: Sequence[str], fields: Sequence[str]) -> Columns:
    """Columns by what a person says that each of them holds. Of several the first by the order of
    FIELDS counts where it is not empty, but only where all their headings say so: else it is a
    slip. Raises ColumnTwice; FileRefused where no column holds a code."""
    places: dict[str, list[int]] = {}
    for at, field in enumerate(fields):
        if field in FIELDS:
            places.setdefault(field, []).append(at)
    own = recognised(headings)
    for field, found in list(places.items()):
        names = [headings[at] for at in found]
        if len(found) > 1 and any(own[at] != field for at in found):
            raise ColumnTwice(f"Two columns hold {field}: {names}", field=field, columns=names)
        places[field] = sorted(found, key=lambda at: _rank(headings[at], FIELDS[field]))
    _need_a_code(places, headings)
    return {field: tuple(found) for field, found in places.items()}


def _rank(heading: str, order: tuple[str, ...]) -> int:
    normal = _normal(heading)
    return order.index(normal) if normal in order else 0


def find_columns(headings: Sequence[str], wanted: Mapping[str, str]) -> Columns:
    """Columns by their headings; what a person says (`wanted`: field to heading) counts more, and
    an empty heading switches a field off. Raises FileRefused where a field or a heading is not
    there, or nothing would tell what the items are."""
    places: dict[str, list[int]] = {}
    for at, heading in enumerate(headings):
        places.setdefault(_normal(heading), []).append(at)
    columns: dict[str, tuple[int, ...]] = {}
    for field, known in FIELDS.items():
        if field in wanted:
            continue
        found = tuple(at for name in known for at in places.get(name, ()))
        if found:
            columns[field] = found
    for field, heading in wanted.items():
        if field not in FIELDS:
            raise FileRefused(f"There is no field {field!r}. Fields: {', '.join(FIELDS)}")
        if heading:
            columns[field] = _named(heading, headings, places)
    taken = {at for field in wanted for at in columns.get(field, ())}
    for field in columns.keys() - wanted.keys():
        columns[field] = tuple(at for at in columns[field] if at not in taken)
    columns = {field: found for field, found in columns.items() if found}
    _need_a_code(columns, headings)
    return columns


def _need_a_code(columns: Container[str], headings: Sequence[str]) -> None:
    if not any(field in columns for field in ("gtin", "code", "sku", "short_code")):
        raise FileRefused(
            "No column holds a code. Say which one does: --map gtin=COLUMN or --map sku=COLUMN. "
            f"The columns are: {', '.join(headings)[:500]}"
        )


def _named(
    heading: str, headings: Sequence[str], places: Mapping[str, list[int]]
) -> tuple[int, ...]:
    exact = [at for at, each in enumerate(headings) if each == heading]
    found = exact or places.get(_normal(heading), [])
    if not found:
        raise FileRefused(
            f"There is no column {heading!r}. The columns are: {', '.join(headings)[:500]}"
        )
    return tuple(found[:1])


def _normal(heading: str) -> str:
    return re.sub(r"[\W_]+", "_", heading.casefold()).strip("_")
