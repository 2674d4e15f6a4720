"""What happens while the model thinks: killed workers, user changes, more posts. The model is held at its HTTP edge."""

from __future__ import annotations

from tests.e2e.flumes import Caller
from tests.fakes.openai_control import FakeOpenAI
from tests.stack import Service, crash, wait_until

FAST = {"lease": 3, "poll": 0.3}
ROME = "I live in Rome"


def hold(llm: FakeOpenAI, match: str, then: str = "default") -> None:
    """The next chat call that mentions `match` waits until it is released."""
    llm.script({"match": match, "action": "hang", "then": then})


def test_a_killed_worker_loses_and_doubles_nothing(
    service: Service, caller: Caller, llm: FakeOpenAI, model: dict[str, str]
) -> None:
    """Kill -9 while the model thinks: the next worker finishes the event, every fact stands once."""
    first = service.start_worker(**model, **FAST)
    hold(llm, ROME)
    event = caller.post(f"{ROME}. My dog is called Rex.", user_id="ana")
    llm.wait_hanging(1)
    crash(first)
    service.start_worker(**model, **FAST)

    ended = caller.ended(event)

    assert ended["status"] == "SUCCEEDED"
    assert [text.rstrip(".") for text in caller.texts(user_id="ana")] == [ROME, "My dog is called Rex"]
    assert {result["id"] for result in ended["results"]} == {item["id"] for item in caller.memories(user_id="ana")}


def test_a_patch_meanwhile_stands(service: Service, caller: Caller, llm: FakeOpenAI, model: dict[str, str]) -> None:
    """The model wanted to change what the user has just corrected: the correction wins, nothing is lost."""
    service.start_worker(**model, **FAST)
    llm.settings(
        facts=[{"match": "Milan", "records": [{"text": "Lives in Milan", "op": "SUPERSEDE", "target_text": "Rome"}]}]
    )
    memory = caller.add(ROME, user_id="ana").json()["results"][0]
    hold(llm, "Milan")
    event = caller.post("I moved to Milan", user_id="ana")
    llm.wait_hanging(1)
    patched = caller.http.patch(f"/v1/memories/{memory['id']}", json={"memory": "Lives in Rome, in Via Appia"})
    assert patched.status_code == 200, patched.text
    llm.release()

    assert caller.ended(event)["status"] == "SUCCEEDED"
    assert caller.get(memory["id"])["memory"] == "Lives in Rome, in Via Appia"


def test_a_delete_meanwhile_stands(service: Service, caller: Caller, llm: FakeOpenAI, model: dict[str, str]) -> None:
    """Neither the deleted memory nor the same statement from a message accepted before comes back."""
    service.start_worker(**model, **FAST)
    memory = caller.add(ROME, user_id="ana").json()["results"][0]
    hold(llm, ROME)
    event = caller.post(f"{ROME}. I also like tea.", user_id="ana")
    llm.wait_hanging(1)
    assert caller.http.delete(f"/v1/memories/{memory['id']}").status_code == 200
    llm.release()

    assert caller.ended(event)["status"] == "SUCCEEDED"
    assert [text.rstrip(".") for text in caller.texts(user_id="ana")] == ["I also like tea"]
    assert caller.http.get(f"/v1/memories/{memory['id']}").status_code == 404


def test_a_delete_all_meanwhile_stands(
    service: Service, caller: Caller, llm: FakeOpenAI, model: dict[str, str]
) -> None:
    """Work in flight is discarded, pending events end with nothing, later ones work again."""
    service.start_worker(**model, **FAST)
    caller.add("I like tea", user_id="ana")
    hold(llm, ROME)
    event = caller.post(ROME, user_id="ana")
    llm.wait_hanging(1)
    waiting = caller.post("I have a dog", user_id="ana")
    assert caller.http.delete("/v1/memories/", params={"user_id": "ana"}).status_code == 200
    llm.release()

    for event_id in (event, waiting):
        ended = caller.ended(event_id)
        assert (ended["status"], ended["results"]) == ("SUCCEEDED", [])
    later = caller.add("I play chess", user_id="ana")
    assert later.status_code == 200
    assert [text.rstrip(".") for text in caller.texts(user_id="ana")] == ["I play chess"]


def test_posts_meanwhile_share_calls_and_keep_their_own_results(
    service: Service, caller: Caller, llm: FakeOpenAI, model: dict[str, str]
) -> None:
    """20 more events while the model thinks: at most three further calls, each event its own result."""
    service.start_worker(**model, **FAST)
    hold(llm, ROME)
    first = caller.post(ROME, user_id="ana")
    llm.wait_hanging(1)
    before = len(llm.log("chat"))
    more = {number: caller.post(f"I collect stamps of country number {number}", user_id="ana") for number in range(20)}
    llm.release()

    assert caller.ended(first)["status"] == "SUCCEEDED"
    for number, event_id in more.items():
        results = caller.ended(event_id)["results"]
        assert [f"number {number}" in result["memory"] for result in results] == [True]
    assert len(llm.log("chat")) - before <= 3


def test_answers_that_fail_end_with_their_code(
    service: Service, caller: Caller, llm: FakeOpenAI, model: dict[str, str]
) -> None:
    """A failure is never an empty success: refused and nonsense twice fail, a rate limit only delays."""
    service.start_worker(**model, **FAST)
    llm.script(
        {"match": "refuse me", "action": "refusal", "times": None},
        {"match": "nonsense", "action": "not_json", "times": None},
        {"match": "slow down", "action": "rate_limited", "times": 1, "headers": {"retry-after": "1"}},
    )

    refused = caller.ended(caller.post("Please refuse me this", user_id="a"))
    nonsense = caller.ended(caller.post("This is nonsense for the model", user_id="b"))
    delayed = caller.ended(caller.post("Now slow down a bit", user_id="c"))

    assert (refused["status"], refused["code"]) == ("FAILED", "llm_refused")
    assert (nonsense["status"], nonsense["code"]) == ("FAILED", "llm_invalid_output")
    assert delayed["status"] == "SUCCEEDED"
    assert delayed["results"]


def test_stop_and_start_again_loses_nothing(
    service: Service, caller: Caller, llm: FakeOpenAI, model: dict[str, str]
) -> None:
    """SIGTERM while the model thinks: the window is finished or given back at once, never left to a lease."""
    worker = service.start_worker(**model, lease=30, poll=0.3, grace=1)
    hold(llm, ROME)
    event = caller.post(ROME, user_id="ana")
    llm.wait_hanging(1)
    worker.stop()
    llm.release()
    service.start_worker(**model, lease=30, poll=0.3)

    assert caller.ended(event, timeout=15)["status"] == "SUCCEEDED"
    wait_until(lambda: len(caller.memories(user_id="ana")) == 1, "one memory")
