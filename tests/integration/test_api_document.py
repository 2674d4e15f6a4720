"""The API keeps to its OpenAPI document, whatever the document allows to send, and what it does not allow."""

from __future__ import annotations

from tests.integration import explore
from tests.integration.api_support import LiveApi
from tests.integration.hand_worker import HandIndexer

SETTINGS = explore.SETTINGS


def test_no_5xx_and_no_undocumented_answer(live: LiveApi, indexer: HandIndexer) -> None:
    """A bounded run with all of a project's rights; `make explore` is the long one, in both dialects."""
    indexer.register()
    indexer.apply()
    code, report = explore.explore(live.url, live.key(live.project()), seconds=40)

    assert code == 0, report
