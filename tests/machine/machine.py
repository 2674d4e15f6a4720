"""The state machine: callers, bells, two workers, a clock, a bad line and a moody guest, in any order.

Every step runs the service's own functions on a real Postgres and the real vector engine; after every step the judge
compares. At the end leases run out and polls run until nothing is left: then everything accepted must have ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar, Literal, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from shared.db import index_queue
from shared.model.scope import Lane, ScopeIds
from tests.machine.engine import LINES, Line
from tests.machine.errand import Errand
from tests.machine.gates import IN_TRANSACTION, Run
from tests.machine.guest import FORGET, HOMES, TEXTS, THINGS, WEATHERS, Weather
from tests.machine.judge import Judge
from tests.machine.oracle import Surprise
from tests.machine.rows import Rows
from tests.machine.users import Post, Users
from tests.machine.world import COLLECTION, LEASE, Ground, World, given, leftovers

T = TypeVar("T")

_ANY = st.integers(0, 999)
_TEXTS = st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3).map(tuple)
_PLAIN = st.sampled_from((*HOMES, *THINGS, FORGET)).map(lambda text: (text,))
_SCOPES = st.sampled_from([(0, given("alex")), (0, given("alex", "bot")), (0, given("kim")), (1, given("alex"))])
_LANES: st.SearchStrategy[Lane] = st.sampled_from(["live", "live", "bulk"])
_AGO = st.sampled_from([None, None, None, 3600.0])
_KEYS = st.sampled_from(["first", "second"])
_LONGEST_PAUSE = 100.0  # seconds after which every pause, lease and backoff of the service is over
_ROUNDS = 120
_BY_HAND = ("I live in Paris", "I live in Rome", "I own a sled")
_FAR = 12  # steps
_PLACES = st.sampled_from(
    ["claim.after", "extract.before", "extract.after", "extract.after", "commit.after", "index.before",
     "index.written", "notify.before", "end"]
)  # fmt: skip


class Machine(RuleBasedStateMachine):
    """`ground` is set by whoever runs it. `steps` counts by rule, `outcomes` what came of it, over all examples."""

    ground: ClassVar[Ground]
    steps: ClassVar[Counter[str]] = Counter()
    outcomes: ClassVar[Counter[str]] = Counter()
    examples: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).examples += 1
        self.world = World(self.ground)
        self.judge = Judge()
        self.users = Users(self.world, self.judge)
        self.broken = False

    # --- callers

    @rule(where=_SCOPES, texts=_TEXTS, lane=_LANES, ago=_AGO)
    def post(self, where: tuple[int, ScopeIds], texts: tuple[str, ...], lane: Lane, ago: float | None) -> None:
        """A caller writes."""
        self._count("post")
        self.users.post(Post(self._project(where), where[1], texts, lane, ago=ago))
        self._look()

    @rule(where=_SCOPES, texts=_TEXTS)
    def post_and_work(self, where: tuple[int, ScopeIds], texts: tuple[str, ...]) -> None:
        """A caller writes, and a worker hears the bell, if one rings, as far as its commit."""
        self._count("post and work")
        rung = len(self.users.bells)
        self.users.post(Post(self._project(where), where[1], texts))
        self._look()
        if len(self.users.bells) > rung:
            hint = self.users.bells.pop()
            self._until(self.world.start(0, lambda _, dispatcher: dispatcher.drain(hint)), "commit.after")

    @rule(where=_SCOPES, texts=_PLAIN, key=_KEYS, dies=st.sampled_from([False, False, False, True]))
    def post_with_key(self, where: tuple[int, ScopeIds], texts: tuple[str, ...], key: str, *, dies: bool) -> None:
        """With an Idempotency-Key, perhaps a known one. `dies`: the API, before its commit."""
        post = Post(self._project(where), where[1], texts, key=key)
        if dies and (post.project_id, key) not in self.users.keys:
            self._count("api dies before commit")
            self._nothing_new(lambda: self.users.post_in_vain(post))
        else:
            self._count("post with key")
            self.users.post(post)
            self._look()

    @precondition(lambda self: self.users.keys)
    @rule(number=_ANY)
    def post_again(self, number: int) -> None:
        """The answer was lost: the same request once more."""
        self._count("post again")
        known = list(self.users.keys.values())
        self._nothing_new(lambda: self.users.post(known[number % len(known)][0]))

    @precondition(lambda self: len(self.judge.rows.events) % 3 == 2)  # now and then
    @rule(where=_SCOPES, texts=_PLAIN)
    def post_raw(self, where: tuple[int, ScopeIds], texts: tuple[str, ...]) -> None:
        """Stored as it is, at once."""
        self._count("post raw")
        post = Post(self._project(where), where[1], texts, infer=False)
        self.users.post(post)
        self._look(then=lambda rows: self.users.raw_kept(post, rows))

    @precondition(lambda self: self.judge.rows.memories)
    @rule(number=_ANY, text=st.sampled_from(_BY_HAND))
    def patch(self, number: int, text: str) -> None:
        """A user changes a memory, in whatever state it is."""
        row = self._memory(number)
        if row is not None:
            self._count("patch")
            now, answer = self.world.clock.now(), self.users.patch(row.project_id, row.id, text)
            self._look(then=lambda _: self.users.patched(row, text, now, answer))

    @precondition(lambda self: self.judge.rows.memories)
    @rule(number=_ANY)
    def delete(self, number: int) -> None:
        """A user deletes a memory, in whatever state it is."""
        row = self._memory(number, raw=True)
        if row is not None:
            self._count("delete")
            answer = self.users.delete(row.project_id, row.id)
            self._look(then=lambda rows: self.users.deleted(row, answer, rows))

    @precondition(lambda self: len(self.judge.rows.memories) % 4 == 3)  # now and then
    @rule(where=_SCOPES)
    def delete_all(self, where: tuple[int, ScopeIds]) -> None:
        """A user deletes everything of some ids."""
        self._count("delete all")
        project_id = self._project(where)
        self.users.delete_all(project_id, where[1])
        self._look(then=lambda rows: self.users.erased(project_id, where[1], rows))

    @precondition(lambda self: self._failed())
    @rule(number=_ANY)
    def retry(self, number: int) -> None:
        """Work again on what failed."""
        self._count("retry")
        failed = self._failed()
        self.users.retry(failed[number % len(failed)])
        self._look()

    # --- callers who come while a commit is under way

    @precondition(lambda self: self._standing("extract.after"))
    @rule(number=_ANY, where=_SCOPES, texts=_TEXTS)
    def post_during_commit(self, number: int, where: tuple[int, ScopeIds], texts: tuple[str, ...]) -> None:
        """A caller writes while a commit holds the scope."""
        post = Post(self._project(where), where[1], texts)
        self._during_commit("post", number, lambda: self.users.post(post), lambda _, __: None)

    @precondition(lambda self: self._standing("extract.after") and self.judge.rows.memories)
    @rule(number=_ANY, which=_ANY, text=st.sampled_from(_BY_HAND))
    def patch_during_commit(self, number: int, which: int, text: str) -> None:
        """A user changes a memory while a commit holds its scope."""
        row = self._memory(which)
        if row is not None:
            self._during_commit(
                "patch", number, lambda: (self.world.clock.now(), self.users.patch(row.project_id, row.id, text)),
                lambda told, _: self.users.patched(row, text, *told),
            )  # fmt: skip

    @precondition(lambda self: self._standing("extract.after") and self.judge.rows.memories)
    @rule(number=_ANY, which=_ANY)
    def delete_during_commit(self, number: int, which: int) -> None:
        """A user deletes a memory while a commit holds its scope."""
        row = self._memory(which, raw=True)
        if row is not None:
            self._during_commit(
                "delete", number, lambda: self.users.delete(row.project_id, row.id),
                lambda answer, rows: self.users.deleted(row, answer, rows),
            )  # fmt: skip

    @precondition(lambda self: self._standing("extract.after"))
    @rule(number=_ANY, where=_SCOPES)
    def delete_all_during_commit(self, number: int, where: tuple[int, ScopeIds]) -> None:
        """A user deletes everything while a commit holds a scope."""
        project_id = self._project(where)
        self._during_commit(
            "delete all", number, lambda: self.users.delete_all(project_id, where[1]),
            lambda _, rows: self.users.erased(project_id, where[1], rows),
        )  # fmt: skip

    # --- bells

    @precondition(lambda self: self.users.bells)
    @rule(number=_ANY, process=_ANY, fate=st.sampled_from(["heard", "heard", "heard", "lost", "doubled"]))
    def ring(self, number: int, process: int, fate: str) -> None:
        """One of the bells, in any order, is heard by a worker, never arrives, or will arrive once more."""
        self._count(f"bell {fate}")
        bells = self.users.bells
        hint = bells.pop(number % len(bells))
        if fate == "doubled":
            bells += [hint, hint]
        if fate == "heard":
            self.world.start(process, lambda _, dispatcher: dispatcher.drain(hint))

    # --- workers

    @rule(process=_ANY, place=_PLACES)
    def poll(self, process: int, place: str) -> None:
        """A worker looks by itself, and comes as far as a place."""
        if len(self.world.runs) < 5:
            self._count("poll")
            self._until(self.world.start(process, lambda _, dispatcher: dispatcher.drain()), place)

    @rule(process=_ANY)
    def poll_index(self, process: int) -> None:
        """A worker looks for rows that the index has not got."""
        if len(self.world.runs) < 5:
            self._count("poll index")
            self.world.start(process, leftovers)

    @precondition(lambda self: self.world.runs)
    @rule(number=_ANY)
    def go_on(self, number: int) -> None:
        """A thread goes on to its next point."""
        self._count("step")
        self._step(self._run(number))

    @precondition(lambda self: self.world.runs)
    @rule(number=_ANY, place=_PLACES)
    def go_far(self, number: int, place: str) -> None:
        """A thread goes on as far as a place, or to its end."""
        self._until(self._run(number), place)

    @precondition(lambda self: self._claiming())
    @rule(number=_ANY, place=_PLACES)
    def overtake(self, number: int, place: str) -> None:
        """A thread stands still until its lease ran out; a worker takes its scope over and comes so far."""
        self._count("overtake")
        claiming = self._claiming()
        slow = claiming[number % len(claiming)].claim
        hint = slow.scope if slow is not None else None
        self.world.clock.advance(LEASE + 1)
        self._until(self.world.start(number, lambda _, dispatcher: dispatcher.drain(hint)), place)

    @precondition(lambda self: self.world.runs)
    @rule(number=_ANY)
    def crash(self, number: int) -> None:
        """The process of a thread dies, wherever its threads stand."""
        run = self._run(number)
        self._count(f"crash at {run.place}")
        self.world.crash(next(process for process in self.world.processes if run in process.runs))
        self._look()

    @precondition(lambda self: self._standing("extract.after"))
    @rule(number=_ANY)
    def crash_in_commit(self, number: int) -> None:
        """The process dies when everything is written and nothing committed."""
        self._count("crash at commit.before")
        standing = self._standing("extract.after")
        self._step(standing[number % len(standing)], doom="commit.before")

    @precondition(lambda self: self._claiming())
    @rule(process=_ANY)
    def stop(self, process: int) -> None:
        """A worker is told to stop and its grace is over."""
        self._count("stop")
        self.world.stop(self.world.processes[process % 2])
        self._look()

    @precondition(lambda self: self._claiming())
    @rule(process=_ANY)
    def renew(self, process: int) -> None:
        """A worker renews its leases, those included that another one may have taken over."""
        self._count("renew")
        self.world.renew(self.world.processes[process % 2])
        self._look()

    # --- the world

    @rule(seconds=st.sampled_from([1.0, 1.0, LEASE + 1, LEASE + 1, _LONGEST_PAUSE]))
    def wait(self, seconds: float) -> None:
        """Time goes by: leases and pauses run out."""
        self._count("wait")
        self.world.clock.advance(seconds)

    @rule(line=st.sampled_from(LINES))
    def change_line(self, line: Line) -> None:
        """The engine goes away, comes back, loses answers, or takes its time."""
        self._count(f"engine {line}")
        self.world.line.line = line

    @precondition(lambda self: self.world.line.on_the_way)
    @rule(number=_ANY)
    def deliver_late(self, number: int) -> None:
        """A write that everybody gave up arrives."""
        self._count("late write arrives")
        self.world.line.deliver(number)

    @precondition(lambda self: self.judge.rows.memories)
    @precondition(lambda self: self._standing("index.before") or self.world.line.on_the_way)
    @rule(which=_ANY, process=_ANY, text=st.sampled_from(_BY_HAND))
    def overtake_index(self, which: int, process: int, text: str) -> None:
        """A write to the index is under way when a memory is changed, and the change is in the index first."""
        self._count("overtake index")
        self.patch(which, text)
        self.world.line.line = "good"
        self.world.clock.advance(LEASE)
        self._until(self.world.start(process, leftovers), "end")

    @rule(weather=st.sampled_from([*WEATHERS, "cured"]))
    def change_weather(self, weather: Weather | Literal["cured"]) -> None:
        """The provider goes away, comes back, is over its limits, our code has a bug; or nothing is poison any more."""
        self._count(f"guest {weather}")
        if weather == "cured":
            self.world.guest.cured = True
        else:
            self.world.guest.weather = weather

    # --- the end

    def teardown(self) -> None:
        """Everybody comes back, all leases run out: what was accepted ends, the index follows."""
        try:
            if self.broken:
                return
            self.world.guest.weather = "fine"
            self.world.line.line = "good"
            while self.world.line.on_the_way:
                self.world.line.deliver(0)
            self._finish_all()
            for _ in range(_ROUNDS):
                if self._quiet():
                    break
                self.world.clock.advance(_LONGEST_PAUSE)
                self.world.start(0, lambda _, dispatcher: dispatcher.drain())
                self.world.start(1, leftovers)
                self._finish_all()
            else:
                raise Surprise("it does not come to rest")
            self._at_rest()
            self._tally()
        finally:
            self.world.close()

    def _finish_all(self) -> None:
        while self.world.runs:
            self._step(self.world.runs[0])

    def _quiet(self) -> bool:
        waiting = any(event.status in ("PENDING", "RUNNING") for event in self.judge.rows.events.values())
        return not waiting and self.world.db.run(index_queue.backlog) == 0

    def _at_rest(self) -> None:
        told = {wake.event_id for wake in self.world.wakes.told if not wake.snoozed}
        if early := [event for event in told if event in self.judge.rows.events and not self._ended(event)]:
            raise Surprise(f"{len(early)} events were called ended that are not")
        expected = {
            row.id: row.version for row in self.judge.rows.memories.values() if row.state in ("current", "source")
        }
        stored: dict[UUID, int] = {}
        for project_id in self.world.projects:
            stored |= dict(self.world.line.scan(COLLECTION, project_id)) if self._has_index() else {}
        ghosts = stored.keys() - expected.keys()
        if ghosts - self.world.line.delivered_late:
            raise Surprise(f"{len(ghosts)} points in the index of memories that are not")
        if {key: version for key, version in stored.items() if key not in ghosts} != expected:
            raise Surprise("the index is not what Postgres holds")

    def _tally(self) -> None:
        for event in self.judge.rows.events.values():
            ended = event.error_code or ("erased" if event.erased else event.status)
            self.outcomes[f"= events {event.kind} {ended}"] += 1
        self.outcomes["= leases taken over"] += self.judge.taken_over.total()
        self.outcomes["= windows applied"] += self.judge.windows
        self.outcomes["= stale steps"] += self.judge.stale
        self.outcomes["= memories"] += len(self.judge.rows.memories)

    # --- helpers

    def _count(self, name: str) -> None:
        self.steps[name] += 1

    def _look(self, run: Run | None = None, then: Callable[[Rows], None] | None = None) -> None:
        self.world.clock.advance(0.01)
        faults = self.ground.faults.seen
        self.judge.bugs = self.world.guest.bugs
        if len(faults) > self.judge.bugs:
            raise Surprise(f"unexpected errors were logged: {faults}")
        self.broken = True
        self.judge.look(self.ground.reader.read(), self.world.clock.now(), run, then)
        self.broken = False

    def _during_commit(self, name: str, number: int, work: Callable[[], T], then: Callable[[T, Rows], None]) -> None:
        """A thread stands inside its commit when `work` begins; both come to their end, the commit first."""
        standing = self._standing("extract.after")
        run = standing[number % len(standing)]
        self._step(run, hold_commit=True)
        if run.place != IN_TRANSACTION:
            return
        self._count(f"{name} during commit")
        self.broken = True
        errand = Errand(work, self.ground.reader)
        self.world.step(run)
        answer = errand.answer()
        self._look(run, lambda rows: then(answer, rows))

    def _nothing_new(self, action: Callable[[], object]) -> None:
        before = self.judge.rows
        action()
        self._look()
        if self.judge.rows != before:
            raise Surprise("what must change nothing changed something")

    def _until(self, run: Run, place: str) -> None:
        for _ in range(_FAR):
            self._count("step")
            self._step(run)
            if run.ended or run.place == place:
                return

    def _step(self, run: Run, doom: str | None = None, *, hold_commit: bool = False) -> None:
        self.broken = True
        self.world.step(run, doom=doom, hold_commit=hold_commit)
        self._look(run)

    def _project(self, where: tuple[int, ScopeIds]) -> UUID:
        return self.world.projects[where[0]]

    def _run(self, number: int) -> Run:
        return self.world.runs[number % len(self.world.runs)]

    def _claiming(self) -> list[Run]:
        return [run for run in self.world.runs if run.claim is not None or run.place == "claim.after"]

    def _standing(self, place: str) -> list[Run]:
        return [run for run in self.world.runs if run.place == place]

    def _memory(self, number: int, *, raw: bool = False) -> Any:
        kinds = ("message",) if raw else ("message", "raw")
        found = [row for row in self.judge.rows.memories.values() if row.kind not in kinds]
        return found[number % len(found)] if found else None

    def _failed(self) -> list[Any]:
        events = self.judge.rows.events.values()
        return [event for event in events if event.status == "FAILED" and not event.erased]

    def _ended(self, event_id: UUID) -> bool:
        return self.judge.rows.events[event_id].status in ("SUCCEEDED", "FAILED")

    def _has_index(self) -> bool:
        return COLLECTION in self.world.line.collections()
