"""A FAILED item that DRS lets pass is a contradiction, which a waiver lifts and a rule does not."""

from __future__ import annotations

from typing import Any

import pytest

from precheck_gate.model.verdicts import Verdict
from tests.support.harness import (
    Judged,
    body,
    entry,
    item,
    judge,
    policy,
)

WAIVER = "waivers: [{id: W-1, match: {item: a}, reason: r, owner: o, expires: 2026-07-01}]\n"
ALLOWS = "rules: [{match: {item: a}, effect: allow}]\n"


def judged(by: str, **more: Any) -> Judged:
    content = body(entry(items=[item("a", "FAILED", **more), item("b")]))
    return judge(content, by=policy(f"version: 1\n{by}"))


def waived(found: Judged) -> list[str]:
    return [one.waived_by for one in found.findings if one.title == "a"]


@pytest.mark.parametrize("effect", ["allow", "warn"])
def test_a_rule_that_softens_leaves_the_contradiction(effect: str) -> None:
    found = judged(f"rules: [{{match: {{item: a}}, effect: {effect}}}]\n")
    assert found.verdict is Verdict.BLOCKED
    assert found.says(
        "contradiction: DRS says that the task may start, but these items are FAILED: a"
    )


@pytest.mark.parametrize("rule", ["", ALLOWS])
def test_a_waiver_lifts_it_whatever_a_rule_says(rule: str) -> None:
    found = judged(rule + WAIVER)
    assert (found.verdict, waived(found)) == (Verdict.PASSED_WITH_WARNINGS, ["W-1"])
    assert not found.says("contradiction")


def test_an_item_that_was_skipped_in_drs_is_none_and_needs_no_waiver() -> None:
    found = judged(ALLOWS + WAIVER, is_skipped=True)
    assert (found.verdict, waived(found)) == (Verdict.PASSED, [""])


def test_a_sub_task_is_none_and_needs_no_waiver() -> None:
    sub = {"id": "s", "check_result": "FAILED"}
    content = body(entry(items=[item("a", "ALARM", failed_sub_jobs=[sub])]))
    found = judge(content, by=policy(f"version: 1\n{ALLOWS}{WAIVER}"))
    assert (found.verdict, waived(found)) == (Verdict.PASSED, ["", ""])


def test_nothing_is_traced_where_nothing_was_looked_at() -> None:
    found = judged(WAIVER)
    traces = {one.title: one.trace for one in found.findings}
    assert traces["b"] == ()
    assert [step.split(" ")[0] for step in traces["a"]] == ["builtin:default:7", "waiver"]
    assert [one.trace for one in judged("").findings if one.title == "a"] == [()]
