"""Unknown keys, again and again, over HTTP: 429 with `Retry-After`, and nobody else is shut out."""

from __future__ import annotations

import secrets

from tests.integration.api_support import LiveApi, assert_problem

LIMIT = 4
SETTINGS = {"bad_keys_per_minute": LIMIT, "trusted_proxies": "127.0.0.0/8"}
PATH = "/v1/memories/?user_id=u"


def _unknown(public: str | None = None) -> str:
    return f"fm_live_{public or secrets.token_hex(6)}_{secrets.token_hex(21)}A"


def test_an_address_that_keeps_guessing_is_told_to_stay_away(live: LiveApi) -> None:
    """Malformed and unknown keys count alike; what a trusted proxy calls another address starts afresh."""
    guesses = ["nonsense", *(_unknown() for _ in range(LIMIT))]
    answers = [live.client(guess, **{"X-Forwarded-For": "203.0.113.7"}).get(PATH) for guess in guesses]

    for answer in answers[:LIMIT]:
        assert_problem(answer, 401, "invalid_key")
    assert_problem(answers[LIMIT], 429, "too_many_bad_keys")
    assert 1 <= int(answers[LIMIT].headers["retry-after"]) <= 60 // LIMIT
    assert live.client(_unknown(), **{"X-Forwarded-For": "203.0.113.8"}).get(PATH).status_code == 401


def test_good_keys_of_the_same_address_are_served(live: LiveApi) -> None:
    """One already known and one never seen; a call without any key stays a 401 that says what is missing."""
    here = {"X-Forwarded-For": "203.0.113.9"}
    known = live.client(live.key(live.project()), **here)
    assert known.get(PATH).status_code == 200
    for _ in range(LIMIT + 1):
        last = live.client(_unknown(), **here).get(PATH)

    assert last.status_code == 429
    assert known.get(PATH).status_code == 200
    assert live.client(live.key(live.project()), **here).get(PATH).status_code == 200
    assert_problem(live.client(**here).get(PATH), 401, "missing_key")


def test_a_key_whose_secret_is_guessed_from_everywhere_still_opens(live: LiveApi) -> None:
    """Guesses for one public id are limited together; the right secret is not a guess."""
    key = live.key(live.project())
    public = key.split("_")[2]
    answers = [
        live.client(_unknown(public), **{"X-Forwarded-For": f"198.51.100.{number}"}).get(PATH)
        for number in range(LIMIT + 1)
    ]

    assert [answer.status_code for answer in answers] == [401] * LIMIT + [429]
    assert live.client(key, **{"X-Forwarded-For": "198.51.100.200"}).get(PATH).status_code == 200
