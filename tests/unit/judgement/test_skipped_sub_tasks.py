"""What was skipped in DRS is the item: each of its sub-tasks is judged as itself."""

from __future__ import annotations

from typing import Any

import pytest

from precheck_gate.model.snapshots import Status
from precheck_gate.model.verdicts import Effect, FindingKind, Verdict
from precheck_gate.policy.model import Subject, decide
from tests.support.harness import (
    TASK,
    Judged,
    body,
    entry,
    item,
    judge,
    policy,
)


def skipped(status: str, check_result: Any, by: str = "version: 1\n") -> Judged:
    subs = [{"id": "s-1", "name": "orders", "check_result": check_result}]
    one = item("newCheck", status, is_skipped=True, failed_sub_jobs=subs)
    return judge(body(entry(items=[one])), by=policy(by))


@pytest.mark.parametrize("status", ["PASSED", "ALARM", "FAILED"])
@pytest.mark.parametrize(
    ("check_result", "preset"),
    [("FAILED", "default"), ("FAILED", "permissive"), ("NEW", "default"), (1, "default")],
)
def test_a_sub_task_that_fails_under_a_skipped_item_blocks(
    status: str, check_result: Any, preset: str
) -> None:
    judged = skipped(status, check_result, f"version: 1\nextends: builtin:{preset}\n")
    [finding] = [one for one in judged.findings if one.kind is FindingKind.SUB_TASK]
    assert finding.verdict is Verdict.BLOCKED
    assert "statuses." in finding.decided_by
    assert judged.verdict is Verdict.BLOCKED


def test_a_sub_task_that_passes_under_a_skipped_item_passes() -> None:
    assert skipped("PASSED", "PASSED").verdict is Verdict.PASSED
    assert skipped("PASSED", "ALARM").verdict is Verdict.PASSED_WITH_WARNINGS


def test_skipped_block_does_not_reach_a_sub_task_that_only_warns() -> None:
    by = "version: 1\nskipped: block\n"
    assert skipped("PASSED", "ALARM", by).verdict is Verdict.PASSED_WITH_WARNINGS


def test_the_explanation_of_a_sub_task_says_the_same() -> None:
    of_sub = Subject(TASK, "up", "a", "g", Status.FAILED, "", skipped=True, sub_task=("s-1", ""))
    by = policy("version: 1\nskipped: allow\n")
    assert decide(by, of_sub).effect is Effect.BLOCK
    assert decide(by, of_sub._replace(sub_task=())).effect is Effect.ALLOW
