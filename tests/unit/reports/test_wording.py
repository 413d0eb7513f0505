"""The headline says what the verdict is, and a fault of the whole service is listed once."""

from __future__ import annotations

import io

import pytest

from precheck_gate.model.verdicts import Effect, Finding, FindingKind, Verdict
from precheck_gate.reports.causes import Causes
from precheck_gate.reports.terminal import Summary
from precheck_gate.reports.wording import headline
from precheck_gate.runtime.console import Console
from tests.support.verdicts import LIVE_FACTS, item_of, own, run_of, task_of

ERROR, BLOCKED, PASSED = Verdict.ERROR, Verdict.BLOCKED, Verdict.PASSED
FAULT = "example.com refused the connection"
STEP = "Look at the task."


def of_the_run(message: str = FAULT, verdict: Verdict = ERROR, next_step: str = STEP) -> Finding:
    return Finding(FindingKind.RUN, verdict, "service", message, next_step=next_step)


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("exact", [True, False])
def test_a_fault_of_the_run_and_of_every_task_is_one_cause(number: int, *, exact: bool) -> None:
    tasks = [task_of(one, own(ERROR, FAULT)) for one in range(number)]
    causes = Causes(exact=exact)
    for one in tasks:
        causes.add(one)
    [cause] = causes.against(run_of(tasks, of_the_run()), Effect.BLOCK)
    assert cause.tasks == number


@pytest.mark.parametrize(
    "about_run",
    [
        of_the_run("something else"),
        of_the_run(next_step="Do something else."),
        of_the_run(verdict=Verdict.INCOMPLETE),
    ],
)
def test_a_fault_of_the_run_that_says_more_is_listed_first(about_run: Finding) -> None:
    tasks = [task_of(1, own(ERROR, FAULT))]
    causes = Causes()
    causes.add(tasks[0])
    found = causes.against(run_of(tasks, about_run), Effect.BLOCK)
    assert [cause.tasks for cause in found] == [0, 1]


def test_a_fault_of_the_run_and_of_some_tasks_is_listed_for_both() -> None:
    tasks = [task_of(1, own(ERROR, FAULT)), task_of(2, own(PASSED))]
    causes = Causes()
    for one in tasks:
        causes.add(one)
    found = causes.against(run_of(tasks, of_the_run()), Effect.BLOCK)
    assert [cause.tasks for cause in found] == [0, 1]


def test_the_summary_prints_such_a_fault_once() -> None:
    out = io.StringIO()
    summary = Summary(Console(out, io.StringIO()))
    task = task_of(1, own(ERROR, FAULT))
    summary.add_task(task)
    summary.finish(run_of([task], of_the_run()), LIVE_FACTS)
    assert out.getvalue().count(FAULT) == 1


@pytest.mark.parametrize(
    ("verdicts", "against", "says"),
    [
        ((PASSED, PASSED), (), "2 tasks may start"),
        ((PASSED, BLOCKED), (), "1 of 2 tasks must not start; 1 may"),
        ((BLOCKED,), (), "1 of 1 task must not start"),
        ((PASSED, ERROR), (), "No reliable result for 1 of 2 tasks; 1 may start"),
        (
            (PASSED, Verdict.INCOMPLETE),
            (),
            "No confirmed result for 1 of 2 pre-checks; 1 may start",
        ),
        # What speaks against the run as a whole stops every task.
        ((PASSED, BLOCKED), (BLOCKED,), "1 of 2 tasks must not start"),
        ((PASSED, ERROR), (ERROR,), "No reliable result for 1 of 2 tasks"),
        ((PASSED, PASSED), (BLOCKED,), "The run is blocked, although no task is"),
        ((PASSED,), (Verdict.INCOMPLETE,), "The run is incomplete"),
        ((PASSED,), (ERROR,), "The run failed"),
        ((), (Verdict.INCOMPLETE,), "No task was judged"),
        ((), (ERROR,), "No task could be judged"),
    ],
)
def test_the_headline(
    verdicts: tuple[Verdict, ...], against: tuple[Verdict, ...], says: str
) -> None:
    tasks = [task_of(at, own(verdict)) for at, verdict in enumerate(verdicts)]
    run = run_of(tasks, *(of_the_run(verdict=verdict) for verdict in against))
    assert headline(run) == says


def test_the_headline_counts_warnings() -> None:
    tasks = [task_of(1, item_of("a", Verdict.PASSED_WITH_WARNINGS))]
    assert headline(run_of(tasks)) == "1 task may start, 1 warning"
