"""Layers on top of each other: what a file extends, the file, its profile, `tasks:`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from precheck_gate.errors import DocumentError, UsageError
from precheck_gate.model.snapshots import Status
from precheck_gate.model.verdicts import Effect, Verdict
from precheck_gate.policy.loading import PolicyOptions, load_policy
from precheck_gate.policy.model import Subject, decide
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
    from precheck_gate.policy.model import Decision, Policy

SUBJECT = Subject(TASK, "up", "a", "g", Status.ALARM, "")

BASE = """\
version: 1
statuses: {ALARM: block}
skipped: block
rules:
- {match: {item: a}, effect: block, reason: base}
required_items: [fromBase]
waivers:
- {id: W-BASE, match: {item: b}, reason: r, owner: o, expires: 2026-07-01}
limits: {max_warnings: 3, max_warnings_per_task: 2}
"""


def load(folder: Path, name: str = "team.yaml", **options: object) -> Policy:
    return load_policy(folder / name, PolicyOptions(today=TODAY, **options))  # type: ignore[arg-type]


def team(folder: Path, text: str) -> Policy:
    write(folder, base_yaml=BASE, team_yaml=f"version: 1\nextends: base.yaml\n{text}")
    return load(folder)


def place(decision: Decision) -> str:
    return f"{Path(decision.origin.file).name}:{decision.origin.path}"


def test_a_files_own_rules_come_before_those_of_what_it_extends(tmp_path: Path) -> None:
    by = team(tmp_path, "rules: [{match: {item: a*}, effect: allow}]\n")
    assert [place(rule.decision) for rule in by.rules] == [
        "team.yaml:rules[0]",
        "base.yaml:rules[0]",
    ]
    assert decide(by, SUBJECT).effect is Effect.ALLOW
    assert decide(by, SUBJECT._replace(item="x")).effect is Effect.BLOCK


def test_single_values_cover_and_what_is_left_out_shows_through(tmp_path: Path) -> None:
    by = team(tmp_path, "statuses: {unknown: warn}\nlimits: {max_warnings: 9}\n")
    assert place(by.statuses[Status.UNKNOWN]) == "team.yaml:statuses.unknown"
    assert place(by.statuses[Status.ALARM]) == "base.yaml:statuses.ALARM"
    assert place(by.skipped) == "base.yaml:skipped"
    assert str(by.statuses[Status.PASSED].origin).startswith("builtin:default:")
    assert by.limits.max_warnings is not None
    assert by.limits.max_warnings.value == 9
    assert by.limits.max_warnings_per_task is not None
    assert by.limits.max_warnings_per_task.value == 2


def test_a_limit_of_zero_covers_a_larger_one(tmp_path: Path) -> None:
    by = team(tmp_path, "limits: {max_warnings: 0}\n")
    assert by.limits.max_warnings is not None
    assert by.limits.max_warnings.value == 0


def test_allow_empty_false_covers_true(tmp_path: Path) -> None:
    write(
        tmp_path,
        base_yaml="version: 1\nallow_empty: true\n",
        team_yaml="version: 1\nextends: base.yaml\nallow_empty: false\n",
    )
    assert judge(body(entry(items=[])), by=load(tmp_path, "base.yaml")).code == 0
    assert judge(body(entry(items=[])), by=load(tmp_path)).code == 1


def test_requirements_and_waivers_add_up(tmp_path: Path) -> None:
    by = team(
        tmp_path,
        "required_items: [fromTeam]\nwaivers:\n"
        "- {id: W-TEAM, match: {item: c}, reason: r, owner: o, expires: 2026-07-01}\n",
    )
    assert [required.item for required in by.required] == ["fromBase", "fromTeam"]
    assert {waiver.id for waiver in by.waivers} == {"W-BASE", "W-TEAM"}


def test_a_waivers_id_twice_across_files_is_an_error_that_names_both(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        team(
            tmp_path,
            "waivers:\n"
            "- {id: W-BASE, match: {item: c}, reason: r, owner: o, expires: 2026-07-01}\n",
        )
    assert 'team.yaml:4:3: waivers[0]: duplicate waiver ID "W-BASE"' in caught.value.message
    assert "base.yaml:8 waivers[0]" in caught.value.message


def test_a_waivers_id_twice_in_one_file_is_an_error() -> None:
    one = "- {id: W-1, match: {item: c}, reason: r, owner: o, expires: 2026-07-01}\n"
    with pytest.raises(DocumentError, match='duplicate waiver ID "W-1"'):
        policy(f"version: 1\nwaivers:\n{one}{one}")


def test_a_file_that_extends_a_preset_has_its_statuses() -> None:
    strict = policy("version: 1\nextends: builtin:strict\n")
    assert strict.statuses[Status.ALARM].effect is Effect.BLOCK
    assert str(strict.statuses[Status.ALARM].origin) == "builtin:strict:6 statuses.ALARM"


def test_the_digest_changes_with_a_file_that_is_extended(tmp_path: Path) -> None:
    before = team(tmp_path, "").digest
    (tmp_path / "base.yaml").write_text(BASE.replace("max_warnings: 3", "max_warnings: 4"))
    assert load(tmp_path).digest != before
    assert load(tmp_path).digest == load(tmp_path).digest


def test_a_problem_in_what_is_extended_is_told_with_its_own_file(tmp_path: Path) -> None:
    write(
        tmp_path,
        base_yaml="version: 1\nrule: []\n",
        team_yaml="version: 1\nextends: base.yaml\n",
    )
    with pytest.raises(DocumentError, match=r"base\.yaml:2:1: rule: unknown key 'rule'"):
        load(tmp_path)


PROFILES = """\
version: 1
statuses: {ALARM: warn}
rules: [{match: {item: b}, effect: allow}]
profiles:
  staging: {statuses: {ALARM: allow}}
  production:
    description: nothing is accepted
    statuses: {ALARM: block}
    rules: [{match: {item: b}, effect: warn}]
    limits: {max_warnings: 0}
"""


@pytest.mark.parametrize(
    ("profile", "alarm", "rule"),
    [
        (None, Effect.WARN, Effect.ALLOW),
        ("staging", Effect.ALLOW, Effect.ALLOW),
        ("production", Effect.BLOCK, Effect.WARN),
    ],
)
def test_a_profile_lies_on_top(profile: str | None, alarm: Effect, rule: Effect) -> None:
    by = policy(PROFILES, profile)
    assert decide(by, SUBJECT).effect is alarm
    assert decide(by, SUBJECT._replace(item="b")).effect is rule


def test_a_profile_names_itself_and_changes_the_digest() -> None:
    plain, staging = policy(PROFILES), policy(PROFILES, "staging")
    assert (plain.name, staging.name) == ("policy.yaml", "policy.yaml (profile staging)")
    assert plain.digest != staging.digest


def test_an_unknown_profile_asks_whether_another_was_meant() -> None:
    with pytest.raises(UsageError, match="has no profile 'prodction'") as caught:
        policy(PROFILES, "prodction")
    assert caught.value.hint == "Did you mean 'production'?"
    with pytest.raises(UsageError) as caught:
        policy(PROFILES, "zzz")
    assert caught.value.hint == "Its profiles: staging, production."
    with pytest.raises(UsageError, match="has no profile"):
        load_policy(None, PolicyOptions("production"))


def test_a_profile_of_what_is_extended_can_be_chosen_and_lies_below_the_files_own(
    tmp_path: Path,
) -> None:
    write(
        tmp_path,
        base_yaml=PROFILES,
        team_yaml="version: 1\nextends: base.yaml\nrules: [{match: {item: a}, effect: allow}]\n"
        "profiles: {production: {statuses: {ALARM: warn}}}\n",
    )
    by = load(tmp_path, profile="production")
    assert by.statuses[Status.ALARM].effect is Effect.WARN
    assert decide(by, SUBJECT._replace(item="b")).effect is Effect.WARN
    assert decide(by, SUBJECT).effect is Effect.ALLOW
    assert load(tmp_path, profile="staging").statuses[Status.ALARM].effect is Effect.ALLOW


TASKS = f"""\
version: 1
limits: {{max_warnings: 5}}
tasks:
  "140b5236-*":
    statuses: {{ALARM: block}}
    rules: [{{match: {{item: b}}, effect: allow}}]
    required_items: [srcDbConnection]
    allow_empty: true
  {TASK}:
    statuses: {{ALARM: warn}}
"""


def test_tasks_layers_hold_for_the_tasks_that_they_name_the_later_on_top() -> None:
    by = policy(TASKS)
    neighbour = "140b5236-88ad-43c8-811c-0000000jb101"
    items = [item(), item("a", "ALARM"), item("b", "FAILED")]
    content = body(
        entry(TASK, items=items[:2]),
        entry(neighbour, items=items[:2]),
        entry(OTHER, items=items[:2]),
    )
    judged = judge(content, [TASK, neighbour, OTHER], by)
    assert [task.verdict for task in judged.tasks] == [
        Verdict.PASSED_WITH_WARNINGS,
        Verdict.BLOCKED,
        Verdict.PASSED_WITH_WARNINGS,
    ]


def test_tasks_layers_bring_their_requirements_and_allow_empty() -> None:
    by = policy(TASKS)
    judged = judge(
        body(entry(TASK, items=[item("x")]), entry(OTHER, items=[item("x")])), [TASK, OTHER], by
    )
    assert [task.verdict for task in judged.tasks] == [Verdict.BLOCKED, Verdict.PASSED]
    empty = policy(TASKS.replace("    required_items: [srcDbConnection]\n", ""))
    judged = judge(body(entry(TASK, items=[]), entry(OTHER, items=[])), [TASK, OTHER], empty)
    assert [task.verdict for task in judged.tasks] == [Verdict.PASSED, Verdict.BLOCKED]


def test_a_tasks_layer_has_no_waivers_of_its_own() -> None:
    with pytest.raises(DocumentError, match="unknown key 'waivers'"):
        policy("version: 1\ntasks: {'*': {waivers: []}}\n")
