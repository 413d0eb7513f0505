"""The poller: whom it asks when, what it survives, and that it keeps to its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precheck_gate.errors import (
    AccessRefused,
    BatchRefused,
    Interrupted,
    NotAnAnswer,
    ServiceError,
    TransientFault,
)
from precheck_gate.model.verdicts import Verdict
from precheck_gate.polling.events import Faulted, TaskChanged, Waiting
from precheck_gate.polling.timing import AdaptiveCadence, FixedCadence, Pace
from tests.support.fakes import FakeClock
from tests.support.harness import (
    OTHER,
    TASK,
    ScriptedService,
    body,
    entry,
    poll,
    task_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.support.harness import Reply

MANY = [task_id(number) for number in range(10)]


def ending(*ends: tuple[str, float]) -> Callable[[float, Sequence[str]], Reply]:
    """Return a service whose tasks reach 100 % after so many seconds each."""
    moments = dict(ends)

    def script(now: float, asked: Sequence[str]) -> bytes:
        done = {one: now >= moments[one] for one in asked}
        return body(*(entry(one, process="100%" if done[one] else "5%") for one in asked))

    return script


def answering(*bad: str, error: Exception | None = None) -> Callable[[float, Sequence[str]], Reply]:
    """Return a service that refuses every batch with one of ``bad`` in it."""

    def script(_: float, asked: Sequence[str]) -> Reply:
        if set(bad) & set(asked):
            return error or BatchRefused("refused", code="DRS.M00289")
        return body(*map(entry, asked))

    return script


def test_at_most_ten_tasks_are_asked_for_in_a_request() -> None:
    requested = [task_id(number) for number in range(25)]
    polled = poll(FakeClock(), answering(), requested)
    assert [len(asked) for _, asked in polled.service.asked] == [10, 10, 5]
    assert polled.judged().verdict is Verdict.PASSED


def test_only_what_is_still_pending_is_asked_for_again() -> None:
    def script(now: float, asked: Sequence[str]) -> bytes:
        return body(
            *(entry(one, process="100%" if one == TASK or now > 9 else "5%") for one in asked)
        )

    polled = poll(FakeClock(), script, [TASK, OTHER])
    assert [asked for _, asked in polled.service.asked] == [(TASK, OTHER), (OTHER,), (OTHER,)]


def test_what_became_stale_is_asked_once_more_when_the_last_one_ends() -> None:
    def script(now: float, asked: Sequence[str]) -> bytes:
        return body(
            *(entry(one, process="100%" if one == TASK or now > 90 else "5%") for one in asked)
        )

    polled = poll(FakeClock(), script, [TASK, OTHER], max_staleness=60.0)
    assert polled.service.asked[-1][1] == (TASK,)
    assert polled.service.asked[-2][1] == (OTHER,)
    assert polled.judged().verdict is Verdict.PASSED


def test_nothing_is_asked_again_that_is_fresh() -> None:
    def script(now: float, asked: Sequence[str]) -> bytes:
        return body(
            *(entry(one, process="100%" if one == TASK or now > 30 else "5%") for one in asked)
        )

    polled = poll(FakeClock(), script, [TASK, OTHER], max_staleness=60.0)
    assert sum(TASK in asked for _, asked in polled.service.asked) == 1


def test_a_staleness_shorter_than_a_round_of_questions_ends_as_incomplete() -> None:
    clock = FakeClock()

    def script(_: float, asked: Sequence[str]) -> bytes:
        clock.advance(1.5)
        return body(*map(entry, asked))

    requested = [task_id(number) for number in range(60)]
    polled = poll(clock, script, requested, max_staleness=1.0, timeout=120.0)
    assert polled.judged().verdict is Verdict.INCOMPLETE
    assert polled.elapsed <= 120.0


@pytest.mark.parametrize("process", ["5%", "abc", None])
def test_the_run_never_goes_past_its_time(process: str | None) -> None:
    polled = poll(FakeClock(), lambda *_: body(entry(process=process)), timeout=100.0)
    assert polled.elapsed == 100.0
    assert polled.judged().verdict is Verdict.INCOMPLETE


def test_a_request_gets_no_more_time_than_is_left() -> None:
    given_times: list[float] = []
    clock = FakeClock()

    class Timed(ScriptedService):
        def precheck_results(self, task_ids: Sequence[str], seconds: float):  # type: ignore[no-untyped-def]
            given_times.append(seconds)
            return super().precheck_results(task_ids, seconds)

    from precheck_gate.polling.poller import Poller, PollOptions
    from tests.support.harness import Events

    service = Timed(clock, lambda *_: body(entry(process="5%")))
    options = PollOptions(timeout=12.0)
    Poller(service, clock, FixedCadence(5.0), options, Events(), lambda: 1.0).poll([TASK])
    assert given_times == [12.0, 7.0, 2.0]


def test_throttling_with_retry_after_is_honoured() -> None:
    def script(now: float, _: Sequence[str]) -> Reply:
        return TransientFault("throttled", retry_after=42.0) if now < 40 else body(entry())

    polled = poll(FakeClock(), script)
    assert [moment for moment, _ in polled.service.asked] == [0.0, 42.0]
    assert polled.judged().verdict is Verdict.PASSED
    assert polled.poller.retries == 1


def test_faults_back_off_up_to_a_bound_and_then_the_run_gives_up_if_nothing_ever_came() -> None:
    polled = poll(FakeClock(), lambda *_: TransientFault("refused"), grace=60.0, timeout=1800.0)
    moments = [moment for moment, _ in polled.service.asked]
    assert moments == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 61.0]
    judged = polled.judged()
    assert (judged.verdict, judged.code) == (Verdict.ERROR, 4)
    assert judged.says("refused")


def test_a_retry_after_beyond_the_deadline_is_waited_for_no_longer_than_that() -> None:
    polled = poll(FakeClock(), lambda *_: TransientFault("t", retry_after=1e9), timeout=50.0)
    assert polled.elapsed == 50.0
    assert polled.judged().verdict is Verdict.ERROR


def test_a_service_that_was_there_once_is_waited_for_to_the_deadline() -> None:
    def script(now: float, _: Sequence[str]) -> Reply:
        if now < 5:
            return body(entry(process="5%"))
        return TransientFault("down") if now < 900 else body(entry())

    polled = poll(FakeClock(), script, timeout=1800.0)
    assert polled.judged().verdict is Verdict.PASSED


def test_a_service_that_is_down_at_the_end_is_an_error_and_not_just_incomplete() -> None:
    def script(now: float, _: Sequence[str]) -> Reply:
        return body(entry(process="5%")) if now < 5 else TransientFault("down")

    assert poll(FakeClock(), script, timeout=300.0).judged().verdict is Verdict.ERROR


def test_a_task_that_ended_counts_while_another_batch_is_out_of_reach() -> None:
    requested = [task_id(number) for number in range(20)]

    def script(_: float, asked: Sequence[str]) -> Reply:
        return NotAnAnswer("html") if requested[-1] in asked else body(*map(entry, asked))

    judged = poll(FakeClock(), script, requested, timeout=60.0).judged()
    assert judged.run.tasks == {Verdict.PASSED: 10, Verdict.ERROR: 10} or judged.run.tasks == {
        Verdict.INCOMPLETE: 10,
        Verdict.ERROR: 10,
    }
    assert judged.verdict is Verdict.ERROR


@pytest.mark.parametrize("error", [AccessRefused("401"), ServiceError("404")])
def test_what_asking_again_cannot_mend_ends_the_run_at_once(error: ServiceError) -> None:
    polled = poll(FakeClock(), lambda *_: error)
    assert len(polled.service.asked) == 1
    judged = polled.judged()
    assert (judged.verdict, judged.code) == (Verdict.ERROR, 4)
    assert judged.says(str(error))


def test_a_token_that_ends_in_the_middle_is_an_error_whatever_was_known() -> None:
    def script(now: float, asked: Sequence[str]) -> Reply:
        if now > 10:
            return AccessRefused("401")
        return body(*(entry(one, process="100%" if one == TASK else "5%") for one in asked))

    judged = poll(FakeClock(), script, [TASK, OTHER]).judged()
    assert judged.verdict is Verdict.ERROR
    assert [task.verdict for task in judged.tasks] == [Verdict.PASSED, Verdict.ERROR]


@pytest.mark.parametrize("position", range(10))
def test_one_bad_task_in_ten_costs_the_others_nothing(position: int) -> None:
    polled = poll(FakeClock(), answering(MANY[position]), MANY, grace=3.0)
    judged = polled.judged()
    assert judged.run.tasks == {Verdict.PASSED: 9, Verdict.ERROR: 1}
    assert judged.tasks[position].verdict is Verdict.ERROR
    in_first_round = [moment for moment, _ in polled.service.asked if moment < 1]
    assert len(in_first_round) <= 1 + 5


def test_a_bad_task_that_the_service_names_costs_one_request() -> None:
    bad = MANY[4]
    error = BatchRefused("refused", culprits={bad: ("DRS.M00289", "does not exist")})
    polled = poll(FakeClock(), answering(bad, error=error), MANY, grace=3.0)
    judged = polled.judged()
    assert judged.run.tasks == {Verdict.PASSED: 9, Verdict.ERROR: 1}
    assert [len(asked) for moment, asked in polled.service.asked if moment < 1] == [10, 9]
    finding = judged.tasks[4].findings[0]
    assert (finding.code, finding.message) == ("DRS.M00289", "does not exist")


@given(st.sets(st.sampled_from(MANY)))
def test_any_number_of_bad_tasks_is_found(bad: set[str]) -> None:
    judged = poll(FakeClock(), answering(*bad), MANY, grace=3.0).judged()
    verdicts = {task.task_id: task.verdict for task in judged.tasks}
    assert {one for one, verdict in verdicts.items() if verdict is Verdict.ERROR} == bad
    assert set(verdicts.values()) <= {Verdict.ERROR, Verdict.PASSED}


def test_a_service_that_takes_fewer_tasks_at_once_accuses_no_innocent() -> None:
    def script(_: float, asked: Sequence[str]) -> Reply:
        return BatchRefused("too many") if len(asked) > 5 else body(*map(entry, asked))

    assert poll(FakeClock(), script, MANY, grace=60.0).judged().verdict is Verdict.PASSED


def test_a_signal_leaves_what_is_known() -> None:
    from precheck_gate.polling.poller import Poller, PollOptions
    from tests.support.harness import Events, judge_observations

    class Clock(FakeClock):
        def sleep(self, seconds: float) -> None:
            raise Interrupted(15)

    clock = Clock()
    service = ScriptedService(
        clock,
        lambda _, asked: body(
            *(entry(one, process="100%" if one == TASK else "5%") for one in asked)
        ),
    )
    poller = Poller(service, clock, FixedCadence(5.0), PollOptions(), Events(), lambda: 1.0)
    with pytest.raises(Interrupted):
        poller.poll([TASK, OTHER])
    judged = judge_observations(poller.observations(), [TASK, OTHER])
    assert [task.verdict for task in judged.tasks] == [Verdict.PASSED, Verdict.INCOMPLETE]


def test_changes_waits_and_faults_are_told() -> None:
    def script(now: float, _: Sequence[str]) -> Reply:
        if now < 1:
            return body(entry(process="5%"))
        return TransientFault("throttled") if now < 6 else body(entry())

    events = poll(FakeClock(), script).events
    assert [event.snapshot.raw_progress for event in events.of(TaskChanged)] == ['"5%"', '"100%"']
    assert [event.message for event in events.of(Faulted)] == ["throttled"]
    assert len(events.of(Waiting)) == 2


def test_there_is_an_event_at_least_every_half_minute_however_long_the_pause() -> None:
    clock = FakeClock()
    polled = poll(
        clock, lambda *_: body(entry(process="5%")), cadence=FixedCadence(600.0), timeout=1500.0
    )
    assert max(clock.sleeps) <= 30.0
    assert [moment for moment, _ in polled.service.asked] == [0.0, 600.0, 1200.0]


paces = st.builds(
    Pace,
    st.none() | st.floats(0, 100),
    st.floats(0, 1e5),
    st.floats(-100, 100),
)


@given(st.floats(0, 1e6), st.lists(paces, max_size=30))
def test_a_pause_is_always_between_the_floor_and_the_longest(
    elapsed: float, pending: list[Pace]
) -> None:
    cadence = AdaptiveCadence()
    assert cadence.floor <= cadence.delay(elapsed, pending) <= cadence.longest


def test_pauses_start_short_and_grow() -> None:
    cadence, unknown = AdaptiveCadence(), [Pace(None, 0.0, 0.0)]
    delays = [cadence.delay(elapsed, unknown) for elapsed in (0, 1, 2, 60, 300, 600, 3600)]
    assert delays == sorted(delays)
    assert (delays[0], delays[-1]) == (2.0, 30.0)


def test_a_task_that_is_about_to_end_is_asked_soon_after() -> None:
    # 90 % after 9 minutes: the rest is a minute, of which 0.6 are waited, bounded by 4 %.
    near = [Pace(99.0, 540.0, 98.0)]
    far = [Pace(20.0, 540.0, 19.0)]
    cadence = AdaptiveCadence()
    assert cadence.delay(540.0, near) < 5.0 < cadence.delay(540.0, far)


def test_a_wave_is_asked_lazily_and_the_last_few_closely() -> None:
    cadence = AdaptiveCadence()
    wave, few = [Pace(50.0, 60.0, 1.0)] * 50, [Pace(50.0, 60.0, 1.0)] * 3
    assert cadence.delay(60.0, wave) == 20.0
    assert cadence.delay(60.0, few) == 5.0
