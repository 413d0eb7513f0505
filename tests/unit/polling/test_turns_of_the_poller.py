"""When the poller asks again, what it counts, and for what it keeps time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.errors import BatchRefused, NotAnAnswer, TransientFault
from precheck_gate.model.verdicts import Verdict
from precheck_gate.polling.events import Remarked
from precheck_gate.polling.poller import Poller, PollOptions
from precheck_gate.polling.retries import RetryBudget
from precheck_gate.polling.timing import FixedCadence
from tests.support.fakes import FakeClock
from tests.support.harness import (
    Events,
    ScriptedService,
    body,
    entry,
    item,
    poll,
    task_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.support.harness import Reply

FIRST, SECOND = task_id(1), task_id(2)


def polled(
    script: Callable[[float, Sequence[str]], Reply],
    tasks: Sequence[str] = (FIRST, SECOND),
    *,
    options: dict[str, Any] | None = None,
    **more: Any,
) -> tuple[Poller, ScriptedService]:
    clock = FakeClock()
    service = ScriptedService(clock, script)
    settings = PollOptions(**options or {})
    more = {"parallel": clock.in_parallel, **more}
    poller = Poller(service, clock, FixedCadence(5.0), settings, Events(), lambda: 1.0, **more)
    poller.poll(tasks)
    return poller, service


def moments(service: ScriptedService) -> list[float]:
    return [moment for moment, _ in service.asked]


# Repetitions


def test_only_requests_after_a_fault_are_counted_as_repetitions() -> None:
    def script(now: float, _: Sequence[str]) -> Reply:
        if 9 < now < 12:
            return TransientFault("throttled")
        return body(entry(FIRST, process="5%" if now < 20 else "100%"))

    poller, service = polled(script, [FIRST])
    assert moments(service) == [0.0, 5.0, 10.0, 11.0, 13.0, 18.0, 23.0]
    assert poller.retries == 2
    clean, _ = polled(lambda *_: body(entry(FIRST)), [FIRST])
    assert clean.retries == 0


def test_the_pause_after_a_fault_begins_anew_when_the_service_has_answered() -> None:
    def script(now: float, _: Sequence[str]) -> Reply:
        if now in (0.0, 1.0, 8.0):
            return TransientFault("throttled")
        return body(entry(FIRST, process="5%" if now < 9 else "100%"))

    _, service = polled(script, [FIRST])
    assert moments(service) == [0.0, 1.0, 3.0, 8.0, 9.0]


def test_a_refusal_of_a_batch_is_an_answer_as_well() -> None:
    def script(now: float, _: Sequence[str]) -> Reply:
        if now in (0.0, 1.0):
            return TransientFault("throttled")
        return BatchRefused("refused") if now < 100 else TransientFault("throttled")

    poller, service = polled(script, [FIRST], options={"grace": 60.0, "timeout": 300.0})
    assert poller.retries == 2
    later = [moment for moment in moments(service) if moment >= 3.0]
    assert later[:3] == [3.0, 8.0, 13.0]


def test_without_repetitions_the_first_fault_ends_the_run() -> None:
    poller, service = polled(
        lambda *_: TransientFault("throttled"), [FIRST], budget=RetryBudget(0, FakeClock())
    )
    assert len(service.asked) == 1
    assert poller.trouble is not None


# Turns


def test_after_a_fault_the_batches_that_were_not_asked_for_come_first() -> None:
    tasks = [task_id(number) for number in range(4)]
    count = 0

    def script(_: float, asked: Sequence[str]) -> Reply:
        nonlocal count
        count += 1
        if count == 2:
            return TransientFault("throttled")
        return body(*(entry(one, process="5%" if count < 7 else "100%") for one in asked))

    _, service = polled(script, tasks, options={"batch_size": 1})
    order = [tasks.index(asked[0]) for _, asked in service.asked]
    assert order[:2] == [0, 1]
    assert sorted(order[2:4]) == [2, 3]
    assert order[4] == 1, "nothing was heard of it yet"


def test_what_is_no_answer_keeps_no_other_batch_from_its_turn() -> None:
    tasks = [task_id(number) for number in range(3)]

    def script(now: float, asked: Sequence[str]) -> Reply:
        bad = tasks[0] in asked and now < 3
        return NotAnAnswer("a page") if bad else body(*map(entry, asked))

    poller, service = polled(script, tasks, options={"batch_size": 1})
    assert [tasks.index(one) for _, (one,) in service.asked] == [0, 1, 2, 0, 0]
    assert moments(service) == pytest.approx([0.0, 0.1, 0.2, 1.2, 3.2])
    assert all(one.trouble is None for one in poller.observations())


def test_a_result_that_will_not_do_is_asked_for_once_a_second_at_most() -> None:
    _, service = polled(
        lambda now, _: body(entry(FIRST, result=now > 2.5)),
        [FIRST],
        options={"gentle": 0.25},
        accepts=lambda snapshot: snapshot.raw_result == "true",
    )
    assert moments(service) == [0.0, 1.0, 2.0, 3.0]


def test_a_result_that_will_not_do_is_left_alone_for_its_whole_time_while_others_run() -> None:
    def script(now: float, asked: Sequence[str]) -> Reply:
        entries = {FIRST: entry(FIRST, result=now > 14), SECOND: entry(SECOND, process="5%")}
        return body(*(entries[one] for one in asked))

    _, service = polled(
        script,
        options={"gentle": 10.5, "timeout": 18.0},
        accepts=lambda snapshot: snapshot.raw_result == "true",
    )
    assert service.asked == [
        (0.0, (FIRST, SECOND)),
        (5.0, (SECOND,)),
        (10.0, (SECOND,)),
        (15.0, (FIRST, SECOND)),
    ]


def test_the_next_turn_is_that_of_the_first_result_that_may_be_asked_for_again() -> None:
    def script(now: float, asked: Sequence[str]) -> Reply:
        running = {FIRST: now < 4, SECOND: now < 14}
        return body(
            *(
                entry(one, process="5%" if running[one] else "100%", result=now > 60)
                for one in asked
            )
        )

    _, service = polled(
        script,
        options={"gentle": 30.0},
        accepts=lambda snapshot: snapshot.raw_result == "true",
    )
    assert service.asked[-4:] == [
        (35.0, (FIRST,)),
        (45.0, (SECOND,)),
        (65.0, (FIRST,)),
        (75.0, (SECOND,)),
    ]


# Time


@pytest.mark.parametrize(
    ("seconds", "last"),
    [(0.0, 95.0), (0.5, 95.0), (25.0, 70.0), (44.0, 55.0), (1e9, 45.0)],
)
def test_the_polling_ends_early_enough_for_what_comes_afterwards(
    seconds: float, last: float
) -> None:
    _, service = polled(
        lambda *_: body(entry(FIRST, process="5%")),
        [FIRST],
        options={"timeout": 100.0},
        afterwards=lambda _: seconds,
    )
    assert moments(service)[-1] == last


def test_time_is_kept_by_the_largest_result_until_that_has_ended() -> None:
    def entries(now: float) -> dict[str, dict[str, Any]]:
        many = [item()] * (3 if now < 9 else 12 if now < 19 else 22)
        return {
            FIRST: entry(FIRST, items=many, process="5%" if now < 9 else "100%"),
            SECOND: entry(SECOND, items=[item()], process="5%"),
        }

    asked_for: list[int] = []

    def afterwards(largest: Any) -> float:
        asked_for.append(len(largest.items))
        return float(len(largest.items))

    _, service = polled(
        lambda now, asked: body(*(entries(now)[one] for one in asked)),
        options={"timeout": 100.0},
        afterwards=afterwards,
    )
    assert asked_for == [3, 3, 12]
    assert 80.0 <= max(moments(service)) < 88.0


def test_a_run_is_told_of_a_wave_too_large_before_it_asks_and_only_once() -> None:
    tasks = [task_id(number) for number in range(700)]
    script = lambda _, asked: body(*map(entry, asked))  # noqa: E731
    poller, _ = polled(script, tasks, options={"pace": 1.0})
    assert len(poller.remarks) == 1
    twice, _ = polled(script, tasks[:400], options={"pace": 1.0}, requests_for=lambda n: n // 5)
    assert len(twice.remarks) == 1
    once, _ = polled(script, tasks[:400], options={"pace": 1.0})
    assert once.remarks == []


def test_a_wave_too_large_is_told_of_first_and_once_though_another_reason_comes_up() -> None:
    clock = FakeClock()

    def script(_: float, asked: Sequence[str]) -> Reply:
        clock.advance(10.0)
        return body(*map(entry, asked))

    tasks = [task_id(number) for number in range(700)]
    result = poll(clock, script, tasks, pace=1.0)
    (remark,) = result.poller.remarks
    assert "70 requests, 1 s apart" in remark
    assert result.events.seen[0] == Remarked(remark)


def test_a_run_in_which_a_batch_is_cut_off_knows_the_others() -> None:
    tasks = [task_id(number) for number in range(30)]
    clock_of: list[FakeClock] = []

    def script(_: float, asked: Sequence[str]) -> Reply:
        clock_of[0].advance(30.0)
        return body(*map(entry, asked))

    clock = FakeClock()
    clock_of.append(clock)
    result = poll(clock, script, tasks, timeout=50.0)
    assert [len(asked) for _, asked in result.service.asked] == [10, 10]
    verdicts = [task.verdict for task in result.judged().tasks]
    assert verdicts == [Verdict.PASSED] * 20 + [Verdict.INCOMPLETE] * 10


@pytest.mark.parametrize(("answered", "end"), [(False, 12.0), (True, 100.0)])
def test_only_a_service_that_never_answered_is_given_up_before_the_deadline(
    answered: bool, end: float
) -> None:
    def script(now: float, _: Sequence[str]) -> Reply:
        fault = now > 0 or not answered
        return TransientFault("down") if fault else body(entry(FIRST, process="5%"))

    result = poll(FakeClock(), script, [FIRST], grace=10.0, timeout=100.0)
    assert (result.poller.trouble is not None) is not answered
    assert end <= result.elapsed <= end + 4
    assert not result.judged().verdict.green


def test_a_service_that_never_answered_is_given_up_as_soon_as_the_grace_is_over() -> None:
    result = poll(FakeClock(1000.0), lambda *_: TransientFault("down"), [FIRST], grace=7.0)
    assert moments(result.service) == [1000.0, 1001.0, 1003.0, 1007.0]
