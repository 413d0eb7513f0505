"""Of every single value: it is inherited where an upper layer leaves it out, and covered else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.model.verdicts import Verdict
from precheck_gate.policy.loading import PolicyOptions, load_policy
from precheck_gate.policy.model import for_task
from tests.support.commands import write
from tests.support.harness import (
    OTHER,
    TASK,
    TODAY,
    body,
    entry,
    item,
    judge,
    policy,
)

if TYPE_CHECKING:
    from precheck_gate.policy.model import Policy

# Each value as the lower and as the upper layer has it, and where a policy keeps it.
VALUES: dict[str, tuple[str, str, Any, Any]] = {
    "limits.max_warnings": ("limits: {max_warnings: 1}", "limits: {max_warnings: 2}", 1, 2),
    "limits.max_warnings_per_task": (
        *("limits: {max_warnings_per_task: 1}", "limits: {max_warnings_per_task: 2}"),
        *(1, 2),
    ),
    "limits.min_passed_rate": (
        *("limits: {min_passed_rate: 10}", "limits: {min_passed_rate: 20}"),
        *(10, 20),
    ),
    "allow_empty": ("allow_empty: true", "allow_empty: false", True, False),
    "known_warnings": (
        *("baseline: {known_warnings: count}", "baseline: {known_warnings: allow}"),
        *("count", "allow"),
    ),
    "skipped": ("skipped: block", "skipped: allow", "block", "allow"),
}


def value(by: Policy, name: str) -> Any:
    found: Any = by
    for step in name.split("."):
        found = getattr(found, step)
    return found.effect.value if name == "skipped" else found.value


def layered(folder: Path, lower: str, upper: str) -> Policy:
    write(
        folder,
        base_yaml=f"version: 1\n{lower}\n",
        team_yaml=f"version: 1\nextends: base.yaml\n{upper}\n",
    )
    return load_policy(folder / "team.yaml", PolicyOptions(today=TODAY))


@pytest.mark.parametrize("name", VALUES)
def test_the_file_covers_what_it_extends(name: str, tmp_path: Path) -> None:
    lower, upper, _, wanted = VALUES[name]
    assert value(layered(tmp_path, lower, upper), name) == wanted


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("upper", ["description: x", "limits: {}"])
def test_what_a_file_leaves_out_is_inherited(name: str, upper: str, tmp_path: Path) -> None:
    lower, _, wanted, _ = VALUES[name]
    assert value(layered(tmp_path, lower, upper), name) == wanted


@pytest.mark.parametrize("name", VALUES)
def test_a_profile_covers_the_file(name: str) -> None:
    lower, upper, _, wanted = VALUES[name]
    by = policy(f"version: 1\n{lower}\nprofiles: {{p: {{{upper}}}}}\n", "p")
    assert value(by, name) == wanted


IN_A_TASK = [name for name in VALUES if name not in ("limits.max_warnings", "known_warnings")]


@pytest.mark.parametrize("name", IN_A_TASK)
def test_a_layer_of_a_task_covers_the_file_for_that_task_alone(name: str) -> None:
    lower, upper, wanted, in_task = VALUES[name]
    by = policy(f"version: 1\n{lower}\ntasks: {{{TASK}: {{{upper}}}}}\n")
    assert value(for_task(by, TASK), name) == in_task
    assert value(for_task(by, OTHER), name) == wanted


@pytest.mark.parametrize("name", VALUES)
def test_what_a_layer_of_a_task_leaves_out_is_inherited(name: str) -> None:
    lower, _, wanted, _ = VALUES[name]
    by = policy(f"version: 1\n{lower}\ntasks: {{{TASK}: {{statuses: {{ALARM: block}}}}}}\n")
    assert value(for_task(by, TASK), name) == wanted


def alarms(number: int) -> list[dict[str, Any]]:
    return [item(f"warns-{index}", "ALARM") for index in range(number)]


@pytest.mark.parametrize(
    "limit", ["max_warnings: 1", "max_warnings_per_task: 1", "min_passed_rate: 50"]
)
def test_a_limit_that_is_inherited_blocks(limit: str, tmp_path: Path) -> None:
    by = layered(tmp_path, f"limits: {{{limit}}}", "rules: []")
    assert judge(body(entry(items=alarms(2))), by=by).verdict is Verdict.BLOCKED


def test_skipped_of_a_task_holds_for_that_task_alone() -> None:
    by = policy(f"version: 1\nskipped: allow\ntasks: {{{TASK}: {{skipped: block}}}}\n")
    skipped = [item("a", "FAILED", is_skipped=True)]
    content = body(entry(TASK, items=skipped), entry(OTHER, items=skipped))
    judged = judge(content, [TASK, OTHER], by)
    assert [one.verdict for one in judged.tasks] == [Verdict.BLOCKED, Verdict.PASSED]


def test_the_bound_of_the_run_is_not_that_of_a_task_with_a_layer() -> None:
    by = policy(
        "version: 1\nlimits: {max_warnings: 3}\n"
        f"tasks: {{{TASK}: {{limits: {{max_warnings_per_task: 5}}}}}}\n"
    )
    assert for_task(by, TASK).limits.max_warnings == by.limits.max_warnings
    assert judge(body(entry(items=alarms(4))), by=by).verdict is Verdict.BLOCKED
    assert judge(body(entry(items=alarms(3))), by=by).verdict.green


def test_rules_of_a_task_come_first_and_those_of_a_later_layer_before_them() -> None:
    by = policy(
        "version: 1\nrules: [{match: {item: a}, effect: allow}]\ntasks:\n"
        f"  {TASK[:8]}*: {{rules: [{{match: {{item: a}}, effect: warn}}]}}\n"
        f"  {TASK}: {{rules: [{{match: {{item: a}}, effect: block}}]}}\n"
    )
    effects = [rule.decision.effect.value for rule in for_task(by, TASK).rules]
    assert effects == ["block", "warn", "allow"]


LISTS = {
    "required": ("required_items: [a]", ["base.yaml", "team.yaml"]),
    "never_waive": ("never_waive: {items: [a]}", ["base.yaml", "team.yaml"]),
    "rules": ("rules: [{match: {item: a}, effect: block}]", ["team.yaml", "base.yaml"]),
    "tasks": (f"tasks: {{{TASK}: {{skipped: block}}}}", ["base.yaml", "team.yaml"]),
}


@pytest.mark.parametrize("name", LISTS)
def test_of_lists_both_files_hold_and_their_order_is_known(name: str, tmp_path: Path) -> None:
    text, order = LISTS[name]
    found = getattr(layered(tmp_path, text, text), name)
    origins = (
        [str(part.skipped.origin) for _, part in found]
        if name == "tasks"
        else [str(getattr(part, "decision", part).origin) for part in found]
    )
    assert [Path(origin.split(":")[0]).name for origin in origins] == order


def test_of_two_waivers_that_apply_that_of_the_lower_file_waives(tmp_path: Path) -> None:
    waiver = "waivers: [{{id: {}, match: {{item: a}}, reason: r, owner: o, expires: 2026-07-01}}]"
    by = layered(tmp_path, waiver.format("W-BASE"), waiver.format("W-TEAM"))
    judged = judge(body(entry(items=[item("a", "FAILED")])), by=by)
    assert [one.waived_by for one in judged.findings if one.title == "a"] == ["W-BASE"]
