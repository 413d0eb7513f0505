"""The deadline of a run: kept to, and never told as a fault of the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.drs.api.v3 import DrsClient
from precheck_gate.drs.auth.requests_auth import NoAuth
from precheck_gate.drs.http.messages import HttpRequest, Reply
from precheck_gate.drs.http.transport import PacedSend
from precheck_gate.errors import TransientFault
from precheck_gate.model.verdicts import Verdict
from precheck_gate.polling.poller import Poller, PollOptions
from precheck_gate.polling.timing import FixedCadence
from tests.support.fakes import FakeClock
from tests.support.harness import (
    Events,
    Judged,
    body,
    entry,
    judge_observations,
    task_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from precheck_gate.model.snapshots import Snapshot


def run(
    requested: Sequence[str],
    send: Callable[[FakeClock, Sequence[str], float], Reply],
    *,
    max_rps: float = 10.0,
    afterwards: Callable[[Snapshot], float] = lambda _: 0.0,
    **options: Any,
) -> tuple[Judged, float]:
    """Poll by the real client and the real pacing; return the verdict and when it came."""
    clock = FakeClock()

    def inner(request: HttpRequest, _: object, seconds: float) -> Reply:
        assert seconds > 0
        return send(clock, [one for one in requested if one.encode() in request.body], seconds)

    paced = PacedSend(inner, clock, max_rps)

    def send_all(request: HttpRequest, seconds: float) -> Reply:
        return paced(request, NoAuth(), seconds)

    poller = Poller(
        DrsClient("http://127.0.0.1:1", lambda _: "p", send_all, clock),
        clock,
        FixedCadence(2.0),
        PollOptions(**options),
        Events(),
        lambda: 1.0,
        afterwards=afterwards,
    )
    poller.poll(requested)
    troubles = [poller.trouble] if poller.trouble else []
    return judge_observations(
        poller.observations(), requested, troubles=troubles
    ), clock.monotonic()


def slow(latency: float, process: str) -> Callable[[FakeClock, Sequence[str], float], Reply]:
    """Return a service that takes its time, and that is left behind as the transport does."""

    def send(clock: FakeClock, asked: Sequence[str], seconds: float) -> Reply:
        if latency >= seconds:
            clock.advance(seconds)
            raise TransientFault(f"127.0.0.1 gave no complete answer within {seconds:.0f} s.")
        clock.advance(latency)
        return Reply(200, {}, body(*(entry(one, process=process) for one in asked)))

    return send


@pytest.mark.parametrize("timeout", [1.5, 4.5, 10.0])
def test_a_deadline_that_falls_into_a_request_leaves_the_run_incomplete(timeout: float) -> None:
    judged, end = run([task_id(1)], slow(1.0, "50%"), timeout=timeout)
    assert (judged.verdict, judged.code) == (Verdict.INCOMPLETE, 3)
    assert end == pytest.approx(timeout)


def test_a_deadline_before_the_first_answer_leaves_the_run_incomplete_and_says_so() -> None:
    judged, end = run([task_id(1)], slow(20.0, "50%"), timeout=5.0)
    assert (judged.verdict, judged.code) == (Verdict.INCOMPLETE, 3)
    assert judged.says("the run ended before the service answered for this task")
    assert judged.says("gave no complete answer within 5 s")
    assert end == pytest.approx(5.0)


@pytest.mark.parametrize("max_rps", [0.1, 0.5, 1.0])
def test_a_deadline_that_falls_into_the_wait_for_the_rate_leaves_the_run_incomplete(
    max_rps: float,
) -> None:
    requested = [task_id(number) for number in range(100)]
    judged, end = run(requested, slow(0.0, "50%"), max_rps=max_rps, timeout=5.0)
    assert (judged.verdict, judged.code) == (Verdict.INCOMPLETE, 3)
    assert end <= 5.0


def test_a_service_that_takes_too_long_for_an_answer_is_an_error_at_the_deadline() -> None:
    judged, end = run([task_id(1)], slow(1000.0, "50%"), timeout=100.0, grace=300.0)
    assert (judged.verdict, judged.code) == (Verdict.ERROR, 4)
    assert judged.says("gave no complete answer within 30 s")
    assert end <= 100.0


def test_a_service_that_is_down_before_the_deadline_is_an_error_though_a_request_was_cut_off() -> (
    None
):
    def send(clock: FakeClock, asked: Sequence[str], seconds: float) -> Reply:
        if clock.monotonic() < 3.0:
            return Reply(503, {}, b"")
        return slow(1000.0, "50%")(clock, asked, seconds)

    judged, _ = run([task_id(1)], send, timeout=10.0)
    assert (judged.verdict, judged.code) == (Verdict.ERROR, 4)


def test_a_turn_that_is_not_taken_is_left_to_the_next_request() -> None:
    clock = FakeClock()
    paced = PacedSend(lambda *_: Reply(200, {}, b""), clock, 0.1)
    paced(HttpRequest("GET", "http://x"), NoAuth(), 1.0)
    for _ in range(5):
        with pytest.raises(TransientFault):
            paced(HttpRequest("GET", "http://x"), NoAuth(), 1.0)
    paced(HttpRequest("GET", "http://x"), NoAuth(), 60.0)
    assert clock.monotonic() == 10.0


def test_the_polling_leaves_time_for_what_comes_afterwards() -> None:
    judged, end = run([task_id(1)], slow(0.0, "50%"), timeout=600.0, afterwards=lambda _: 42.0)
    assert judged.verdict is Verdict.INCOMPLETE
    assert end == pytest.approx(600.0 - 42.0)


def test_what_comes_afterwards_takes_no_more_than_half_of_the_time() -> None:
    _, end = run([task_id(1)], slow(0.0, "50%"), timeout=600.0, afterwards=lambda _: 1e6)
    assert end == pytest.approx(300.0)
