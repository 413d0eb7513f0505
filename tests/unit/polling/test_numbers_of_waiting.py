"""How long is waited: the estimate of a round, pauses between rounds, and those after faults."""

from __future__ import annotations

import math

import pytest

from precheck_gate.errors import ServiceError, TransientFault
from precheck_gate.polling.retries import Backoff, Retrier, RetryBudget
from precheck_gate.polling.timing import AdaptiveCadence, FixedCadence, Pace, SweepTime
from tests.support.fakes import FakeClock
from tests.support.harness import Events

FAULT = TransientFault("throttled")


# Rounds


def sweep_time(tasks: int = 1000, *, pace: float = 0.1, each: int = 1, most: int = 4) -> SweepTime:
    """Return the time of rounds of ten tasks a batch, each of so many requests."""
    return SweepTime(tasks, 10, lambda number: -(-number // 10) * each, pace, most)


def test_a_round_takes_as_long_as_the_rate_requires() -> None:
    assert sweep_time().seconds(1000) == pytest.approx(10.0)
    assert sweep_time(each=3).seconds(1000) == pytest.approx(30.0)
    assert sweep_time().seconds(11) == pytest.approx(0.2)
    assert sweep_time().seconds(0) == 0.0


def test_a_round_takes_as_long_as_its_answers_where_those_are_slow() -> None:
    time = sweep_time()
    for seconds in (0.5, 1.5):
        time.note(seconds)
    assert time.width == 4
    # 25 groups of four, whose requests are 0.1 s apart.
    assert time.seconds(1000) == pytest.approx(25 * (3 * 0.1 + 1.0))
    assert time.seconds(41) == pytest.approx(2 * (3 * 0.1 + 1.0))


def test_batches_are_asked_for_one_by_one_where_the_rate_is_the_bound() -> None:
    for latency, each, width in ((0.1, 1, 1), (0.12, 1, 4), (1.0, 10, 1), (1.2, 10, 4)):
        time = sweep_time(each=each)
        assert time.width == 1
        time.note(latency)
        assert time.width == width
    assert sweep_time(pace=0.0).width == 1, "no answer yet"


def test_a_wave_is_objected_to_only_where_a_round_takes_longer_than_an_answer_may_be_old() -> None:
    time = sweep_time(1000)
    assert time.objection(10.0) == ""
    assert sweep_time(1).objection(0.1) == ""
    assert "about 10 s (100 requests, 0.1 s apart)" in time.objection(9.9)
    slow = sweep_time(995, most=2)
    for _ in range(9):
        slow.note(1.0)
    assert slow.objection(20.0) == "", "too few answers to know"
    slow.note(1.0)
    assert "about 55 s (100 answers, 1 s each, 2 at a time)" in slow.objection(54.9)
    assert slow.objection(55.1) == ""
    even = sweep_time(pace=0.25)
    for _ in range(10):
        even.note(0.25)
    assert "about 25 s (100 requests, 0.25 s apart)" in even.objection(24.9)


# Pauses between rounds


def test_the_rest_of_a_task_is_estimated_from_what_it_gained() -> None:
    assert Pace(40.0, 10.0, 30.0).remaining == pytest.approx(20.0)
    assert Pace(100.0, 10.0, 1.0).remaining == 0.0
    for unknown in (Pace(None, 10.0, 30.0), Pace(40.0, 0.0, 30.0), Pace(40.0, 10.0, 0.0)):
        assert unknown.remaining is None


NOT_KNOWN = Pace(None, 0.0, 0.0)


def rest(seconds: float) -> Pace:
    return Pace(50.0, seconds, 50.0)


@pytest.mark.parametrize(
    ("elapsed", "pending", "pause"),
    [
        (0.0, [], 2.0),
        (0.0, [NOT_KNOWN], 2.0),
        (1.0, [NOT_KNOWN], 3.0),
        (3.0, [NOT_KNOWN], 5.0),
        (100.0, [NOT_KNOWN], 5.0),
        (200.0, [NOT_KNOWN], 8.0),
        (750.0, [NOT_KNOWN], 30.0),
        (5000.0, [NOT_KNOWN], 30.0),
        (100.0, [NOT_KNOWN] * 10, 5.0),
        (10.0, [NOT_KNOWN] * 11, 12.0),
        (100.0, [NOT_KNOWN] * 11, 20.0),
        (600.0, [NOT_KNOWN] * 11, 24.0),
        (100.0, [rest(5.0)], 3.0),
        (100.0, [rest(3.0), rest(6.0), rest(5.0)], 3.6),
        (100.0, [rest(1.0)], 2.0),
        (100.0, [rest(60.0)], 5.0),
        (100.0, [rest(5.0), NOT_KNOWN], 5.0),
    ],
)
def test_the_pause_follows_the_time_the_number_of_tasks_and_the_slowest(
    elapsed: float, pending: list[Pace], pause: float
) -> None:
    assert AdaptiveCadence().delay(elapsed, pending) == pytest.approx(pause)
    assert FixedCadence(7.0).delay(elapsed, pending) == 7.0


# Pauses after faults


def test_the_pause_after_faults_doubles_up_to_its_bound() -> None:
    whole, half = Backoff(lambda: 1.0), Backoff(lambda: 0.5)
    assert [whole.delay(faults, FAULT) for faults in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]
    assert [half.delay(faults, FAULT) for faults in (1, 2, 100_000)] == [0.5, 1.0, 15.0]
    assert Backoff(lambda: 1.0, 2.0, 3.0).delay(2, FAULT) == 3.0


def test_the_pause_is_never_shorter_than_the_service_asks_for() -> None:
    asking = TransientFault("throttled", retry_after=45.0)
    assert Backoff(lambda: 1.0).delay(1, asking) == 45.0
    assert Backoff(lambda: 1.0).delay(1, TransientFault("throttled", retry_after=0.1)) == 1.0


def test_repetitions_beyond_the_rate_wait_for_their_turn() -> None:
    clock = FakeClock()
    budget = RetryBudget(30, clock)
    for _ in range(30):
        budget.spend(FAULT)
    assert (clock.monotonic(), budget.used) == (0.0, 30)
    budget.spend(FAULT)
    assert clock.monotonic() == pytest.approx(2.0)
    clock.advance(5.0)
    budget.spend(FAULT)
    budget.spend(FAULT)
    assert clock.monotonic() == pytest.approx(7.0)
    budget.spend(FAULT)
    assert clock.monotonic() == pytest.approx(8.0)
    assert budget.used == 34


def test_no_more_than_a_minute_of_repetitions_is_saved() -> None:
    clock = FakeClock()
    budget = RetryBudget(6, clock)
    clock.advance(3600.0)
    for _ in range(6):
        budget.spend(FAULT)
    assert clock.sleeps == []
    budget.spend(FAULT)
    assert clock.sleeps == [pytest.approx(10.0)]


def test_no_repetition_is_waited_for_beyond_the_deadline() -> None:
    for per_minute in (1, None):
        clock = FakeClock()
        budget = RetryBudget(per_minute, clock, deadline=25.0)
        budget.spend(FAULT)
        if per_minute is None:
            clock.advance(25.0)
        with pytest.raises(TransientFault) as raised:
            budget.spend(FAULT)
        assert raised.value is FAULT
        assert (clock.monotonic(), budget.used) == (25.0, 1)


def test_without_repetitions_a_fault_is_an_error_that_is_not_asked_on() -> None:
    fault = TransientFault("throttled", code="APIGW.0308", request_id="r-1")
    budget = RetryBudget(0, FakeClock())
    with pytest.raises(ServiceError, match="throttled") as raised:
        budget.spend(fault)
    assert not isinstance(raised.value, TransientFault)
    assert (raised.value.code, raised.value.request_id) == ("APIGW.0308", "r-1")
    assert budget.used == 0


# Single calls


def retrier(clock: FakeClock, **options: float) -> Retrier:
    return Retrier(clock, Backoff(lambda: 1.0), RetryBudget(None, clock), Events(), **options)


def test_a_call_is_repeated_until_it_succeeds_and_gets_the_time_that_is_left() -> None:
    clock = FakeClock()
    given: list[float] = []

    def work(seconds: float) -> str:
        given.append(seconds)
        if len(given) < 4:
            raise TransientFault(f"fault {len(given)}")
        return "done"

    by = retrier(clock)
    assert by.call(work, 33.0) == "done"
    assert clock.sleeps == [1.0, 2.0, 4.0]
    assert given == [30.0, 30.0, 30.0, 26.0]
    assert by.budget.used == 3
    assert isinstance(by.observer, Events)
    assert [event.message for event in by.observer.seen] == ["fault 1", "fault 2", "fault 3"]  # type: ignore[union-attr]
    assert [event.delay for event in by.observer.seen] == [1.0, 2.0, 4.0]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("grace", "deadline", "moments"),
    [
        (0.0, math.inf, [0.0]),
        (3.0, math.inf, [0.0, 1.0, 3.0]),
        (3.1, math.inf, [0.0, 1.0, 3.0, 7.0]),
        (60.0, 3.0, [0.0, 1.0]),
        (60.0, 3.5, [0.0, 1.0, 3.0]),
    ],
)
def test_a_call_is_repeated_no_longer_than_the_grace_and_the_deadline(
    grace: float, deadline: float, moments: list[float]
) -> None:
    clock = FakeClock()
    made: list[float] = []

    def work(_: float) -> None:
        made.append(clock.monotonic())
        raise TransientFault(f"fault {len(made)}")

    with pytest.raises(TransientFault) as raised:
        retrier(clock, grace=grace).call(work, deadline)
    assert made == moments
    assert raised.value.message == f"fault {len(moments)}"
    assert clock.monotonic() <= deadline


def test_a_call_whose_time_is_over_before_it_is_not_made() -> None:
    clock = FakeClock(10.0)
    made: list[float] = []
    with pytest.raises(TransientFault):
        retrier(clock).call(made.append, 10.0)
    assert made == []


def test_an_error_that_asking_again_cannot_mend_ends_a_call_at_once() -> None:
    clock = FakeClock()

    def work(_: float) -> None:
        raise ServiceError("no")

    with pytest.raises(ServiceError, match="no"):
        retrier(clock).call(work, math.inf)
    assert clock.sleeps == []
