"""Past the limits: 429 and when to come back, no 5xx; the other tenant is served, what was accepted ends."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.chaos.wired import Wired
from tests.e2e.flumes import Caller, make_key

pytestmark = pytest.mark.chaos

_LIMIT = 8
_POSTS = 24


def test_a_flood_is_refused_and_the_other_tenant_is_not(wired: Wired) -> None:
    """The model answers nobody for a while: one tenant fills its share, the other one still gets in, all end well."""
    wired.llm.script({"match": "", "action": "hang", "times": None, "then": "default"})
    api = wired.start_api(backlog_messages_per_project=_LIMIT)
    wired.start_worker(slots=4, tenant_cap=3)
    noisy = wired.caller(api)
    with Caller(api.url, make_key(wired.service.database_url, "quiet")) as quiet:
        answers = [noisy.add(f"I own boat {number}", wait=0, user_id=str(number)) for number in range(_POSTS)]
        refused = [answer for answer in answers if answer.status_code == 429]
        accepted = [answer.json()["event_id"] for answer in answers if answer.status_code == 202]
        theirs = [quiet.post(f"I own house {number}", user_id=str(number)) for number in range(3)]

        assert Counter(answer.status_code for answer in answers).keys() == {202, 429}
        assert 1 <= len(accepted) <= _LIMIT
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
        assert {answer.json()["code"] for answer in refused} == {"overloaded"}

        wired.llm.script(replace=True)
        wired.llm.release()
        assert {quiet.ended(event)["status"] for event in theirs} == {"SUCCEEDED"}
        assert {noisy.ended(event)["status"] for event in accepted} == {"SUCCEEDED"}
        assert noisy.add("I own a late boat", wait=0, user_id="late").status_code in (202, 429)
