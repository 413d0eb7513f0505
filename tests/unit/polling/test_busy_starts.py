"""A task that the service has no time for now is started again within the grace."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.drs.http.messages import Reply
from precheck_gate.drs.http.replies import refused, usual_advice
from precheck_gate.errors import BatchRefused, ServiceError, TransientFault
from precheck_gate.model.snapshots import Trouble, TroubleKind
from precheck_gate.polling.retries import Backoff, Retrier, RetryBudget
from precheck_gate.polling.starting import Starter
from tests.support.gate import GOOD, one
from tests.support.harness import Events, task_id
from tests.support.outcome import ID

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.support.fakes import FakeClock
    from tests.support.gate import Gate, Serve

BUSY = ["DRS.M01503", "DRS.M01504"]
Outcome = dict[str, str | Trouble]


def refusal(code: str) -> Trouble:
    return Trouble(TroubleKind.TASK_ERROR, "its pre-check could not be started: later", code=code)


@dataclass
class Service:
    """Starts as a function of the time and the tasks has it; notes who was to be started."""

    clock: FakeClock
    script: Callable[[float, Sequence[str]], Outcome | Exception]
    starts: list[tuple[str, ...]] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)

    def start(self, modes: Mapping[str, str], seconds: float) -> Outcome:
        assert seconds > 0
        self.starts.append(tuple(modes))
        self.moments.append(self.clock.monotonic())
        said = self.script(self.clock.monotonic(), tuple(modes))
        if isinstance(said, Exception):
            raise said
        return said

    def statuses(self, task_ids: Sequence[str], seconds: float) -> dict[str, str]:
        raise AssertionError((task_ids, seconds))


def start(
    clock: FakeClock, script: Any, tasks: Sequence[str], **options: Any
) -> tuple[dict[str, Trouble], Service]:
    service = Service(clock, script)
    retrier = Retrier(clock, Backoff(lambda: 1.0), RetryBudget(None), Events(), **options)
    return Starter(service, retrier, "forStartJob").start(tasks, 10_000.0), service


@pytest.mark.parametrize("code", BUSY)
def test_a_task_that_is_busy_is_started_again_and_no_other_is(clock: FakeClock, code: str) -> None:
    first, second = task_id(1), task_id(2)

    def script(now: float, tasks: Sequence[str]) -> Outcome:
        return {one: refusal(code) if one == second and now < 20 else "p" for one in tasks}

    failed, service = start(clock, script, [first, second])
    assert failed == {}
    assert service.starts[0] == (first, second)
    assert set(service.starts[1:]) == {(second,)}
    assert service.moments == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0]


@pytest.mark.parametrize("code", BUSY)
def test_a_task_that_stays_busy_is_an_error_after_the_grace(clock: FakeClock, code: str) -> None:
    failed, service = start(clock, lambda _, tasks: {one: refusal(code) for one in tasks}, ["a"])
    assert failed["a"].code == code
    assert 60 <= clock.monotonic() <= 120
    assert len(service.starts) > 3


def test_any_other_refusal_is_final_at_once(clock: FakeClock) -> None:
    failed, service = start(clock, lambda *_: {"a": refusal("DRS.M00304")}, ["a"])
    assert failed["a"].code == "DRS.M00304"
    assert (clock.monotonic(), len(service.starts)) == (0.0, 1)


def test_all_that_are_busy_share_one_grace(clock: FakeClock) -> None:
    tasks = [task_id(number) for number in range(100)]
    failed, _ = start(clock, lambda _, ids: {one: refusal(BUSY[1]) for one in ids}, tasks)
    assert set(failed) == set(tasks)
    assert clock.monotonic() <= 120


def test_the_grace_begins_when_the_others_are_started(clock: FakeClock) -> None:
    tasks = [task_id(number) for number in range(100)]

    def script(now: float, ids: Sequence[str]) -> Outcome:
        # A slow service: the first round alone takes longer than the grace.
        clock.advance(10.0)
        return {one: refusal(BUSY[1]) if one == tasks[0] and now < 110 else "p" for one in ids}

    failed, _ = start(clock, script, tasks)
    assert failed == {}


def test_a_busy_task_that_a_refused_batch_names_waits_and_the_others_do_not(
    clock: FakeClock,
) -> None:
    first, second = task_id(1), task_id(2)

    def script(now: float, tasks: Sequence[str]) -> Outcome | Exception:
        if second in tasks and now < 20:
            culprits = {second: (BUSY[1], "another operation is under way")}
            return BatchRefused("HTTP 400", code=BUSY[1], culprits=culprits)
        return dict.fromkeys(tasks, "p")

    failed, service = start(clock, script, [first, second])
    assert failed == {}
    assert service.starts[:2] == [(first, second), (first,)]
    assert set(service.starts[2:]) == {(second,)}


@pytest.mark.parametrize("code", BUSY)
def test_a_refused_batch_is_busy_as_a_whole_only_where_it_names_no_task(
    clock: FakeClock, code: str
) -> None:
    whole = {"error_code": code, "error_msg": "later"}
    named = {"results": [{"id": task_id(1), **whole}], "count": 1}

    def error(document: Any) -> ServiceError:
        reply = Reply(400, {"Retry-After": "7"}, json.dumps(document).encode())
        return refused(reply, clock, usual_advice)

    busy = error(whole)
    assert isinstance(busy, TransientFault)
    assert (busy.retry_after, busy.code) == (7.0, code)
    batch = error(named)
    assert isinstance(batch, BatchRefused)
    assert batch.culprits == {task_id(1): (code, "later")}
    assert isinstance(error({"error_code": "DRS.M00304"}), BatchRefused)


def test_the_grace_is_that_of_the_option(clock: FakeClock) -> None:
    failed, _ = start(clock, lambda *_: {"a": refusal(BUSY[0])}, ["a"], grace=0.0)
    assert failed["a"].code == BUSY[0]
    assert clock.monotonic() <= 1.0


@pytest.mark.parametrize("code", BUSY)
def test_a_run_waits_for_a_busy_task(gate: Gate, serve: Serve, code: str) -> None:
    busy = f"start_error: {{code: {code}, message: later, to: 20s}}"
    service = serve(one(f"items: {GOOD}, duration: 20s, {busy}"))
    outcome = gate.run(service.url, "--start-precheck")
    assert outcome.code == 0
    outcome.says("later", "Retrying")


def test_a_run_does_not_wait_for_ever(gate: Gate, serve: Serve) -> None:
    busy = f"start_error: {{code: {BUSY[1]}, message: another operation is under way}}"
    outcome = gate.run(serve(one(f"items: {GOOD}, {busy}")).url, "--start-precheck")
    assert outcome.code == 4
    assert outcome.verdicts() == {ID: "error"}
    outcome.reports(BUSY[1], "another operation is under way")
    outcome.says("--grace")


def test_a_batch_that_is_throttled_as_a_whole_is_not_divided(gate: Gate, serve: Serve) -> None:
    tasks = [task_id(number) for number in range(4)]
    lines = "\n".join(f"  - {{id: {one}, items: {GOOD}, duration: 20s}}" for one in tasks)
    busy = f"{{when: {{call: start, request: 1-2}}, status: 400, code: {BUSY[0]}}}"
    service = serve(f"\nversion: 1\ntasks:\n{lines}\nfaults: [{busy}]\n")
    outcome = gate.run(service.url, "--start-precheck", tasks=tasks)
    assert outcome.code == 0
    starts = [call.jobs for call in service.requests if call.path.endswith("/batch-precheck")]
    assert [len(jobs) for jobs in starts] == [4, 4, 4]
