"""What is known of a task when a run ends: who is to blame, what is too old, what was not asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.drs.api.v3_wire import Answer, parse_answer
from precheck_gate.errors import TransientFault
from precheck_gate.model.snapshots import Observation, Snapshot, Trouble, TroubleKind
from precheck_gate.model.verdicts import Verdict
from precheck_gate.polling.events import Faulted, Remarked
from precheck_gate.polling.poller import Poller, PollOptions
from precheck_gate.polling.timing import FixedCadence
from tests.support.fakes import FakeClock
from tests.support.harness import (
    OTHER,
    TASK,
    Events,
    body,
    entry,
    judge_observations,
    poll,
    task_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RUNNING: dict[str, Any] = {"process": "40%", "result": False}


def seen(task: str) -> Snapshot:
    snapshot = parse_answer(body(entry(task))).entries[task]
    assert isinstance(snapshot, Snapshot)
    return snapshot


@dataclass
class Service:
    """Answers with values of our own, as clients do."""

    clock: FakeClock
    script: Callable[[float, Sequence[str]], Answer]

    def precheck_results(self, task_ids: Sequence[str], seconds: float) -> Answer:
        return self.script(self.clock.monotonic(), task_ids)

    def poll(self, *tasks: str, **options: Any) -> tuple[Poller, Events]:
        events = Events()
        times = PollOptions(**options)
        poller = Poller(self, self.clock, FixedCadence(5.0), times, events, lambda: 0.5)
        poller.poll(tasks)
        return poller, events


# --- what is too old


def test_an_answer_exactly_as_old_as_allowed_is_not_asked_for_again() -> None:
    def script(now: float, asked: Sequence[str]) -> bytes:
        return body(
            *(entry(one) if one == TASK or now >= 60 else entry(one, **RUNNING) for one in asked)
        )

    polled = poll(FakeClock(), script, [TASK, OTHER], max_staleness=60.0)
    assert polled.elapsed == 60.0
    assert [asked for _, asked in polled.service.asked if TASK in asked] == [(TASK, OTHER)]
    assert polled.judged().verdict is Verdict.PASSED


def test_an_old_answer_about_a_running_precheck_is_told_as_running_and_not_as_stale() -> None:
    polled = poll(
        FakeClock(),
        lambda *_: body(entry(**RUNNING)),
        cadence=FixedCadence(500.0),
        timeout=300.0,
        max_staleness=60.0,
    )
    judged = polled.judged()
    assert judged.says("the pre-check is at 40 %, not at 100 %")
    assert not judged.says("could not be confirmed")


def test_what_speaks_against_a_task_in_the_end_is_told_and_not_its_age() -> None:
    def script(now: float, asked: Sequence[str]) -> bytes:
        bad = {"precheck_id": TASK, "error_code": "DRS.M05004", "error_msg": "it was deleted"}
        found = {TASK: entry(TASK) if now < 70 else bad, OTHER: entry(OTHER)}
        if now < 70:
            found[OTHER] = entry(OTHER, **RUNNING)
        return body(*(found[one] for one in asked))

    judged = poll(FakeClock(), script, [TASK, OTHER], max_staleness=60.0, grace=60.0).judged()
    assert judged.verdict is Verdict.ERROR
    assert judged.says("it was deleted")
    assert not judged.says("could not be confirmed")


# --- for how long trouble may last


def troubled(kind: TroubleKind, until: float) -> tuple[Poller, FakeClock]:
    clock = FakeClock()

    def script(now: float, asked: Sequence[str]) -> Answer:
        return Answer({TASK: Trouble(kind, "not yet") if now < until else seen(TASK)})

    return Service(clock, script).poll(TASK, grace=60.0, timeout=600.0)[0], clock


@pytest.mark.parametrize(
    ("kind", "until", "ends"),
    [
        # A new result takes as long as its pre-check does.
        (TroubleKind.OUTDATED, 300.0, 300.0),
        (TroubleKind.OUTDATED, 9e9, 600.0),
        (TroubleKind.NOT_ANSWERED, 55.0, 55.0),
        (TroubleKind.NOT_ANSWERED, 300.0, 60.0),
        (TroubleKind.TASK_ERROR, 300.0, 60.0),
    ],
)
def test_only_an_old_result_is_waited_on_with_beyond_the_grace(
    kind: TroubleKind, until: float, ends: float
) -> None:
    poller, clock = troubled(kind, until)
    assert clock.monotonic() == ends
    (known,) = poller.observations()
    assert (known.trouble is None) == (ends == until)


# --- what was odd


def test_what_is_odd_about_an_answer_is_remarked_once() -> None:
    polled = poll(FakeClock(), lambda now, _: body(entry(**({} if now > 9 else RUNNING)), count=7))
    assert polled.poller.remarks == ["the service counts 7 results and sent 1"]
    assert [event.text for event in polled.events.of(Remarked)] == polled.poller.remarks
    assert polled.judged().says("the service counts 7 results")


# --- what was not asked


def test_a_task_that_was_never_asked_for_is_incomplete() -> None:
    judged = judge_observations([Observation(TASK)], [TASK])
    assert (judged.verdict, judged.code) == (Verdict.INCOMPLETE, 3)
    assert judged.says("the run ended before the service answered for this task")


def test_a_batch_that_the_deadline_cut_off_is_incomplete_whatever_the_others_say() -> None:
    clock, tasks = FakeClock(), [task_id(number) for number in range(20)]

    def script(_: float, asked: Sequence[str]) -> bytes:
        clock.advance(30.0)
        return body(*map(entry, asked))

    judged = poll(clock, script, tasks, timeout=20.0).judged()
    assert judged.verdict is Verdict.INCOMPLETE
    assert judged.run.tasks == {Verdict.PASSED: 10, Verdict.INCOMPLETE: 10}


# --- who is to blame


def test_a_fault_that_met_some_tasks_of_an_answer_is_one_of_the_service() -> None:
    fault = TransientFault("HTTP 503: busy")
    clock = FakeClock()
    service = Service(
        clock, lambda _, asked: Answer({TASK: seen(TASK)} if TASK in asked else {}, fault=fault)
    )
    poller, events = service.poll(TASK, OTHER, timeout=50.0)
    known = {one.task_id: one for one in poller.observations()}
    assert known[TASK].trouble is None
    found = known[OTHER].trouble
    assert found is not None
    assert (found.kind, found.message) == (TroubleKind.SERVICE, fault.message)
    assert {event.message for event in events.of(Faulted)} == {fault.message}
    assert poller.retries > 0
