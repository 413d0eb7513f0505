"""Turns under throttling: whoever was asked for longest ago comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from precheck_gate.errors import NotAnAnswer, TransientFault
from precheck_gate.model.verdicts import Verdict
from precheck_gate.polling.timing import AdaptiveCadence
from tests.support.fakes import FakeClock
from tests.support.harness import body, entry, poll, task_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.harness import Reply


def asked_at_all(asked: list[tuple[float, tuple[str, ...]]]) -> set[str]:
    return {task for _, tasks in asked for task in tasks}


@pytest.mark.parametrize("every", [2, 3, 5, 7])
def test_no_task_is_left_out_where_requests_fail_again_and_again(every: int) -> None:
    requested = [task_id(number) for number in range(100)]
    count = 0

    def script(_: float, asked: Sequence[str]) -> Reply:
        nonlocal count
        count += 1
        if count % every == 0:
            return TransientFault("throttled")
        return body(*(entry(one, process="50%") for one in asked))

    polled = poll(FakeClock(), script, requested, timeout=600.0)
    answered = {one.task_id for one in polled.poller.observations() if one.snapshot is not None}
    assert answered == set(requested)


def test_all_tasks_of_a_wave_are_asked_for_under_a_quota() -> None:
    requested = [task_id(number) for number in range(1000)]
    spent: dict[int, int] = {}

    def script(now: float, asked: Sequence[str]) -> Reply:
        minute = int(now // 60)
        spent[minute] = spent.get(minute, 0) + 1
        if spent[minute] > 60:
            return TransientFault("throttled", retry_after=60 - now % 60)
        return body(*(entry(one, process="50%") for one in asked))

    polled = poll(FakeClock(), script, requested, cadence=AdaptiveCadence(), timeout=1800.0)
    first_round = [tasks for moment, tasks in polled.service.asked if moment < 180]
    assert asked_at_all([(0.0, tasks) for tasks in first_round]) == set(requested)


def test_a_sweep_that_a_fault_interrupted_goes_on_where_it_was() -> None:
    requested = [task_id(number) for number in range(5)]
    count = 0

    def script(_: float, asked: Sequence[str]) -> Reply:
        nonlocal count
        count += 1
        if count == 3:
            return TransientFault("throttled")
        return body(*(entry(one, process="50%") for one in asked))

    polled = poll(FakeClock(), script, requested, batch_size=1, timeout=20.0)
    order = [requested.index(tasks[0]) for _, tasks in polled.service.asked]
    assert order[:10] == [0, 1, 2, 3, 4, 2, 0, 1, 3, 4]


def test_a_batch_that_always_fails_takes_no_turn_from_the_others() -> None:
    requested = [task_id(number) for number in range(30)]

    def script(now: float, asked: Sequence[str]) -> Reply:
        if requested[0] in asked:
            return TransientFault("a poisoned task")
        return body(*(entry(one, process="100%" if now > 30 else "50%") for one in asked))

    polled = poll(FakeClock(), script, requested, timeout=300.0)
    assert polled.judged().run.tasks[Verdict.ERROR] == 10
    done = [one for one in polled.poller.observations() if one.snapshot is not None]
    assert len(done) == 20


def test_remarks_are_bounded_in_number() -> None:
    count = 0

    def script(_: float, asked: Sequence[str]) -> bytes:
        nonlocal count
        count += 1
        foreign = entry(f"ffffffff-88ad-43c8-811c-{count:07d}jb101")
        return body(*(entry(one, process="50%") for one in asked), foreign)

    polled = poll(FakeClock(), script, timeout=7200.0)
    remarks = polled.poller.remarks
    assert len(remarks) == 21
    assert remarks[-1] == (f"and {count - 20} more answers for tasks that were not asked for")


def test_a_flood_of_one_kind_of_remark_hides_no_other() -> None:
    count = 0

    def script(now: float, asked: Sequence[str]) -> Reply:
        nonlocal count
        count += 1
        if now < 5:
            return NotAnAnswer("html")
        extra = {"count": 7} if now > 1000 else {}
        foreign = entry(f"ffffffff-88ad-43c8-811c-{count:07d}jb101")
        return body(*(entry(one, process="50%") for one in asked), foreign, **extra)

    polled = poll(FakeClock(), script, timeout=1800.0)
    assert polled.judged().says("the service counts 7 results and sent 2")
