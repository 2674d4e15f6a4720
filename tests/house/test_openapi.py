"""The contract of the API is a file: nothing of it changes unseen."""

from __future__ import annotations

from typing import Any

import orjson

from docs import openapi_page

DOCUMENT: dict[str, Any] = orjson.loads(openapi_page.PAGE.read_bytes())


def test_the_document_is_the_one_of_the_routes() -> None:
    """`python -m docs.openapi_page` was run after the last change of the API, and the difference was read."""
    assert orjson.loads(openapi_page.render()) == DOCUMENT


def test_each_operation_has_a_summary_and_an_example() -> None:
    """A reader sees what a call does and what its answer looks like."""
    open_ = ("/livez", "/readyz", "/metrics")
    mute = [
        f"{verb} {path}"
        for path, verbs in DOCUMENT["paths"].items()
        for verb, operation in verbs.items()
        if path not in open_ and (not operation.get("summary") or not operation.get("description"))
    ]
    bare = [
        f"{verb} {path} {code}"
        for path, verbs in DOCUMENT["paths"].items()
        for verb, operation in verbs.items()
        for code, answer in operation["responses"].items()
        if path not in open_ and code.startswith("2") and "example" not in answer["content"]["application/json"]
    ]

    assert (mute, bare) == ([], [])


def test_every_route_is_in_the_table_of_capabilities() -> None:
    """docs/capabilities.md names the versions and resources that are served."""
    page = (openapi_page.PAGE.parent / "capabilities.md").read_text(encoding="utf-8")
    resources = {part for path in DOCUMENT["paths"] for part in path.strip("/").split("/") if "{" not in part}
    told = {word for word in resources if word in page}

    assert resources - told == {"livez", "readyz", "metrics"}
