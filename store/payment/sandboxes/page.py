"""The page of a practice provider, on which the shopper says how the payment shall end."""

from __future__ import annotations

from html import escape

from werkzeug.wrappers import Response

from ... import money

__all__ = ["COMPLAINS", "ENDS", "page"]

ENDS = {
    "pay": ("Pay", "付款"),
    "decline": ("Decline", "拒绝付款"),
    "late": ("Pay, and tell the shop late", "付款，稍后才通知商店"),
    "twice": ("Pay, and tell the shop twice", "付款，通知商店两次"),
    "never": ("Pay, and never tell the shop", "付款，不通知商店"),
    "cancel": ("Go back without paying", "不付款，返回商店"),
}
"""What the shopper may choose: English and Chinese."""
COMPLAINS = {"complain": ("Complain about it", "投诉这笔付款")}
"""What whoever has paid may still choose, where the provider takes complaints."""

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<title>{provider}: practice</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<style>
body{{font:1rem/1.5 system-ui,sans-serif;margin:0 auto;max-width:34rem;padding:1rem}}
h1{{font-size:1.25rem}} b{{font-size:1.75rem}}
p.note{{border:2px dashed;border-radius:.5rem;padding:.75rem}}
button{{font:inherit;display:block;width:100%;min-height:3rem;margin:.5rem 0;
padding:.5rem 1rem;text-align:start}}
</style></head><body><main>
<p class="note">Practice: no bank is asked, nothing is charged.<br>
<span lang="zh">练习：不会联系银行，也不会扣款。</span></p>
<h1>{provider}</h1><p><b>{amount}</b><br>{subject}</p>
<form method="post">{buttons}</form></main></body></html>"""


def page(
    provider: str, subject: str, amount_minor: int, currency: str,
    ends: dict[str, tuple[str, str]] = ENDS,
) -> Response:  # fmt: skip
    buttons = "".join(
        f'<button name="end" value="{end}">{english} <span lang="zh">{chinese}</span></button>'
        for end, (english, chinese) in ends.items()
    )
    shown = money.show(amount_minor, currency)
    text = _PAGE.format(
        provider=escape(provider), subject=escape(subject), amount=escape(shown), buttons=buttons
    )
    return Response(text, content_type="text/html; charset=utf-8")
