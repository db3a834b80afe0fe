"""Where Flask ends: below the views, the shop is plain Python that anything could call.

That rooms only import downhill is held by import-linter (`make check`); this is the rest of it.
"""

from __future__ import annotations

import ast
from pathlib import Path

STORE = Path(__file__).resolve().parents[2] / "store"
MAY = {"views.py", "commands.py", "forms.py", "web.py"}
# The application itself and its files, what serves it, copies it and fills it; the strict JSON that
# is plugged into it; the database tool has Flask-SQLAlchemy, and sign-in has Flask-Login. The rest
# is what the views of a room share: where the visitor is, how figures are shown.
MAY_BY_PATH = {
    "__init__.py", "answers.py", "assets.py", "backup.py", "db.py", "demo/__init__.py",
    "demo/opening.py",
    "door/place.py", "folding.py", "identity/login.py", "identity/people.py", "intake/words.py",
    "migrations/env.py", "post/speaking.py", "reports/shown.py",
    "serving.py", "strict.py", "visits.py", "workers.py",
}  # fmt: skip


def _modules() -> list[Path]:
    return [path for path in STORE.rglob("*.py") if "versions" not in path.parts]


def _imports(module: Path) -> set[str]:
    """The top names of all packages that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def _may_know_flask(module: Path) -> bool:
    path = module.relative_to(STORE).as_posix()
    parts = module.relative_to(STORE).parts
    # A room whose views outgrew one file has several, or a folder of them, on one blueprint.
    views = module.name.endswith("_views.py") or "views" in parts or module.name == "blueprint.py"
    return module.name in MAY or path in MAY_BY_PATH or parts[0] == "api" or views


def test_only_the_edge_of_the_shop_knows_flask() -> None:
    knowing = {
        module.relative_to(STORE).as_posix()
        for module in _modules()
        if any(name == "flask" or name.startswith("flask_") for name in _imports(module))
        and not _may_know_flask(module)
    }
    assert knowing == set()


def test_the_edge_is_where_this_test_says_it_is() -> None:
    missing = {path for path in MAY_BY_PATH if not (STORE / path).exists()}
    assert missing == set()
    assert "flask" in _imports(STORE / "web.py")


def test_nothing_but_the_database_tool_commits() -> None:
    committing = {
        module.relative_to(STORE).as_posix()
        for module in _modules()
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "commit"
    }
    assert committing == {"db.py"}
