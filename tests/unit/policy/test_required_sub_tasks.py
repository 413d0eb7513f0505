"""A required item has to pass; its sub-tasks are judged by rules and statuses, as any other."""

from __future__ import annotations

import pytest

from precheck_gate.model.verdicts import FindingKind, Verdict
from tests.support.harness import body, entry, item, judge, policy

REQUIRED = "version: 1\nrequired_items: [a]\n"


@pytest.mark.parametrize(
    ("check_result", "by", "verdict", "decided"),
    [
        ("ALARM", REQUIRED, Verdict.PASSED_WITH_WARNINGS, "statuses.ALARM"),
        ("FAILED", REQUIRED, Verdict.BLOCKED, "statuses.FAILED"),
        (
            *("FAILED", f"{REQUIRED}rules: [{{match: {{item: a}}, effect: allow}}]\n"),
            *(Verdict.PASSED, "rules[0]"),
        ),
    ],
)
def test_a_sub_task_of_a_required_item_that_passed_is_not_required_itself(
    check_result: str, by: str, verdict: Verdict, decided: str
) -> None:
    sub = {"id": "s-1", "name": "orders", "check_result": check_result}
    judged = judge(body(entry(items=[item("a", failed_sub_jobs=[sub])])), by=policy(by))
    [finding] = [one for one in judged.findings if one.kind is FindingKind.SUB_TASK]
    assert (finding.verdict, judged.verdict) == (verdict, verdict)
    assert finding.decided_by.endswith(decided)


def test_the_trace_of_a_required_item_says_that_it_is_required() -> None:
    judged = judge(body(entry(items=[item("a", "ALARM")])), by=policy(REQUIRED))
    [finding] = [one for one in judged.findings if one.title == "a"]
    [step] = finding.trace
    assert step.startswith("policy.yaml:2 required_items[0]: required ")
