"""What tasks add up to: each requested one once, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from precheck_gate.judgement.run import RunJudge, exit_code
from precheck_gate.model.snapshots import Observation, Trouble, TroubleKind
from precheck_gate.model.verdicts import Effect, RunVerdict, Verdict
from tests.support.harness import (
    DEFAULT,
    OTHER,
    TASK,
    TODAY,
    body,
    entry,
    item,
    judge,
    judge_observations,
)
from tests.support.harness import policy as policy_of

if TYPE_CHECKING:
    from precheck_gate.model.verdicts import TaskVerdict


def passed(*task_ids: str) -> list[TaskVerdict]:
    """Return verdicts of tasks that passed."""
    judged = judge(body(*map(entry, task_ids)), task_ids)
    assert {task.verdict for task in judged.tasks} == {Verdict.PASSED}
    return judged.tasks


def summed(requested: list[str], tasks: list[TaskVerdict]) -> RunVerdict:
    judging = RunJudge(requested, DEFAULT, TODAY)
    for task in tasks:
        judging.add(task)
    return judging.finish()


def test_a_task_that_nobody_asked_for_is_no_part_of_the_verdict() -> None:
    judging = RunJudge([TASK], DEFAULT, TODAY)
    with pytest.raises(ValueError, match="was not asked for"):
        judging.add(passed(OTHER)[0])


def test_no_task_counts_twice() -> None:
    judging = RunJudge([TASK, OTHER], DEFAULT, TODAY)
    [task] = passed(TASK)
    judging.add(task)
    with pytest.raises(ValueError, match="judged twice"):
        judging.add(task)


@pytest.mark.parametrize("judged", [[], [TASK]])
def test_a_requested_task_that_was_never_judged_is_an_error(judged: list[str]) -> None:
    run = summed([TASK, OTHER], passed(*judged) if judged else [])
    assert (run.verdict, exit_code(run.verdict)) == (Verdict.ERROR, 4)
    [finding] = run.findings
    missing = [task for task in sorted([TASK, OTHER]) if task not in judged]
    assert finding.message == (
        f"{len(missing)} requested tasks were not judged: {', '.join(missing)}"
    )


def test_no_task_at_all_is_an_error_that_says_so() -> None:
    run = summed([], [])
    assert run.verdict is Verdict.ERROR
    assert [finding.message for finding in run.findings] == ["no task was judged"]


def test_all_requested_tasks_add_up_without_a_finding_of_the_run() -> None:
    run = summed([TASK, OTHER], passed(TASK, OTHER))
    assert (run.verdict, run.findings, run.tasks) == (Verdict.PASSED, (), {Verdict.PASSED: 2})
    assert run.items == {Effect.ALLOW: 2}


def test_items_are_counted_by_effect_and_waived_ones_by_waiver() -> None:
    by = policy_of(
        "version: 1\nwaivers:\n"
        "- {id: W-1, match: {item: b}, reason: r, owner: o, expires: 2999-01-01}\n"
        "statuses: {ALARM: block}\n"
    )
    items = [item("a"), item("b", "ALARM"), item("c", "ALARM")]
    run = judge(body(entry(items=items), entry(OTHER, items=items)), [TASK, OTHER], by).run
    assert run.items == {Effect.ALLOW: 2, Effect.WARN: 2, Effect.BLOCK: 2}
    assert [(waiver.id, waiver.used) for waiver in run.waivers] == [("W-1", 2)]


def test_a_trouble_of_the_run_costs_the_green_of_all() -> None:
    run = judge_observations(
        [Observation(TASK, trouble=None)], [TASK], troubles=[Trouble(TroubleKind.SERVICE, "ill")]
    ).run
    assert run.verdict is Verdict.ERROR
    assert "ill" in [finding.message for finding in run.findings]
