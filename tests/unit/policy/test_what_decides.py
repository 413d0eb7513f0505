"""What decides about an item that no rule matches, and what its trace says of that."""

from __future__ import annotations

import pytest

from precheck_gate.model.verdicts import FindingKind, Verdict
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

VERDICTS = {
    "allow": Verdict.PASSED,
    "warn": Verdict.PASSED_WITH_WARNINGS,
    "block": Verdict.BLOCKED,
}


def skipped(status: str, by: str) -> Judged:
    return judge(body(entry(items=[item("a", status, is_skipped=True)])), by=policy(by))


@pytest.mark.parametrize(
    ("of_skipped", "of_unknown", "holds"),
    [
        ("allow", "allow", "statuses.unknown"),
        ("allow", "warn", "statuses.unknown"),
        ("allow", "block", "statuses.unknown"),
        ("warn", "allow", "skipped"),
        ("warn", "warn", "statuses.unknown"),
        ("warn", "block", "statuses.unknown"),
        ("block", "allow", "skipped"),
        ("block", "warn", "skipped"),
        ("block", "block", "statuses.unknown"),
    ],
)
def test_of_skipped_and_an_undocumented_status_the_stricter_decides(
    of_skipped: str, of_unknown: str, holds: str
) -> None:
    by = f"version: 1\nskipped: {of_skipped}\nstatuses: {{unknown: {of_unknown}}}\n"
    judged = skipped("NEW", by)
    assert judged.verdict is VERDICTS[max(of_skipped, of_unknown, key=list(VERDICTS).index)]
    [finding] = [one for one in judged.findings if one.kind is FindingKind.ITEM]
    assert finding.decided_by.endswith(f" {holds}")


@pytest.mark.parametrize("status", ["ALARM", "FAILED"])
@pytest.mark.parametrize("effect", VERDICTS)
def test_of_a_documented_status_that_does_not_pass_skipped_decides(
    status: str, effect: str
) -> None:
    by = f"version: 1\nskipped: {effect}\nstatuses: {{ALARM: warn, FAILED: warn}}\n"
    assert skipped(status, by).verdict is VERDICTS[effect]


@pytest.mark.parametrize("effect", VERDICTS)
def test_an_item_that_is_absent_has_the_effect_of_an_undocumented_status(effect: str) -> None:
    by = policy(f"version: 1\nstatuses: {{unknown: {effect}}}\n")
    assert decide(by, Subject(TASK, "up", "a", "g", None, "")).effect.value == effect


def traced(by: str, status: str = "ALARM") -> tuple[str, ...]:
    judged = judge(body(entry(items=[item("a", status)])), by=policy(f"version: 1\n{by}"))
    [finding] = [one for one in judged.findings if one.kind is FindingKind.ITEM]
    return finding.trace


def test_where_rules_do_not_match_the_trace_ends_with_what_decided() -> None:
    rule = "rules: [{match: {item: z}, effect: allow}]\n"
    first, last = traced(f"statuses: {{ALARM: warn}}\n{rule}")
    assert first.startswith("policy.yaml:3 rules[0]: ")
    assert last.startswith("policy.yaml:2 statuses.ALARM: no rule matches, warn")


def test_where_a_waiver_does_not_match_the_trace_begins_with_what_blocks() -> None:
    waiver = "waivers: [{id: W, match: {item: z}, reason: r, owner: o, expires: 2026-07-01}]\n"
    blocks, waives = traced(f"statuses: {{ALARM: block}}\n{waiver}")
    assert blocks.startswith("policy.yaml:2 statuses.ALARM: no rule matches, block")
    assert waives.startswith("waiver W (policy.yaml:3 waivers[0]): ")
    assert traced(waiver) == ()


@pytest.mark.parametrize(
    ("match", "key"),
    [
        ("{item: z}", "item"),
        ("{group: z}", "group"),
        ("{status: FAILED}", "status"),
        ("{failed_reason: z}", "failed_reason"),
        ("{task: z}", "task"),
        ("{direction: z}", "direction"),
        ("{sub_task: z}", "sub_task"),
        ("{item: a, status: FAILED, group: z}", "status"),
    ],
)
def test_the_trace_names_what_keeps_a_waiver_from_matching(match: str, key: str) -> None:
    one = entry(items=[item("a", "ALARM")], job_direction="up")
    waiver = f"{{id: W, match: {match}, reason: r, owner: o, expires: 2026-07-01}}"
    by = policy(f"version: 1\nstatuses: {{ALARM: block}}\nwaivers: [{waiver}]\n")
    [finding] = [one for one in judge(body(one), by=by).findings if one.title == "a"]
    assert finding.trace[-1].startswith("waiver W (policy.yaml:3 waivers[0]): ")
    assert finding.trace[-1].endswith(f"({key})")
