"""`policy lint`: each warning where it belongs, and none where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from precheck_gate import catalog
from precheck_gate.documents.yaml_document import parse_document
from precheck_gate.policy.linting import KnownNames, LintKind, LintWarning, lint
from precheck_gate.policy.loading import PolicyFiles, PolicyOptions
from tests.support.commands import call, write_policy
from tests.support.harness import OTHER, TASK, TODAY

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

NAMES = KnownNames.of(catalog.load())
TAIL = "reason: r, owner: o, expires: 2026-12-01"
PURE = "DRS documents no complete list"


def linted(text: str, today: date = TODAY) -> list[LintWarning]:
    document = parse_document("version: 1\n" + text, "policy.yaml")
    return lint(PolicyFiles(document, PolicyOptions(None, today)), NAMES, today)


def kinds(text: str) -> list[str]:
    return [warning.kind.value for warning in linted(text)]


def rules(*lines: str) -> str:
    return "rules:\n" + "".join(f"- {{match: {{{line}}}, effect: block}}\n" for line in lines)


@pytest.mark.parametrize(
    "lines",
    [
        ["item: src*", "item: srcDbConnection"],
        ["item: '*'", "status: ALARM"],
        ["status: [ALARM, FAILED]", "status: ALARM, item: srcDbConnection"],
        ["item: [srcDbConnection, dst*]", "item: [dstDbConnection, srcDbConnection]"],
        ["group: db_*", "group: db_params, direction: up"],
        ["item: src*", "item: dst*", "item: srcDb*"],
        ["item: src*", "item: src*"],
    ],
)
def test_a_rule_behind_one_that_covers_it(lines: list[str]) -> None:
    [warning] = linted(rules(*lines))
    assert warning.kind is LintKind.SHADOWED
    assert warning.problem.path == f"rules[{len(lines) - 1}]"
    assert "has no effect: rules[0] in line 3 decides" in warning.problem.message
    assert "Put the narrower rule first" in warning.reason


@pytest.mark.parametrize(
    "lines",
    [
        ["item: srcDbConnection", "item: src*"],
        ["status: ALARM", "status: [ALARM, FAILED]"],
        ["item: srcDbConnection, status: ALARM", "item: srcDbConnection"],
        ["item: srcDbConnection, direction: up", "item: srcDbConnection, direction: down"],
        ["item: srcDb*", "item: [srcDbConnection, dstDbConnection]"],
        # Together they cover the third; that is not looked for.
        ["status: [PASSED, ALARM]", "status: [FAILED, unknown]", "status: [ALARM, FAILED]"],
    ],
)
def test_a_rule_that_may_decide_yet(lines: list[str]) -> None:
    assert kinds(rules(*lines)) == []


def test_a_profile_that_overrides_the_rules_below_it_is_what_profiles_are_for() -> None:
    wide = "profiles: {p: {rules: [{match: {item: src*}, effect: block}]}}\n"
    assert kinds(rules("item: srcDbConnection") + wide) == []


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{match: {item: srcDbConnection, status: FAILED}, effect: allow}", "FAILED into allow"),
        ("{match: {item: srcDbConnection}, effect: allow}", "add the status that you mean"),
        ("{match: {status: [ALARM, FAILED]}, effect: warn}", "FAILED into warn"),
    ],
)
def test_a_rule_that_turns_failed_into_less(rule: str, said: str) -> None:
    [warning] = linted(f"rules: [{rule}]\n")
    assert warning.kind is LintKind.FAILED_ALLOWED
    assert said in str(warning.problem)
    assert "a contradiction, which blocks unless a waiver allows it" in warning.reason


@pytest.mark.parametrize(
    "rule",
    [
        "{match: {item: srcDbConnection, status: ALARM}, effect: allow}",
        "{match: {item: srcDbConnection, status: [PASSED, unknown]}, effect: allow}",
        "{match: {item: srcDbConnection, status: FAILED}, effect: block}",
        "{match: {item: srcDbConnection}, effect: warn}",
    ],
)
def test_a_rule_that_leaves_failed_alone(rule: str) -> None:
    assert kinds(f"rules: [{rule}]\n") == []


def test_statuses_that_turn_failed_into_less() -> None:
    assert kinds("statuses: {FAILED: warn}\n") == ["failed-allowed"]
    assert kinds("profiles: {p: {statuses: {FAILED: allow}}}\n") == ["failed-allowed"]
    assert kinds("statuses: {FAILED: block, ALARM: allow}\n") == []


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        (rules("task: orders-*"), "rules[0].match.task", "'orders-*' cannot match a task ID"),
        (rules(f"task: [{TASK}, orders]"), "rules[0].match.task[1]", "'orders' cannot match"),
        (rules("direction: Up"), "rules[0].match.direction", "(did you mean 'up'?)"),
        (rules("direction: [up, in]"), "rules[0].match.direction[1]", "'in' matches no direction"),
        ("tasks: {orders: {skipped: warn}}\n", "tasks.orders", "'orders' cannot match a task ID"),
        (
            f"tasks: {{{TASK}: {{rules: [{{match: {{task: {OTHER}}}, effect: block}}]}}}}\n",
            f"tasks.{TASK}.rules[0].match.task",
            "this never matches: the enclosing key of tasks: is for other tasks",
        ),
        (
            "required_items: [{item: srcDbConnection, direction: inward}]\n",
            "required_items[0].direction",
            "'inward' matches no direction",
        ),
        (
            f"waivers: [{{id: W, match: {{sub_task: x, direction: u}}, {TAIL}}}]\n",
            "waivers[0].match.direction",
            "'u' matches no direction",
        ),
    ],
)
def test_what_can_never_match(text: str, path: str, said: str) -> None:
    [warning] = linted(text)
    assert (warning.kind, warning.problem.path) == (LintKind.NEVER_MATCHES, path)
    assert said in str(warning.problem)
    assert warning.problem.line > 1


@pytest.mark.parametrize(
    "text",
    [
        rules(f"task: {TASK}"),
        rules("task: ['140b5236-*', '*jb101']"),
        rules("direction: [up, down, non-*]"),
        "tasks: {140b*: {skipped: warn}}\n",
        f"tasks: {{140b*: {{rules: [{{match: {{task: {TASK}}}, effect: block}}]}}}}\n",
        "required_items: [{item: srcDbConnection, direction: up, task: '140b*'}]\n",
    ],
)
def test_what_can_match(text: str) -> None:
    assert kinds(text) == []


WAIVED = "item: srcDbBinlogIsOff"


def waiver(match: str = WAIVED, tail: str = TAIL, name: str = "W") -> str:
    return f"- {{id: {name}, match: {{{match}}}, {tail}}}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "waivers:\n" + waiver(tail="reason: r, owner: o, expires: 2026-06-14"),
            "waiver W expired on 2026-06-14",
        ),
        (
            "never_waive: {items: 'src*'}\nwaivers:\n" + waiver(),
            "never_waive covers all that it matches",
        ),
        (
            "never_waive: {groups: [network]}\nwaivers:\n" + waiver("group: network"),
            "never_waive covers all that it matches",
        ),
        (
            "waivers:\n" + waiver("item: src*", name="ALL") + waiver(),
            "waiver W has no effect: ALL in line 3 applies instead",
        ),
        ("waivers:\n" + waiver(f"{WAIVED}, status: ALARM"), "the policy blocks nothing"),
        ("waivers:\n" + waiver("status: PASSED"), "the policy blocks nothing"),
        (
            "rules: [{match: {item: 'src*'}, effect: warn}]\nwaivers:\n"
            + waiver(f"{WAIVED}, status: unknown"),
            "the policy blocks nothing that it matches",
        ),
        (
            "rules: [{match: {item: 'src*'}, effect: warn}]\nwaivers:\n"
            + waiver(f"{WAIVED}, sub_task: a"),
            "the policy blocks nothing that it matches",
        ),
    ],
)
def test_a_waiver_without_effect(text: str, said: str) -> None:
    found = [warning for warning in linted(text) if warning.kind is LintKind.NO_EFFECT]
    assert len(found) == 1
    assert said in found[0].problem.message
    assert found[0].reason


@pytest.mark.parametrize(
    "text",
    [
        "waivers:\n" + waiver(),
        "waivers:\n" + waiver(tail="reason: r, owner: o, expires: 2026-06-15"),
        "waivers:\n" + waiver("status: unknown"),
        "never_waive: {items: 'dst*'}\nwaivers:\n" + waiver(),
        "never_waive: {groups: network}\nwaivers:\n" + waiver(),
        "waivers:\n" + waiver(name="A") + waiver("item: src*"),
        # Of sub-tasks alone, while the second is for the item too.
        "waivers:\n" + waiver("item: src*, sub_task: '*'", name="A") + waiver(),
        # The first one ends before the second does.
        "waivers:\n"
        + waiver("item: src*", "reason: r, owner: o, expires: 2026-07-01", "A")
        + waiver(),
        "required_items: [srcDbBinlogIsOff]\nwaivers:\n" + waiver(f"{WAIVED}, status: ALARM"),
        "skipped: block\nwaivers:\n" + waiver(f"{WAIVED}, status: ALARM"),
        "profiles: {p: {statuses: {ALARM: block}}}\nwaivers:\n"
        + waiver(f"{WAIVED}, status: ALARM"),
        "tasks: {140b*: {statuses: {ALARM: block}}}\nwaivers:\n"
        + waiver(f"{WAIVED}, status: ALARM"),
        "profiles: {p: {never_waive: {items: '*'}}}\nwaivers:\n" + waiver(),
        f"rules: [{{match: {{{WAIVED}, direction: up}}, effect: warn}}]\nwaivers:\n"
        + waiver(f"{WAIVED}, status: unknown"),
        # A FAILED item that a rule allows contradicts DRS all the same.
        f"rules: [{{match: {{{WAIVED}}}, effect: warn}}]\nwaivers:\n" + waiver(),
    ],
)
def test_a_waiver_that_may_have_an_effect(text: str) -> None:
    assert LintKind.NO_EFFECT not in [warning.kind for warning in linted(text)]


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        (rules("item: srcDbConection"), "rules[0].match.item", "did you mean 'srcDbConnection'?"),
        (rules("item: [srcDbConnection, Zzz]"), "rules[0].match.item[1]", "has no item 'Zzz'"),
        (rules("item: SRCDB*"), "rules[0].match.item", "patterns are case-sensitive"),
        (rules("group: networks"), "rules[0].match.group", "did you mean 'network'?"),
        ("required_items: [srcDb]\n", "required_items[0]", "has no item 'srcDb'"),
        ("required_items: [{item: 'src*'}]\n", "required_items[0].item", "has no item 'src*'"),
        ("never_waive: {items: [nothing]}\n", "never_waive.items[0]", "has no item 'nothing'"),
        ("never_waive: {groups: net}\n", "never_waive.groups", "has no group 'net'"),
        ("waivers:\n" + waiver("item: Zzz*"), "waivers[0].match.item", "'Zzz*' matches no item"),
    ],
)
def test_a_name_that_the_catalogue_does_not_know(text: str, path: str, said: str) -> None:
    [warning] = linted(text)
    assert (warning.kind, warning.problem.path) == (LintKind.UNKNOWN_NAME, path)
    assert said in str(warning.problem)
    assert warning.reason.startswith(PURE) or "exact name" in warning.reason


def test_the_names_of_the_catalogue_are_known() -> None:
    assert len(NAMES.items) >= 77
    assert kinds(rules(f"item: [{', '.join(NAMES.items)}]")) == []
    assert kinds(rules(f"group: [{', '.join(NAMES.groups)}]")) == []


def test_the_presets_and_a_file_that_says_nothing_have_no_warning() -> None:
    for preset in ("strict", "default", "permissive"):
        assert kinds(f"extends: builtin:{preset}\n") == []


def test_the_command_prints_place_line_and_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write_policy(tmp_path, "version: 1\nrules: [{match: {item: srcDbConection}, effect: block}]\n")
    done = call(capsys, "policy", "lint", "policy.yaml")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].startswith("policy.yaml:2:24: rules[0].match.item: the catalogue has no")
    assert lines[1].startswith("    why: DRS documents no complete list")
    assert lines[-1] == "policy.yaml: 1 warning"


def test_the_kind_of_a_warning_is_never_broken(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = write_policy(tmp_path, "version: 1\nwaivers:\n" + waiver("status: PASSED"))
    done = call(capsys, "policy", "lint", path, "--now", "2026-06-15")
    assert "[no-effect]" in done.out


def test_strict_makes_errors_of_warnings(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bad = write_policy(tmp_path, "version: 1\nstatuses: {FAILED: allow}\n")
    good = write_policy(tmp_path, "version: 1\n", "good.yaml")
    assert call(capsys, "policy", "lint", bad).code == 0
    assert call(capsys, "policy", "lint", bad, "--strict").code == 2
    done = call(capsys, "policy", "lint", good, "--strict")
    assert (done.code, done.out) == (0, f"{good}: no warnings\n")


def test_the_day_is_that_of_now(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = write_policy(tmp_path, "version: 1\nwaivers:\n" + waiver())
    assert call(capsys, "policy", "lint", path, "--strict", "--now", "2026-12-01").code == 0
    done = call(capsys, "policy", "lint", path, "--strict", "--now", "2026-12-02")
    assert (done.code, "expired on 2026-12-01" in done.out) == (2, True)


def test_what_is_no_policy_is_an_error_and_no_warning(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    done = call(capsys, "policy", "lint", write_policy(tmp_path, "version: 2\n"))
    assert (done.code, done.out) == (2, "")
    assert "version: 2 must be 1" in done.err


def test_a_profile_of_an_extended_file_counts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    # Under the profile of the lower file the ALARM blocks, and the waiver has something to waive.
    text = "version: 1\nprofiles: {p: {statuses: {ALARM: block}}}\n"
    write_policy(tmp_path, text, "base.yaml")
    text = "version: 1\nextends: ./base.yaml\nwaivers:\n" + waiver("status: ALARM")
    done = call(
        capsys, "policy", "lint", write_policy(tmp_path, text), "--now", "2026-06-15", "--strict"
    )
    assert (done.code, done.err) == (0, "")
