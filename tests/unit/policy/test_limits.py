"""Limits, requirements, what was skipped in DRS, and what is left out of reports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.errors import DocumentError
from precheck_gate.model.verdicts import Verdict
from precheck_gate.policy.loading import PRESETS
from tests.support.commands import evaluate, write
from tests.support.harness import (
    OTHER,
    TASK,
    Judged,
    body,
    entry,
    item,
    judge,
    policy,
    task_id,
)

if TYPE_CHECKING:
    from pathlib import Path


def alarms(number: int) -> list[dict[str, Any]]:
    return [item(f"warns-{index}", "ALARM") for index in range(number)]


@pytest.mark.parametrize(("warnings", "blocked"), [(0, False), (3, False), (4, True)])
def test_max_warnings_per_task(warnings: int, blocked: bool) -> None:
    by = policy("version: 1\nlimits: {max_warnings_per_task: 3}\n")
    judged = judge(body(entry(items=[item(), *alarms(warnings)])), by=by)
    assert (judged.verdict is Verdict.BLOCKED) is blocked
    assert judged.says("4 warnings exceed the limit of 3 per task") is blocked


@pytest.mark.parametrize("names", ["max_warnings", "max_warnings_per_task"])
def test_a_limit_of_zero_lets_no_warning_pass(names: str) -> None:
    by = policy(f"version: 1\nlimits: {{{names}: 0}}\n")
    assert judge(body(entry(items=alarms(1))), by=by).verdict is Verdict.BLOCKED
    assert judge(body(entry()), by=by).verdict is Verdict.PASSED


def test_max_warnings_counts_over_all_tasks_and_blocks_the_run_and_no_task() -> None:
    by = policy("version: 1\nlimits: {max_warnings: 3}\n")
    ids = [task_id(number) for number in range(4)]
    judged = judge(body(*(entry(one, items=alarms(1)) for one in ids)), ids, by)
    assert {task.verdict for task in judged.tasks} == {Verdict.PASSED_WITH_WARNINGS}
    assert judged.verdict is Verdict.BLOCKED
    [finding] = judged.run.findings
    assert (finding.title, finding.decided_by) == (
        "limits.max_warnings",
        "policy.yaml:2 limits.max_warnings",
    )
    assert judge(body(*(entry(one, items=alarms(1)) for one in ids[:3])), ids[:3], by).verdict.green


def test_a_waived_block_counts_as_a_warning() -> None:
    by = policy(
        "version: 1\nextends: builtin:strict\nlimits: {max_warnings: 1}\nwaivers:\n"
        "- {id: W-1, match: {item: 'warns-*'}, reason: r, owner: o, expires: 2026-07-01}\n"
    )
    assert judge(body(entry(items=alarms(1))), by=by).verdict is Verdict.PASSED_WITH_WARNINGS
    assert judge(body(entry(items=alarms(2))), by=by).verdict is Verdict.BLOCKED


def test_max_warnings_of_one_task_alone_is_per_task() -> None:
    text = (
        "version: 1\nlimits: {max_warnings_per_task: 1}\ntasks:\n"
        f"  {OTHER}: {{limits: {{max_warnings_per_task: 3}}}}\n"
    )
    content = body(entry(items=alarms(2)), entry(OTHER, items=alarms(2)))
    judged = judge(content, [TASK, OTHER], policy(text))
    assert [task.verdict.green for task in judged.tasks] == [False, True]


def rated(passed: int, of: int, said: Any = None, bound: str = "95") -> Judged:
    items = [item(f"i{n}", "PASSED" if n < passed else "ALARM") for n in range(of)]
    more = {} if said is None else {"total_passed_rate": said}
    by = policy(f"version: 1\nlimits: {{min_passed_rate: {bound}}}\n")
    return judge(body(entry(items=items, **more)), by=by)


@pytest.mark.parametrize(
    ("passed", "of", "bound", "green"),
    [
        (95, 100, "95", True),
        (94, 100, "95", False),
        (19, 20, "95", True),
        (18, 20, "95", False),
        (2, 3, "66.6", True),
        (2, 3, "66.7", False),
        (0, 1, "0", True),
        (10, 10, "100", True),
        (9, 10, "100", False),
    ],
)
def test_the_share_of_passed_items_is_our_own_count(
    passed: int, of: int, bound: str, green: bool
) -> None:
    judged = rated(passed, of, bound=bound)
    assert judged.verdict.green is green
    assert judged.says(f"{passed} of {of} items are PASSED, less than") is not green


@pytest.mark.parametrize(
    ("said", "green"),
    [
        ("95%", True),
        ("95", True),
        ("95.0 %", True),
        ("100%", True),
        ("94.99%", False),
        ("0%", False),
        ("much", False),
        ("NaN", False),
        ("Infinity", False),
        ("٩٩%", False),
        ("%", False),
    ],
)
def test_the_services_own_rate_is_checked_apart(said: str, green: bool) -> None:
    judged = rated(100, 100, said)
    assert judged.verdict.green is green
    if not green:
        [message] = judged.blocking()
        assert "total_passed_rate" in message


def test_neither_rate_makes_up_for_the_other() -> None:
    assert not rated(94, 100, "100%").verdict.green
    assert not rated(100, 100, "94%").verdict.green
    assert rated(100, 100, "").verdict.green


def test_a_rate_is_no_matter_before_the_end() -> None:
    by = policy("version: 1\nlimits: {min_passed_rate: 95}\n")
    judged = judge(body(entry(process="50%", items=alarms(3))), by=by)
    assert judged.verdict is Verdict.INCOMPLETE


REQUIRED = """\
version: 1
required_items:
- everywhere
- {item: upOnly, direction: up}
- {item: someTasks, task: [140b5236-*]}
- {item: both, task: 140b5236-*, direction: [up, non-dbs]}
"""


@pytest.mark.parametrize(
    ("task", "direction", "missing"),
    [
        (TASK, "up", {"everywhere", "upOnly", "someTasks", "both"}),
        (TASK, "down", {"everywhere", "someTasks"}),
        (TASK, "non-dbs", {"everywhere", "someTasks", "both"}),
        (OTHER, "up", {"everywhere", "upOnly"}),
        (OTHER, "", {"everywhere", "upOnly"}),
    ],
)
def test_items_are_required_where_task_and_direction_match(
    task: str, direction: str, missing: set[str]
) -> None:
    judged = judge(body(entry(task, job_direction=direction)), [task], policy(REQUIRED))
    found = {one.title for one in judged.findings if "is required but was not" in one.message}
    assert found == missing
    items = [item(name) for name in missing]
    judged = judge(
        body(entry(task, job_direction=direction, items=items)), [task], policy(REQUIRED)
    )
    assert judged.verdict is Verdict.PASSED


def test_an_item_that_is_not_required_here_is_judged_as_any_other() -> None:
    items = [item("everywhere"), item("upOnly", "ALARM")]
    content = body(entry(OTHER, job_direction="down", items=items))
    assert judge(content, [OTHER], policy(REQUIRED)).verdict is Verdict.PASSED_WITH_WARNINGS


def test_a_rule_never_softens_a_requirement() -> None:
    text = "version: 1\nrules: [{match: {item: '*'}, effect: allow}]\nrequired_items: [a]\n"
    assert (
        judge(body(entry(items=[item("a", "ALARM")])), by=policy(text)).verdict is Verdict.BLOCKED
    )


SKIPPED = body(entry(items=[item("a", "FAILED", is_skipped=True), item("b")]))


@pytest.mark.parametrize(
    ("preset", "verdict"),
    [
        ("strict", Verdict.BLOCKED),
        ("default", Verdict.PASSED_WITH_WARNINGS),
        ("permissive", Verdict.PASSED),
    ],
)
def test_what_was_skipped_in_drs_is_judged_by_the_preset(preset: str, verdict: Verdict) -> None:
    assert preset in PRESETS
    judged = judge(SKIPPED, by=policy(f"version: 1\nextends: builtin:{preset}\n"))
    assert judged.verdict is verdict
    assert judged.says("a is FAILED, and was skipped in DRS")


def test_skipped_can_be_said_and_a_rule_goes_before_it() -> None:
    assert judge(SKIPPED, by=policy("version: 1\nskipped: block\n")).verdict is Verdict.BLOCKED
    rule = "version: 1\nskipped: block\nrules: [{match: {item: a}, effect: allow}]\n"
    assert judge(SKIPPED, by=policy(rule)).verdict is Verdict.PASSED


def test_a_required_item_that_was_skipped_blocks() -> None:
    text = "version: 1\nskipped: allow\nrequired_items: [a]\n"
    assert judge(SKIPPED, by=policy(text)).verdict is Verdict.BLOCKED


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (None, Verdict.BLOCKED),
        (False, Verdict.BLOCKED),
        ("true", Verdict.ERROR),
        (1, Verdict.ERROR),
    ],
)
def test_only_the_json_value_true_says_that_it_was_skipped(said: Any, verdict: Verdict) -> None:
    content = body(entry(items=[item("a", "FAILED", is_skipped=said)]))
    assert judge(content, by=policy("version: 1\nskipped: allow\n")).verdict is verdict


def test_a_skipped_item_that_is_passed_is_passed() -> None:
    content = body(entry(items=[item("a", "PASSED", is_skipped=True)]))
    assert judge(content, by=policy("version: 1\nskipped: block\n")).verdict is Verdict.PASSED


SECRET = {"data": '{"colls": "shop.customers"}', "failed_reason": "WHY", "raw_error_msg": "denied"}


@pytest.mark.parametrize(
    ("redact", "shown", "hidden"),
    [
        (None, ["shop.customers", "WHY", "denied"], []),
        ("data", ["WHY", "denied"], ["shop.customers"]),
        ("reasons", ["shop.customers"], ["WHY", "denied"]),
        ("all", [], ["shop.customers", "WHY", "denied"]),
    ],
)
def test_redact_leaves_out_of_everything_and_rules_match_all_the_same(
    redact: str | None, shown: list[str], hidden: list[str], tmp_path: Path
) -> None:
    write(
        tmp_path,
        policy_yaml="version: 1\nextends: builtin:strict\n"
        "rules: [{match: {failed_reason: WHY}, effect: warn}]\n",
    )
    junit = tmp_path / "junit.xml"
    arguments = ["--redact", redact] if redact else []
    output, report = evaluate(
        tmp_path,
        body(entry(items=[item("a", "ALARM", **SECRET)])),
        *("--policy", tmp_path / "policy.yaml", "--junit", junit, "--verbose"),
        *arguments,
    )
    assert report["verdict"] == "passed_with_warnings"
    for text in (output.out + output.err, json.dumps(report), junit.read_text()):
        assert not [word for word in hidden if word in text]
        assert not [word for word in shown if word not in text]


@pytest.mark.parametrize(
    "limits",
    ["max_warnings: -1", "min_passed_rate: 101", "max_warnings_per_task: 1.5", "max_warning: 1"],
)
def test_limits_that_cannot_be_are_refused(limits: str) -> None:
    with pytest.raises(DocumentError, match="limits"):
        policy(f"version: 1\nlimits: {{{limits}}}\n")
