"""Renders docs/openapi.json, the API's contract as a file: a change of the API shows as a difference of it.

usage: python -m docs.openapi_page
"""

from __future__ import annotations

from pathlib import Path

import orjson

from api.app import create_app
from shared.settings import Settings

PAGE = Path(__file__).with_name("openapi.json")
_NOWHERE = "127.0.0.1:9"  # nothing is connected to


def render() -> str:
    """The OpenAPI document of this tree."""
    settings = Settings(
        database_url=f"postgresql://{_NOWHERE}/x",
        redis_url=f"redis://{_NOWHERE}",
        qdrant_url=f"http://{_NOWHERE}",
        insecure_dev=True,
    )
    document = create_app(settings).openapi()
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
