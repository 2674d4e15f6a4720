"""What a caller or operator can set or receive is documented, and what is documented exists."""

from __future__ import annotations

import ast
import re

from docs import settings_table
from shared import errors
from shared.settings import Settings, env_names
from tests.house.tree import ROOT, SOURCE, files

CODE = re.compile(r"`([a-z]+(?:_[a-z]+)*)`")


def test_settings_page_is_the_one_rendered() -> None:
    """`make docs` was run after the last change of a setting."""
    assert settings_table.PAGE.read_text(encoding="utf-8") == settings_table.render()


def test_every_setting_is_in_the_page_and_explained() -> None:
    """No setting falls out of the groups the page is made of."""
    page = settings_table.render()
    missing = [name for name, field in Settings.model_fields.items() if f"`{env_names(name, field)[0]}`" not in page]
    silent = [name for name, field in Settings.model_fields.items() if not field.description]

    assert (missing, silent) == ([], [])


def test_error_codes_are_documented_and_documented_codes_exist() -> None:
    """docs/errors.md lists exactly the codes of the tree and of the places that raise with another code."""
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE))

    assert documented == codes_of_the_tree() | codes_raised()


def codes_of_the_tree() -> set[str]:
    """Class codes, and the codes the classes' docstrings name."""
    classes = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ServiceError)
    ]
    named = {
        code
        for kind in classes
        for code in CODE.findall(kind.__doc__ or "")
        if code not in ("code", "status", "provider")
    }
    return {kind.code for kind in classes} | named


def codes_raised() -> set[str]:
    """Every literal `code="..."` of a call in the source that is not about HTTP's own words."""
    return {
        word.value.value
        for path in files(*SOURCE, suffix=".py")
        if "vector_engine" not in path.parts
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        for word in call.keywords
        if word.arg == "code" and isinstance(word.value, ast.Constant) and isinstance(word.value.value, str)
    }
