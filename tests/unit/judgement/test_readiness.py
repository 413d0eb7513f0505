"""Which tasks may start: only those that are green, in a run that nothing else speaks against."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precheck_gate.judgement.readiness import Readiness, ReadinessCollector
from precheck_gate.model.verdicts import RunVerdict, Verdict
from tests.support.harness import (
    OTHER,
    TASK,
    body,
    entry,
    item,
    judge,
)
from tests.support.verdicts import FACTS, about_run, finding, own, run_of, task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.model.verdicts import TaskVerdict

WARNS = finding(Verdict.PASSED_WITH_WARNINGS)


def outcome(tasks: Sequence[TaskVerdict], run: RunVerdict, **facts: Any) -> Readiness:
    collector = ReadinessCollector()
    for one in tasks:
        collector.add_task(one)
    return collector.finish(run, replace(FACTS, **facts))


def test_a_blocked_task_does_not_hold_the_green_ones_back() -> None:
    tasks = [task("a"), task("b", finding()), task("c", WARNS)]
    made = outcome(tasks, run_of(tasks), exit_code=1)
    assert made.verdict is Verdict.BLOCKED
    assert made.exit_code == 1
    assert made.ready == ("a", "c")
    assert made.blocked == ("b",)
    assert made.warnings == made.warning_count == 1


@pytest.mark.parametrize("verdict", [Verdict.BLOCKED, Verdict.INCOMPLETE, Verdict.ERROR])
def test_what_speaks_against_the_run_holds_every_task_back(verdict: Verdict) -> None:
    tasks = [task("a"), task("b", WARNS)]
    made = outcome(tasks, run_of(tasks, about_run(verdict)))
    assert made.ready == ()
    assert made.blocked == ("a", "b")


@pytest.mark.parametrize("verdict", [Verdict.BLOCKED, Verdict.INCOMPLETE, Verdict.ERROR])
def test_only_green_is_ready(verdict: Verdict) -> None:
    tasks = [task("a", own(verdict))]
    assert outcome(tasks, run_of(tasks)).blocked == ("a",)


def test_advisory_changes_no_list() -> None:
    tasks = [task("a"), task("b", finding())]
    made = outcome(tasks, run_of(tasks), advisory=True, exit_code=0)
    assert made.verdict is Verdict.BLOCKED
    assert made.advisory
    assert (made.ready, made.blocked) == (("a",), ("b",))


def test_nothing_is_ready_in_a_run_that_a_signal_ended() -> None:
    tasks = [task("a")]
    assert outcome(tasks, run_of(tasks), interrupted_by="SIGTERM").ready == ()


def test_a_task_that_was_asked_for_and_never_judged_is_blocked() -> None:
    tasks = [task("a")]
    run = replace(run_of(tasks), requested=("a", "b"))
    made = outcome(tasks, run)
    assert (made.ready, made.blocked) == (("a",), ("b",))


def test_a_task_that_nobody_asked_for_is_never_ready() -> None:
    made = outcome([task("a")], replace(run_of([task("a")]), requested=()))
    assert (made.ready, made.blocked) == ((), ("a",))


def test_an_error_before_any_task_leaves_nothing_ready() -> None:
    made = outcome([], RunVerdict(Verdict.ERROR, (about_run(),), ()), exit_code=2)
    assert (made.ready, made.blocked) == ((), ())
    assert made.blocking_count == 1


def test_tasks_stand_in_the_order_asked_for_whenever_they_came() -> None:
    tasks = [task(name) for name in "dacb"]
    run = replace(run_of(tasks), requested=tuple("abcd"))
    assert outcome(tasks, run).ready == tuple("abcd")


def test_the_first_findings_are_kept_and_the_rest_counted() -> None:
    tasks = [task(f"t{number}", finding(), WARNS, own()) for number in range(30)]
    made = outcome(tasks, run_of(tasks, about_run()))
    assert [one.task_id for one in made.blocking] == ["", *(f"t{number}" for number in range(9))]
    assert [one.task_id for one in made.warning] == [f"t{number}" for number in range(10)]
    assert (made.blocking_count, made.warning_count) == (31, 30)


def test_warnings_are_counted_as_the_run_counts_them() -> None:
    judged = judge(
        body(entry(items=[item(result="ALARM"), item("b")]), entry(OTHER, result=False)),
        (TASK, OTHER),
    )
    made = outcome(judged.tasks, judged.run)
    assert made.warnings == judged.run.warnings == 1
    assert (made.ready, made.blocked) == ((TASK,), (OTHER,))


VERDICTS = st.sampled_from(list(Verdict))


@given(st.lists(VERDICTS, max_size=8), st.lists(VERDICTS, max_size=2), st.booleans())
def test_ready_and_blocked_are_all_tasks_and_ready_is_earned(
    verdicts: list[Verdict], about: list[Verdict], cut: bool
) -> None:
    tasks = [task(f"t{number}", own(verdict)) for number, verdict in enumerate(verdicts)]
    run = run_of(tasks, *map(about_run, about))
    made = outcome(tasks, run, interrupted_by="SIGINT" if cut else "")
    assert sorted(made.ready + made.blocked) == sorted(run.requested)
    assert not set(made.ready) & set(made.blocked)
    green = {one.task_id for one in tasks if one.verdict.green}
    assert set(made.ready) <= green
    if cut or any(not verdict.green for verdict in about):
        assert not made.ready
    else:
        assert set(made.ready) == green
