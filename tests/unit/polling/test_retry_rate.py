"""Repetitions after faults keep to a rate: a long outage is outlasted, a storm is not fed."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from precheck_gate.cli.options.live import LiveOptions
from precheck_gate.errors import ServiceError, TransientFault
from precheck_gate.polling.poller import Poller, PollOptions
from precheck_gate.polling.retries import Backoff, Retrier, RetryBudget
from precheck_gate.polling.timing import FixedCadence
from tests.support.gate import GOOD, one
from tests.support.harness import TASK, Events, ScriptedService, body, entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.support.fakes import FakeClock
    from tests.support.gate import Gate, Serve

HOUR = 3600.0
BUSY = TransientFault("The service answered HTTP 503")
RUNNING, DONE = body(entry(process="40%", result=False)), body(entry())


def test_an_outage_shorter_than_the_timeout_ends_the_run_at_no_time_before(
    gate: Gate, serve: Serve
) -> None:
    ill = "{when: {from: 5s, to: 20m}, status: 503}"
    service = serve(one(f"items: {GOOD}, duration: 10s", ill))
    outcome = gate.run(service.url, "--max-retries", "4", "--timeout", "1h")
    assert outcome.code == 0
    assert outcome.report["service"]["retries"] > 4


def polled(clock: FakeClock, per_minute: int | None, until: float, timeout: float) -> Poller:
    """Return the poller of a task whose service was ill from the second request on."""

    def script(now: float, tasks: Sequence[str]) -> bytes | Exception:
        if now >= until:
            return DONE
        return BUSY if now else RUNNING

    service = ScriptedService(clock, script)
    options = PollOptions(timeout=timeout)
    budget = RetryBudget(per_minute, clock, timeout)
    poller = Poller(
        service, clock, FixedCadence(5.0), options, Events(), lambda: 0.5, budget=budget
    )
    poller.poll([TASK])
    return poller


def test_eight_hours_of_outage_are_outlasted_by_default(clock: FakeClock) -> None:
    poller = polled(clock, LiveOptions().max_retries, 7.9 * HOUR, 8 * HOUR)
    (known,) = poller.observations()
    assert known.trouble is None
    assert known.snapshot is not None
    assert known.snapshot.complete


def test_an_outage_to_the_deadline_lasts_to_the_deadline(clock: FakeClock) -> None:
    poller = polled(clock, LiveOptions().max_retries, 9 * HOUR, 8 * HOUR)
    assert clock.monotonic() == pytest.approx(8 * HOUR)
    assert poller.trouble is None
    (known,) = poller.observations()
    assert known.trouble is not None
    assert known.trouble.message == BUSY.message


@pytest.mark.parametrize("per_minute", [1, 7, 60])
def test_a_storm_of_faults_is_limited_to_the_rate(clock: FakeClock, per_minute: int) -> None:
    # Every second request fails, so that no pause between them ever grows.
    replies: Iterator[bytes | Exception] = itertools.cycle([RUNNING, BUSY])
    service = ScriptedService(clock, lambda *_: next(replies))
    budget = RetryBudget(per_minute, clock, HOUR)
    options = PollOptions(timeout=HOUR, backoff=0.0)
    cadence = FixedCadence(0.1)
    Poller(service, clock, cadence, options, Events(), lambda: 0.0, budget=budget).poll([TASK])
    # A full minute's worth at the beginning, and then the rate.
    assert 0.9 * 60 * per_minute <= budget.used <= 61 * per_minute
    assert clock.monotonic() == pytest.approx(HOUR)


def test_no_more_is_saved_up_than_a_minutes_worth(clock: FakeClock) -> None:
    budget = RetryBudget(3, clock)
    clock.advance(HOUR)
    for _ in range(4):
        budget.spend(BUSY)
    assert clock.sleeps == [pytest.approx(20.0)]


def test_nobody_waits_for_a_repetition_beyond_the_deadline(clock: FakeClock) -> None:
    budget = RetryBudget(1, clock, 40.0)
    budget.spend(BUSY)
    with pytest.raises(TransientFault, match="503"):
        budget.spend(BUSY)
    assert (clock.monotonic(), budget.used) == (40.0, 1)


def test_the_rate_bounds_single_calls_too(clock: FakeClock) -> None:
    budget = RetryBudget(6, clock)
    retrier = Retrier(clock, Backoff(lambda: 0.0), budget, Events(), grace=120.0)
    moments: list[float] = []

    def work(seconds: float) -> str:
        moments.append(clock.monotonic())
        clock.advance(0.01)
        raise BUSY

    with pytest.raises(TransientFault, match="503"):
        retrier.call(work, HOUR)
    assert len(moments) == 1 + budget.used
    assert budget.used == 6 + 12
    assert clock.monotonic() == pytest.approx(120.0, abs=11.0)


def test_without_repetitions_the_first_fault_is_final(gate: Gate, serve: Serve) -> None:
    service = serve(one(f"items: {GOOD}", "{when: {request: 1}, status: 503}"))
    outcome = gate.run(service.url, "--max-retries", "0")
    assert outcome.code == 4
    outcome.reports("--max-retries 0", "HTTP 503")
    assert len(service.requests) == 1


def test_a_budget_that_is_none_at_all_raises_what_nobody_repeats(clock: FakeClock) -> None:
    with pytest.raises(ServiceError) as caught:
        RetryBudget(0, clock).spend(BUSY)
    assert not isinstance(caught.value, TransientFault)
