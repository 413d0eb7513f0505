"""Starting a wave: what is looked at around a start, what was begun, and what is started again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.errors import BatchRefused
from precheck_gate.model.snapshots import Snapshot, Trouble, TroubleKind
from precheck_gate.polling.events import Remarked
from precheck_gate.polling.retries import Backoff, Retrier, RetryBudget
from precheck_gate.polling.starting import FreshResults, Restarts, Starter
from tests.support.fakes import FakeClock
from tests.support.harness import Events, body, entry, item, task_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from precheck_gate.drs.api.v3_wire import Answer

    Script = Callable[[Sequence[str]], bytes | Exception]

WAVE = [task_id(number) for number in range(23)]
REFUSAL = Trouble(TroubleKind.TASK_ERROR, "not now")
EVERY = 300.0


@dataclass
class Service:
    """Answers as a script has it, refuses some starts, and notes all calls in their order."""

    script: Script
    refuses: set[str] = field(default_factory=set)
    takes: float = 0.0
    clock: FakeClock = field(default_factory=FakeClock)
    events: Events = field(default_factory=Events)
    calls: list[tuple[str, list[str]]] = field(default_factory=list)
    given: list[float] = field(default_factory=list)

    def precheck_results(self, task_ids: Sequence[str], seconds: float) -> Answer:
        self.calls.append(("look", list(task_ids)))
        self.given.append(seconds)
        said = self.script(task_ids)
        if isinstance(said, Exception):
            raise said
        return parse_answer(said)

    def start(self, modes: Mapping[str, str], seconds: float) -> dict[str, str | Trouble]:
        self.calls.append(("start", list(modes)))
        self.clock.advance(self.takes)
        return {task: REFUSAL if task in self.refuses else "" for task in modes}

    def statuses(self, task_ids: Sequence[str], seconds: float) -> dict[str, str]:
        raise AssertionError((task_ids, seconds))

    def fresh(self, restarts: Restarts | None = None) -> FreshResults:
        retrier = Retrier(self.clock, Backoff(lambda: 1.0), RetryBudget(), self.events, 10.0)
        return FreshResults(self, Starter(self, retrier, "forStartJob"), restarts)

    @property
    def looks(self) -> list[list[str]]:
        return [tasks for name, tasks in self.calls if name == "look"]

    @property
    def said(self) -> list[str]:
        return [event.text for event in self.events.of(Remarked)]


def old(tasks: Sequence[str]) -> bytes:
    return body(*map(entry, tasks))


def nothing(_: Sequence[str]) -> bytes:
    return body()


# --- the looks around a start ---------------------------------------------------------------------


def test_each_batch_is_looked_at_before_it_is_started() -> None:
    service = Service(old)
    service.fresh().begin(WAVE, 1000.0)
    batches = [WAVE[:10], WAVE[10:20], WAVE[20:]]
    assert service.calls == [
        (what, batch) for batch in batches for what in ("look", "start") if batch
    ]


def test_in_a_large_wave_what_had_no_result_is_looked_at_again_at_once() -> None:
    unknown = WAVE[3:5]

    def script(tasks: Sequence[str]) -> bytes:
        return old([task for task in tasks if task not in unknown])

    service = Service(script, refuses={WAVE[4]})
    assert service.fresh().begin(WAVE[:11], 1000.0) == {WAVE[4]: REFUSAL}
    assert service.looks == [WAVE[:10], [WAVE[3]], WAVE[10:11]]


def test_a_wave_of_one_batch_needs_no_second_look() -> None:
    service = Service(nothing)
    service.fresh().begin(WAVE[:10], 1000.0)
    assert service.looks == [WAVE[:10]]


def test_how_many_were_started_is_said() -> None:
    service = Service(old, refuses={WAVE[1], WAVE[12]})
    assert set(service.fresh().begin(WAVE, 1000.0)) == service.refuses
    assert any("21 of 23" in text for text in service.said)


# --- a look that is refused -----------------------------------------------------------------------


def refusing(bad: Sequence[str], *, named: bool) -> Script:
    def script(tasks: Sequence[str]) -> bytes | Exception:
        culprits = {task: ("X.1", "no") for task in tasks if task in bad}
        if culprits:
            return BatchRefused("HTTP 400", culprits=culprits if named else {})
        return old(tasks)

    return script


def green(fresh: FreshResults, service: Service, tasks: Sequence[str]) -> list[str]:
    """Return which tasks pass where all look as the old ones did, but for another item."""
    service.script = lambda asked: body(*(entry(task, items=[item("new")]) for task in asked))
    entries = fresh.precheck_results(tasks, 10.0).entries
    return [task for task, one in entries.items() if isinstance(one, Snapshot)]


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("bad", [WAVE[:1], WAVE[2:3], WAVE[:2], WAVE[1:4], WAVE[:4], WAVE[:5]])
def test_a_refused_look_costs_only_the_tasks_at_fault_what_is_known_of_before(
    bad: list[str], named: bool
) -> None:
    tasks = WAVE[:5]
    service = Service(refusing(bad, named=named))
    fresh = service.fresh()
    fresh.begin(tasks, 1000.0)
    # Only against a result before the start can another one be seen to be new.
    assert green(fresh, service, tasks) == [task for task in tasks if task not in bad]


def test_a_refused_look_that_names_the_tasks_at_fault_asks_once_more() -> None:
    service = Service(refusing(WAVE[1:3], named=True))
    service.fresh().begin(WAVE[:5], 1000.0)
    assert service.looks == [WAVE[:5], [WAVE[0], *WAVE[3:5]]]


def test_a_look_of_which_all_tasks_are_at_fault_is_not_repeated() -> None:
    service = Service(refusing(WAVE[:5], named=True))
    service.fresh().begin(WAVE[:5], 1000.0)
    assert service.looks == [WAVE[:5]]


def test_a_refused_look_that_names_nobody_is_halved() -> None:
    service = Service(refusing(WAVE[:1], named=False))
    service.fresh().begin(WAVE[:4], 1000.0)
    assert service.looks == [WAVE[:4], WAVE[:2], WAVE[:1], WAVE[1:4]]


@pytest.mark.parametrize("before", [Trouble, None])
def test_a_look_holds_only_results_and_only_of_the_tasks_asked_for(
    before: type[Trouble] | None,
) -> None:
    first, second = WAVE[:2]
    said = body(
        *([{"id": first, "error_code": "X.1"}] if before else []), entry(second), entry("stranger")
    )
    service = Service(lambda _: said)
    fresh = service.fresh()
    fresh.begin([first, second], 1000.0)
    assert green(fresh, service, [first, second]) == [second]


def test_a_second_look_is_not_misled_by_results_of_tasks_not_asked_for() -> None:
    service = Service(lambda _: body(entry("stranger")))
    assert service.fresh().begin(WAVE[:11], 1000.0) == {}


# --- how it is known ------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "more"), [(1, ""), (3, ""), (4, " and 1 more"), (9, "6 more")])
def test_a_remark_on_the_proof_names_three_tasks_and_counts_the_rest(count: int, more: str) -> None:
    tasks = WAVE[:count]
    service = Service(old)
    fresh = service.fresh()
    fresh.begin(tasks, 1000.0)
    assert fresh.remarks() == []
    assert green(fresh, service, tasks) == tasks
    [remark] = fresh.remarks()
    assert all((task in remark) == (task in WAVE[:3]) for task in tasks)
    assert remark.endswith(more or tasks[-1])


# --- starting again -------------------------------------------------------------------------------


def blocked(tasks: Sequence[str]) -> bytes:
    return body(*(entry(task, items=[item(result="FAILED")], result=False) for task in tasks))


def restarting(service: Service) -> FreshResults:
    return service.fresh(Restarts(EVERY, lambda snapshot: snapshot.ready))


def starts(service: Service) -> list[float]:
    return [len(tasks) for name, tasks in service.calls if name == "start"]


def test_it_is_started_again_as_soon_as_the_time_is_over_and_not_before() -> None:
    service = Service(blocked)
    fresh = restarting(service)
    fresh.begin(WAVE[:1], 1000.0)
    for passed, count in ((0.0, 1), (EVERY - 1, 1), (1.0, 2), (EVERY - 1, 2), (1.0, 3)):
        service.clock.advance(passed)
        fresh.precheck_results(WAVE[:1], 10.0)
        assert len(starts(service)) == count, passed


def test_without_a_start_here_the_time_counts_from_the_first_sight() -> None:
    service = Service(blocked)
    fresh = restarting(service)
    for passed, count in ((50.0, 0), (EVERY - 1, 0), (1.0, 1)):
        service.clock.advance(passed)
        fresh.precheck_results(WAVE[:1], 10.0)
        assert len(starts(service)) == count, passed


def test_what_is_accepted_or_runs_is_not_started_again() -> None:
    running = body(entry(WAVE[0], process="50%", result=False))
    for good in (old(WAVE[:1]), running):
        service = Service(blocked)
        fresh = restarting(service)
        fresh.precheck_results(WAVE[:1], 10.0)
        service.script = lambda _, good=good: good  # type: ignore[misc]
        fresh.precheck_results(WAVE[:1], 10.0)
        service.clock.advance(2 * EVERY)
        fresh.precheck_results(WAVE[:1], 10.0)
        assert starts(service) == []


def test_nothing_is_started_again_where_that_is_not_wanted() -> None:
    service = Service(blocked)
    fresh = service.fresh()
    fresh.begin(WAVE[:1], 1000.0)
    for _ in range(3):
        service.clock.advance(EVERY)
        fresh.precheck_results(WAVE[:1], 10.0)
    assert starts(service) == [1]


def test_a_refused_result_is_that_from_before_the_next_start() -> None:
    service = Service(blocked)
    fresh = restarting(service)
    fresh.precheck_results(WAVE[:1], 10.0)
    service.clock.advance(EVERY)
    again = fresh.precheck_results(WAVE[:1], 10.0).entries[WAVE[0]]
    assert isinstance(again, Trouble)
    assert again.kind is TroubleKind.OUTDATED
    assert again.hint
    assert green(fresh, service, WAVE[:1]) == WAVE[:1]


def test_what_was_started_again_is_not_started_once_more_before_it_is_seen_to_end() -> None:
    service = Service(blocked)
    fresh = restarting(service)
    fresh.precheck_results(WAVE[:1], 10.0)
    service.script = nothing
    for _ in range(3):
        service.clock.advance(EVERY)
        fresh.precheck_results(WAVE[:1], 10.0)
    assert starts(service) == [1]


def test_only_the_tasks_that_are_due_are_started_again() -> None:
    good, bad = WAVE[:2]
    service = Service(lambda _: body(entry(good), entry(bad, result=False)))
    fresh = restarting(service)
    fresh.precheck_results([good, bad], 10.0)
    service.clock.advance(EVERY)
    fresh.precheck_results([good, bad], 10.0)
    assert [tasks for name, tasks in service.calls if name == "start"] == [[bad]]
    assert any(bad in text and "again" in text for text in service.said)


def test_a_refused_restart_is_said_and_tried_again_later() -> None:
    service = Service(blocked, refuses={WAVE[0]})
    fresh = restarting(service)
    for passed, count in ((0.0, 0), (EVERY, 1), (1.0, 1), (EVERY, 2)):
        service.clock.advance(passed)
        found = fresh.precheck_results(WAVE[:1], 10.0).entries[WAVE[0]]
        # It was not started: what counts is still the result that was there.
        assert isinstance(found, Snapshot)
        assert len(starts(service)) == count, passed
    assert all("not started again: not now" in text for text in service.said)
    assert len(service.said) == 2


def test_the_results_get_the_time_that_a_restart_left_over() -> None:
    service = Service(blocked, takes=4.0)
    fresh = restarting(service)
    service.clock.advance(50.0)
    fresh.precheck_results(WAVE[:1], 10.0)
    service.clock.advance(EVERY)
    fresh.precheck_results(WAVE[:1], 10.0)
    assert service.given == [10.0, 6.0]


def test_what_else_an_answer_says_is_passed_on() -> None:
    service = Service(lambda tasks: body(*map(entry, tasks), count=9))
    answer = service.fresh().precheck_results(WAVE[:1], 10.0)
    assert answer == replace(parse_answer(body(entry(WAVE[0]), count=9)))
    assert answer.remarks
