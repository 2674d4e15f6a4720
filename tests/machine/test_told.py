"""Sequences of the machine told by hand, one for each promise: without the piece of code behind it, it is red."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.machine.machine import Machine
from tests.machine.world import Ground, given
from tests.stack import Stack

_ALEX = (0, given("alex"))


@pytest.fixture(scope="module")
def ground(stack: Stack) -> Iterator[Ground]:
    """A database with a clock of its own, the engine, and the service's modules on them."""
    made = Ground(stack)
    with made.ready():
        yield made
    made.close()


@pytest.fixture
def machine(ground: Ground) -> Iterator[Machine]:
    """What a test tells it happens; at the end it comes to rest and is judged."""
    Machine.ground = ground
    made = Machine()
    yield made
    made.teardown()


def _post(machine: Machine, *texts: str) -> None:
    machine.post(_ALEX, texts, "live", None)


def test_the_fence_at_commit(machine: Machine) -> None:
    """A worker comes back with its answer when another one has done the work."""
    _post(machine, "I live in Rome")
    machine.poll(0, "extract.after")
    machine.overtake(0, "notify.before")
    machine.go_far(0, "end")


def test_the_fence_at_load(machine: Machine) -> None:
    """A worker comes back from standing behind its claim when another one is at work."""
    _post(machine, "I live in Rome")
    machine.poll(0, "claim.after")
    machine.overtake(0, "extract.before")
    machine.go_on(0)


def test_one_holder_of_a_lease(machine: Machine) -> None:
    """A second worker looks while the first one holds the scope."""
    _post(machine, "I live in Rome")
    machine.poll(0, "extract.before")
    machine.poll(1, "extract.before")


def test_a_key_used_again(machine: Machine) -> None:
    """The same event, and nothing new; another body is refused."""
    machine.post_with_key(_ALEX, ("I live in Rome",), "first", dies=True)
    machine.post_with_key(_ALEX, ("I live in Rome",), "first", dies=False)
    machine.post_again(0)
    machine.post_with_key(_ALEX, ("I live in Milan",), "first", dies=False)


def test_a_late_write_to_the_index(machine: Machine) -> None:
    """It arrives when the index has the next version."""
    machine.change_line("late")
    machine.post_and_work(_ALEX, ("I own a canoe",))
    machine.go_far(0, "end")
    machine.overtake_index(0, 1, "I own a sled")
    assert machine.world.line.on_the_way
    machine.deliver_late(0)


def test_a_slow_writer_of_the_index(machine: Machine) -> None:
    """It took its row, another one wrote the next version, then it writes."""
    machine.post_and_work(_ALEX, ("I own a canoe",))
    machine.go_far(0, "index.before")
    machine.overtake_index(0, 1, "I own a sled")
    machine.go_far(0, "end")


def test_a_slow_writer_of_what_is_deleted(machine: Machine) -> None:
    """It took its row, the memory was deleted from the index, then it writes."""
    machine.post_and_work(_ALEX, ("I own a canoe",))
    machine.go_far(0, "index.before")
    machine.delete(0)
    machine.wait(31.0)
    machine.poll_index(1)
    machine.go_far(1, "index.written")
    machine.go_far(1, "end")
    machine.go_far(0, "end")


def test_the_order_of_a_lane(machine: Machine) -> None:
    """Three posts, the first of which crashed its worker and runs alone."""
    _post(machine, "I live in Rome")
    machine.poll(0, "extract.before")
    machine.crash(0)
    _post(machine, "I live in Milan")
    _post(machine, "I live in Oslo")


def test_a_deletion_stands(machine: Machine) -> None:
    """What was said before it, in work or not, does not bring the memory back."""
    machine.post_and_work(_ALEX, ("I own a canoe",))
    machine.go_far(0, "end")
    _post(machine, "I own a canoe")
    machine.poll(0, "extract.after")
    machine.delete(0)
    machine.go_far(0, "end")


def test_a_delete_all_stands(machine: Machine) -> None:
    """The worker at the extractor comes back when everything was erased."""
    _post(machine, "I own a canoe")
    machine.poll(0, "extract.after")
    machine.delete_all(_ALEX)
    machine.go_far(0, "end")


def test_a_change_by_hand_stands(machine: Machine) -> None:
    """What the extractor was shown changed while it thought; it is asked again."""
    machine.post_and_work(_ALEX, ("I live in Rome",))
    machine.go_far(0, "end")
    _post(machine, "I live in Milan")
    machine.poll(0, "extract.after")
    machine.patch(0, "I live in Paris")
    machine.go_far(0, "end")
