"""What is said of the next repetition after a fault is what then happens."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from precheck_gate.errors import TransientFault
from precheck_gate.polling.events import Faulted
from precheck_gate.polling.poller import Poller, PollOptions
from precheck_gate.polling.retries import Backoff, Retrier, RetryBudget
from precheck_gate.polling.timing import FixedCadence
from tests.support.gate import GOOD, one
from tests.support.harness import TASK, Events, ScriptedService, body, entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.fakes import FakeClock
    from tests.support.gate import Gate, Serve

BUSY = TransientFault("The service answered HTTP 503")


def test_no_repetition_is_announced_where_there_is_none(gate: Gate, serve: Serve) -> None:
    service = serve(one(f"items: {GOOD}", "{when: {request: 1}, status: 503}"))
    outcome = gate.run(service.url, "--max-retries", "0")
    assert outcome.code == 4
    assert "Retrying" not in outcome.err
    assert outcome.report["service"]["waited"] == 0


def test_a_poller_announces_the_wait_for_the_rate_of_repetitions(clock: FakeClock) -> None:
    replies: Iterator[bytes | Exception] = itertools.chain(
        [body(entry(process="40%", result=False))], itertools.repeat(BUSY)
    )
    asked: list[float] = []

    def script(now: float, _: object) -> bytes | Exception:
        asked.append(now)
        return next(replies)

    events = Events()
    Poller(
        ScriptedService(clock, script),
        clock,
        FixedCadence(1.0),
        PollOptions(timeout=200.0),
        events,
        lambda: 0.0,
        budget=RetryBudget(2, clock, 200.0),
    ).poll([TASK])
    told = [fault.delay for fault in events.of(Faulted)]
    waited = [later - before for before, later in itertools.pairwise(asked[1:])]
    # Requests keep a distance of 0.1 s anyway.
    assert told[: len(waited)] == pytest.approx(waited, abs=0.2)
    assert max(waited) == pytest.approx(30.0, abs=2.0)


def test_a_single_call_announces_the_wait_for_the_rate_of_repetitions(clock: FakeClock) -> None:
    events, asked = Events(), list[float]()
    budget = RetryBudget(1, clock)
    retrier = Retrier(clock, Backoff(lambda: 0.0), budget, events, grace=100.0)

    def work(_: float) -> str:
        asked.append(clock.monotonic())
        raise BUSY

    with pytest.raises(TransientFault, match="503"):
        retrier.call(work, 1000.0)
    told = [fault.delay for fault in events.of(Faulted)]
    waited = [later - before for before, later in itertools.pairwise(asked)]
    assert told == pytest.approx(waited)
    assert max(waited) == pytest.approx(60.0)
