"""Folding: what a template says that never changes is worked out once, when it is compiled.

A page asks for some forty translations and addresses that are the same for everybody who reads its
language; asking for them at every request took most of an item page's time. So each language has
templates of its own, in which `_('…')`, `static_url('…')` and `url_for('…')` of constants are
already text. What depends on the request stays a call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask.templating import Environment
from jinja2 import nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup
from werkzeug.routing import BuildError

__all__ = ["FoldingEnvironment"]

Translate = Callable[[str], str]


class FoldingEnvironment(Environment):
    """Flask's template environment with one overlay, and so one set of compiled templates, for
    each language."""

    language: str | None = None
    speaks: Callable[[], str] = staticmethod(lambda: "en")
    translate: Translate = staticmethod(lambda text: text)
    static_url: Callable[[str], str] = staticmethod(lambda name: name)

    def __init__(self, app: Flask, **options: Any) -> None:
        super().__init__(app, **options)
        self.languages: dict[str, FoldingEnvironment] = {}

    def get_or_select_template(self, *args: Any, **kwargs: Any) -> Any:
        if self.language is not None:
            return super().get_or_select_template(*args, **kwargs)
        return self._speaking().get_or_select_template(*args, **kwargs)

    def get_template(self, *args: Any, **kwargs: Any) -> Any:
        if self.language is not None:
            return super().get_template(*args, **kwargs)
        return self._speaking().get_template(*args, **kwargs)

    def _speaking(self) -> FoldingEnvironment:
        language = self.speaks()
        if language not in self.languages:
            overlay: Any = self.overlay()
            overlay.language = language
            self.languages[language] = overlay
        return self.languages[language]

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        template = super()._parse(source, name, filename)
        if self.language is None:
            return template
        return _Folding(self).visit(template)  # type: ignore[no-any-return]


class _Folding(NodeTransformer):
    def __init__(self, environment: FoldingEnvironment) -> None:
        self.environment = environment

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if not isinstance(node.node, nodes.Name) or node.dyn_args or node.dyn_kwargs:
            return node
        if not node.args or not all(isinstance(one, nodes.Const) for one in node.args):
            return node
        said = [one.value for one in node.args if isinstance(one, nodes.Const)]
        fold = {"_": self._text, "gettext": self._text, "static_url": self._static,
                "url_for": self._address}.get(node.node.name)  # fmt: skip
        folded = fold(node, *said) if fold and len(said) == 1 else None
        return folded.set_lineno(node.lineno) if folded is not None else node

    def _text(self, node: nodes.Call, text: str) -> nodes.Expr | None:
        """`_('…')` is its translation; `_('… %(name)s', name=…)` the translation with the values
        put in, escaped, which is what the newstyle gettext of Jinja does at every call."""
        translated = Markup(self.environment.translate(text))  # noqa: S704  Ours, not a visitor's.
        if not node.kwargs:
            return nodes.Const(translated % {})
        values = [nodes.Pair(nodes.Const(one.key), one.value) for one in node.kwargs]
        return nodes.Mod(nodes.Const(translated), nodes.Dict(values))

    def _static(self, node: nodes.Call, name: str) -> nodes.Expr | None:
        return None if node.kwargs else nodes.Const(self.environment.static_url(name))

    def _address(self, node: nodes.Call, endpoint: str) -> nodes.Expr | None:
        """The shop stands at the root of its host (its Digital Links do), so a page without
        arguments has one address."""
        if node.kwargs or endpoint.startswith("."):
            return None
        try:
            return nodes.Const(self.environment.app.url_map.bind("").build(endpoint))
        except BuildError:
            return None  # Left as it is: the page that asks for it says what is missing.
