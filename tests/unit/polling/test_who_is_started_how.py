"""Which pre-checks are started together, in which mode, and which of them have failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from precheck_gate.errors import BatchRefused, ServiceError, TransientFault
from precheck_gate.model.snapshots import Trouble, TroubleKind
from precheck_gate.polling.events import Faulted
from precheck_gate.polling.retries import Backoff, Retrier, RetryBudget
from precheck_gate.polling.starting import AUTO, Starter, mode_for
from tests.support.fakes import FakeClock
from tests.support.harness import Events, task_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TASKS = [task_id(number) for number in range(23)]


@dataclass
class Service:
    """Refuses calls with one of ``bad`` in them, and says nothing of ``silent``."""

    bad: set[str] = field(default_factory=set)
    named: bool = False
    silent: set[str] = field(default_factory=set)
    status: dict[str, str] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    starts: list[dict[str, str]] = field(default_factory=list)
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def start(self, modes: Mapping[str, str], seconds: float) -> dict[str, str | Trouble]:
        assert 0 < seconds <= 30
        self.starts.append(dict(modes))
        if guilty := self.bad & set(modes):
            culprits = {one: ("X.2", f"no {one}") for one in guilty} if self.named else {}
            raise BatchRefused("refused", code="X.1", culprits=culprits)
        return {one: "p" for one in modes if one not in self.silent}

    def statuses(self, task_ids: Sequence[str], seconds: float) -> dict[str, str]:
        assert 0 < seconds <= 30
        self.asked.append(tuple(task_ids))
        if self.unknown & set(task_ids):
            raise BatchRefused("refused")
        return {one: self.status.get(one, "CONFIGURATION") for one in task_ids}


def start(
    service: Service, tasks: Sequence[str] = TASKS, mode: str = "forRetryJob"
) -> dict[str, Trouble]:
    clock = FakeClock()
    retrier = Retrier(clock, Backoff(lambda: 1.0), RetryBudget(None, clock), Events())
    return Starter(service, retrier, mode).start(tasks, 10_000.0)


def test_ten_are_started_in_a_call_each_in_the_mode_that_was_given() -> None:
    service = Service()
    assert start(service) == {}
    assert [list(modes) for modes in service.starts] == [TASKS[:10], TASKS[10:20], TASKS[20:]]
    assert {mode for modes in service.starts for mode in modes.values()} == {"forRetryJob"}
    assert service.asked == []


def test_the_mode_follows_the_status_of_each_of_ten_tasks_at_once() -> None:
    service = Service(status={TASKS[1]: "FULL_TRANSFER_FAILED", TASKS[2]: "STARTJOBING"})
    failed = start(service, mode=AUTO)
    assert [list(asked) for asked in service.asked] == [TASKS[:10], TASKS[10:20], TASKS[20:]]
    modes = {task: mode for started in service.starts for task, mode in started.items()}
    assert modes == {
        one: "forRetryJob" if one == TASKS[1] else "forStartJob" for one in TASKS if one != TASKS[2]
    }
    assert list(failed) == [TASKS[2]]
    assert failed[TASKS[2]].kind is TroubleKind.TASK_ERROR
    assert "STARTJOBING" in failed[TASKS[2]].message


@pytest.mark.parametrize(
    ("status", "mode"),
    [
        ("CONFIGURATION", "forStartJob"),
        ("START_JOB_FAILED", "forRetryJob"),
        ("FAILED", ""),
        ("_FAILED_", ""),
        ("CREATE_FAILED", "forRetryJob"),
        ("configuration", ""),
        ("", ""),
    ],
)
def test_a_status_has_one_mode_or_none(status: str, mode: str) -> None:
    assert mode_for(status) == mode


def test_a_task_whose_status_is_refused_costs_no_other_its_start() -> None:
    for position in range(10):
        service = Service(unknown={TASKS[position]})
        failed = start(service, TASKS[:10], AUTO)
        assert list(failed) == [TASKS[position]]
        assert "not known" in failed[TASKS[position]].message
        assert set(service.starts[0]) == set(TASKS[:10]) - {TASKS[position]}
        assert len(service.asked) <= 1 + 2 * 4


def test_a_status_of_a_task_that_was_not_asked_for_does_not_count() -> None:
    class Talkative(Service):
        def statuses(self, task_ids: Sequence[str], seconds: float) -> dict[str, str]:
            return super().statuses(task_ids, seconds) | (
                {} if TASKS[0] in task_ids else {TASKS[0]: "STARTJOBING"}
            )

    assert start(Talkative(), mode=AUTO) == {}


@pytest.mark.parametrize("named", [True, False])
def test_only_the_bad_tasks_of_a_refused_call_are_not_started(named: bool) -> None:
    bad = {TASKS[3], TASKS[4], TASKS[21]}
    service = Service(bad=bad, named=named)
    failed = start(service)
    assert set(failed) == bad
    assert {one.kind for one in failed.values()} == {TroubleKind.TASK_ERROR}
    assert {one.code for one in failed.values()} == {"X.2" if named else "X.1"}
    assert all((task in one.message) is named for task, one in failed.items())
    started = [one for modes in service.starts if not bad & set(modes) for one in modes]
    assert sorted(started) == sorted(set(TASKS) - bad), "each once"
    if named:
        assert len(service.starts) == 5


@pytest.mark.parametrize("most", range(1, 10))
def test_a_service_that_starts_fewer_tasks_at_once_accuses_no_innocent(most: int) -> None:
    class Small(Service):
        def start(self, modes: Mapping[str, str], seconds: float) -> dict[str, str | Trouble]:
            if len(modes) > most:
                raise BatchRefused("too many")
            return super().start(modes, seconds)

    service = Small()
    assert start(service, TASKS[:10]) == {}
    started = [one for modes in service.starts for one in modes]
    assert sorted(started) == sorted(TASKS[:10]), "each once"


def test_a_call_of_bad_tasks_alone_is_not_repeated() -> None:
    service = Service(bad=set(TASKS[:2]), named=True)
    assert set(start(service, TASKS[:2])) == set(TASKS[:2])
    assert len(service.starts) == 1


def test_a_task_of_which_the_service_says_nothing_is_not_taken_for_started() -> None:
    failed = start(Service(silent={TASKS[5]}))
    assert list(failed) == [TASKS[5]]
    assert failed[TASKS[5]].kind is TroubleKind.NOT_ANSWERED


@pytest.mark.parametrize("error", [ServiceError("no access"), TransientFault("down")])
def test_a_service_that_cannot_be_asked_ends_the_start(error: ServiceError) -> None:
    class Down(Service):
        def start(self, modes: Mapping[str, str], seconds: float) -> dict[str, str | Trouble]:
            raise error

    with pytest.raises(type(error)):
        start(Down())


@pytest.mark.parametrize(("number", "others"), [(1, ""), (2, "and 1 more"), (3, "and 2 more")])
def test_whoever_watches_is_told_which_tasks_the_start_waits_for(number: int, others: str) -> None:
    events, clock = Events(), FakeClock()

    class Busy(Service):
        def start(self, modes: Mapping[str, str], seconds: float) -> dict[str, str | Trouble]:
            busy = Trouble(TroubleKind.TASK_ERROR, "later", code="DRS.M01503")
            return {one: busy if clock.monotonic() < 1 else "p" for one in modes}

    retrier = Retrier(clock, Backoff(lambda: 1.0), RetryBudget(None, clock), events)
    assert Starter(Busy(), retrier, "forStartJob").start(TASKS[:number], 10_000.0) == {}
    (told,) = events.of(Faulted)
    assert TASKS[0] in told.message
    assert others in told.message
    assert ("more" in told.message) is bool(others)
