"""The findings about the run itself: each is named after what it is about, and says what of."""

from __future__ import annotations

import pytest

from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.judgement.run import RunJudge
from precheck_gate.model.snapshots import Observation, Snapshot, Trouble, TroubleKind
from precheck_gate.model.verdicts import FindingKind, Verdict
from tests.support.harness import (
    DEFAULT,
    TASK,
    TODAY,
    body,
    entry,
    item,
    judge,
    judge_observations,
    task_id,
)
from tests.support.harness import policy as policy_of

WAIVER = "{id: W-1, match: {item: z}, reason: r, owner: o, expires: 2026-07-01}"


@pytest.mark.parametrize(
    "kind",
    [
        *("not_answered", "task_error", "contradictory", "malformed"),
        *("service", "stale", "outdated", "unfinished"),
    ],
)
def test_a_trouble_is_named_by_its_kind_whether_of_the_run_or_of_a_task(kind: str) -> None:
    trouble = Trouble(TroubleKind(kind), "it went wrong", "X.1", "do this")
    snapshot = parse_answer(body(entry())).entries[TASK]
    assert isinstance(snapshot, Snapshot)
    [finding] = judge_observations(
        [Observation(TASK, snapshot)], [TASK], troubles=[trouble]
    ).run.findings
    assert (finding.kind, finding.title) == (FindingKind.RUN, kind)
    assert (finding.message, finding.code, finding.next_step) == ("it went wrong", "X.1", "do this")
    [of_task] = judge_observations([Observation(TASK, trouble=trouble)], [TASK]).tasks
    assert of_task.findings[0].decided_by == f"gate: {kind.replace('_', ' ')}"


def test_what_stands_against_a_run_is_named_by_its_sort() -> None:
    nothing = RunJudge([], DEFAULT, TODAY).finish()
    assert [finding.title for finding in nothing.findings] == ["judged"]
    by = policy_of(f"version: 1\nlimits: {{max_warnings: 0}}\nwaivers: [{WAIVER}]\n")
    run = judge(body(entry(items=[item("a", "ALARM")])), by=by, strict_waivers=True).run
    assert [finding.title for finding in run.findings] == ["limits.max_warnings", "waivers"]


def test_waivers_are_strict_only_where_that_is_asked_for() -> None:
    by = policy_of(f"version: 1\nwaivers: [{WAIVER}]\n")
    tasks = judge(body(entry()), by=by).tasks
    for strict, verdict in (({}, Verdict.PASSED), ({"strict_waivers": True}, Verdict.BLOCKED)):
        judging = RunJudge([TASK], by, TODAY, **strict)
        judging.add(tasks[0])
        assert judging.finish().verdict is verdict


@pytest.mark.parametrize(("number", "named"), [(1, 1), (3, 3), (4, 3), (9, 3)])
def test_of_tasks_that_were_not_judged_the_first_are_named_and_all_counted(
    number: int, named: int
) -> None:
    ids = [task_id(index) for index in range(number)]
    [finding] = RunJudge(ids, DEFAULT, TODAY).finish().findings
    assert finding.message.startswith(f"{number} ")
    assert [one in finding.message for one in ids] == [index < named for index in range(number)]


def test_a_run_counts_the_findings_of_items_and_not_those_of_tasks() -> None:
    run = judge(body(entry(items=[item("a", "ALARM"), item("b")]))).run
    assert sum(run.items.values()) == 2
    assert run.warnings == 1
    assert judge(body(entry())).run.warnings == 0
