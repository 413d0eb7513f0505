"""What whoever watches a poll is told: whom the service answered for, and how far all is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from precheck_gate.errors import AccessRefused, TransientFault
from precheck_gate.polling.events import (
    Answered,
    Asked,
    Faulted,
    Remarked,
    Remarks,
    TaskChanged,
    Waiting,
)
from tests.support.fakes import FakeClock
from tests.support.harness import (
    OTHER,
    TASK,
    Events,
    body,
    entry,
    poll,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.harness import Reply


def test_each_answer_is_told_with_the_tasks_whose_results_are_in_it() -> None:
    def script(now: float, _: Sequence[str]) -> Reply:
        return body(entry(TASK, process="5%" if now < 10 else "100%"), *[entry(OTHER)] * (now > 4))

    events = poll(FakeClock(), script, (TASK, OTHER)).events
    told = [event.task_ids for event in events.of(Answered)]
    assert told == [(TASK,), (TASK, OTHER), (TASK,)]
    asked = [event.task_ids for event in events.of(Asked)]
    assert asked == [(TASK, OTHER), (TASK, OTHER), (TASK,)]


def test_an_answer_that_repeats_the_last_one_is_no_change() -> None:
    events = poll(FakeClock(), lambda now, _: body(entry(process="5%" if now < 20 else "100%")))
    progress = [event.snapshot.raw_progress for event in events.events.of(TaskChanged)]
    assert progress == ['"5%"', '"100%"']


def test_a_pause_is_told_with_its_length_the_time_left_and_how_many_tasks_are_done() -> None:
    def script(now: float, asked: Sequence[str]) -> Reply:
        return body(
            *(entry(one, process="5%" if one == TASK and now < 4 else "100%") for one in asked)
        )

    events = poll(FakeClock(), script, (TASK, OTHER), timeout=100.0).events
    assert events.of(Waiting) == [Waiting(5.0, 100.0, 1, 2)]


def test_the_pause_after_a_fault_is_told_with_its_length() -> None:
    def script(now: float, _: Sequence[str]) -> Reply:
        return TransientFault("throttled", retry_after=7.0) if now < 1 else body(entry())

    polled = poll(FakeClock(), script)
    assert polled.events.of(Faulted) == [Faulted("throttled", 7.0)]
    assert [now for now, _ in polled.service.asked] == [0.0, 7.0]


def test_what_ends_the_run_is_told_without_a_pause() -> None:
    events = poll(FakeClock(), lambda *_: AccessRefused("401")).events
    assert events.of(Faulted) == [Faulted("401", None)]


@pytest.mark.parametrize("seconds", [50.0, 60.0])
def test_no_pause_is_told_after_a_fault_that_took_all_the_time(seconds: float) -> None:
    clock = FakeClock()

    def script(*_: object) -> Reply:
        clock.advance(seconds)
        return TransientFault("throttled")

    assert poll(clock, script, timeout=50.0).events.of(Faulted) == []


def test_of_each_kind_of_remark_twenty_are_told_and_the_others_counted() -> None:
    events = Events()
    remarks = Remarks(events)
    for _ in range(2):
        for number in range(20):
            remarks.add(f"odd {number}", "oddities")
    for number in range(20, 23):
        remarks.add(f"odd {number}", "oddities")
    remarks.add("strange", "strange things")
    odd = [f"odd {number}" for number in range(20)]
    assert remarks.texts() == [*odd, "and 3 more oddities", "strange"]
    assert [event.text for event in events.of(Remarked)] == [*odd, "strange"]
