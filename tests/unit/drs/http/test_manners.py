"""The rate of requests, single calls that are repeated, and what is counted."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.drs.auth.requests_auth import NoAuth
from precheck_gate.drs.http.messages import HttpRequest, Reply
from precheck_gate.drs.http.transport import PacedSend
from precheck_gate.errors import ServiceError, TransientFault
from precheck_gate.polling.events import Faulted
from precheck_gate.polling.retries import Backoff, Retrier, RetryBudget
from tests.support.gate import GOOD, one
from tests.support.harness import Events

if TYPE_CHECKING:
    from tests.support.fakes import FakeClock
    from tests.support.gate import Gate, Serve


def test_requests_keep_their_distance(clock: FakeClock) -> None:
    moments: list[float] = []

    def send(*_: Any) -> Reply:
        moments.append(clock.monotonic())
        return Reply(200, {}, b"12345")

    paced = PacedSend(send, clock, 4.0)
    for _ in range(5):
        paced(HttpRequest("POST", "http://x", {}, b"123"), NoAuth(), 10.0)
    assert moments == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert (paced.bytes_sent, paced.bytes_received) == (15, 25)


def test_a_turn_that_comes_too_late_is_a_fault_and_not_a_longer_wait(clock: FakeClock) -> None:
    paced = PacedSend(lambda *_: Reply(200, {}, b""), clock, 0.1)
    paced(HttpRequest("GET", "http://x"), NoAuth(), 1.0)
    with pytest.raises(TransientFault, match="max-rps"):
        paced(HttpRequest("GET", "http://x"), NoAuth(), 1.0)
    assert clock.monotonic() == 0.0


def retrier(clock: FakeClock, grace: float = 60.0) -> Retrier:
    return Retrier(clock, Backoff(lambda: 1.0), RetryBudget(), Events(), grace)


def failing(*faults: ServiceError) -> Any:
    left = list(faults)

    def work(seconds: float) -> str:
        assert seconds > 0
        if left:
            raise left.pop(0)
        return "done"

    return work


def test_a_call_is_repeated_with_growing_pauses(clock: FakeClock) -> None:
    made = retrier(clock)
    busy = TransientFault("busy")
    assert made.call(failing(busy, busy, busy), 100.0) == "done"
    assert clock.sleeps == [1.0, 2.0, 4.0]
    assert len(made.observer.of(Faulted)) == 3  # type: ignore[attr-defined]


def test_retry_after_is_honoured_and_the_deadline_more(clock: FakeClock) -> None:
    long = TransientFault("busy", retry_after=500.0)
    with pytest.raises(TransientFault, match="busy"):
        retrier(clock).call(failing(*[long] * 9), 30.0)
    assert clock.monotonic() == 30.0


def test_a_call_is_repeated_no_longer_than_its_grace(clock: FakeClock) -> None:
    with pytest.raises(TransientFault):
        retrier(clock).call(failing(*[TransientFault("busy")] * 99), 1e6)
    assert 60 <= clock.monotonic() <= 120


def test_what_makes_no_sense_to_repeat_is_not(clock: FakeClock) -> None:
    with pytest.raises(ServiceError, match="no"):
        retrier(clock).call(failing(ServiceError("no")), 100.0)
    assert not clock.sleeps


def test_the_counters_are_in_the_report(gate: Gate, serve: Serve) -> None:
    busy = "{when: {request: 1-2}, status: 503, retry_after: 5}"
    service = serve(one(f"items: {GOOD}, duration: 20s", busy))
    outcome = gate.run(service.url, "--verbose")
    counts = outcome.report["service"]
    assert counts["requests"] == len(service.requests)
    assert counts["retries"] == 2
    sizes = [int(asked.headers["content-length"]) for asked in service.requests]
    assert counts["bytes_sent"] == sum(sizes)
    assert counts["bytes_received"] > 0
    assert counts["waited"] == pytest.approx(counts["seconds"], abs=0.2)
    outcome.says("B sent", "B received", "s waited")


def test_a_low_rate_is_kept_over_the_whole_run(gate: Gate, serve: Serve) -> None:
    service = serve(one(f"items: {GOOD}, duration: 20s"))
    assert gate.run(service.url, "--max-rps", "0.2").code == 0
    moments = [asked.moment for asked in service.requests]
    assert all(later - before >= 4.99 for before, later in itertools.pairwise(moments))
