"""`policy test`: the files, the cases, the differences, the coverage, and the exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from precheck_gate.errors import DocumentError
from precheck_gate.policy_tests.case_files import PolicyCase, read_case_file
from tests.support.commands import HEAD, POLICY, case, evaluate, policy_test, run, write
from tests.support.harness import OTHER, TASK, body, entry, item


def read(tmp_path: Path, text: str) -> list[PolicyCase]:
    (tmp_path / "x.test.yaml").write_text(text)
    return read_case_file(tmp_path / "x.test.yaml")


@pytest.mark.parametrize(
    ("given", "expect"),
    [
        ("items: {a: PASSED}", "verdict: passed, exit_code: 0, exactly: true"),
        ("items: {a: ALARM}", "verdict: passed_with_warnings, exit_code: 0"),
        ("items: {c: ALARM}", "verdict: blocked, exit_code: 1"),
        ("items: {c: ALARM}\n  profile: staging", "verdict: passed_with_warnings"),
        ("tasks: [{progress: 50%, items: {a: PASSED}}]", "verdict: incomplete, exit_code: 3"),
        ("tasks: [{progress: 99.5, items: {a: PASSED}}]", "verdict: incomplete"),
        ("tasks: [{result: 'true', items: {a: PASSED}}]", "verdict: blocked"),
        ("tasks: [{id: one, items: {a: PASSED}}]\n  requested: [one, two]", "exit_code: 4"),
        (
            "tasks: [{id: one, items: {a: PASSED}}, {id: two, result: false}]\n  requested: [one]",
            "verdict: passed",
        ),
        (
            "tasks: [{id: wave, repeat: 3, items: {d: ALARM}}, {items: {d: ALARM}}]",
            "tasks: {wave-1: passed, 'wave-*': passed, task-2: blocked}",
        ),
        ("items: {a: ALARM}", "findings: [{item: a, effect: warn, reason: agreed}]"),
        ("items: {a: ALARM}", "findings: [{title: '?', decided_by: 'rules[[]0]'}]"),
        ("items: {a: ALARM}", "findings: [{decided_by: 'rules[0]'}]"),
        ("items: {a: ALARM}", "findings: [{decided_by: 'policy.yaml:4 rules[0]'}]"),
        ("items: {a: ALARM}", "findings: [{decided_by: '*/policy.yaml:4 rules*'}]"),
        ("items: {a: ALARM}", "findings: [{item: [x, a], verdict: passed_with_warnings}]"),
        ("items: {a: PASSED}", "findings: [{effect: [warn], count: 0}]"),
        ("items: {b: ALARM}", "findings: [{waived_by: W-1}], waivers: {W-1: used, W-2: unused}"),
        ("items: {b: ALARM}\n  now: 2026-07-02", "verdict: blocked, waivers: {W-1: expired}"),
        (
            "items: {a: ALARM}\n  strict_waivers: true",
            "verdict: blocked, tasks: {'*': passed_with_warnings}",
        ),
        ("items: {a: NEW, c: ALARM}", "findings: [{status: NEW}, {status: ALARM}], exactly: true"),
        ("items: {c: ALARM}\n  policy: builtin:default", "verdict: passed_with_warnings"),
        ("items: {c: ALARM}\n  policy: {version: 1, statuses: {ALARM: allow}}", "verdict: passed"),
        (
            "items: {a: ALARM}\n  baseline: {tasks: [{items: {a: ALARM}}]}",
            "findings: [{item: a, known: true, count: 1}]",
        ),
        (
            "items: {a: ALARM}\n  baseline: {tasks: [{items: {a: PASSED}}]}",
            "findings: [{item: a, known: false, count: 1}]",
        ),
        ("policy: nowhere.yaml", "error: '*nowhere.yaml cannot be read*'"),
        ("items: {a: PASSED}\n  profile: stging", "error: [x, '*Did you mean*staging*']"),
    ],
)
def test_a_case_that_holds(given: str, expect: str, tmp_path: Path) -> None:
    expect = expect.replace("effect: [warn]", "effect: warn")
    output = run(tmp_path, case(given, expect))
    assert output.code == 0, output.out
    assert "1 case: 1 passed" in output.out


@pytest.mark.parametrize(
    ("given", "expect", "said"),
    [
        (
            "items: {c: ALARM}",
            "verdict: passed",
            ["expect.verdict (line 7)", "- passed", "+ blocked"],
        ),
        ("items: {c: ALARM}", "exit_code: 0", ["expect.exit_code", "- 0", "+ 1"]),
        (
            "items: {c: ALARM}",
            "verdict: passed",
            ["+ task-1: block: c is ALARM; decided by builtin:strict:6 statuses.ALARM"],
        ),
        ("items: {c: ALARM}", "tasks: {'*': passed}", ["- passed", "+ blocked (task-1)"]),
        (
            "tasks: [{id: x, repeat: 3, items: {c: ALARM}}]",
            "tasks: {'x-*': passed}",
            ["+ blocked (x-1 and 2 more)"],
        ),
        ("items: {a: PASSED}", "tasks: {other: passed}", ["- a task other", "+ tasks: task-1"]),
        (
            "items: {a: ALARM}",
            "findings: [{item: a, effect: block}]",
            ["expect.findings[0]", "- item a, effect block", "+ the finding has effect warn"],
        ),
        (
            "items: {a: ALARM}",
            "findings: [{item: zzz}]",
            ["no such finding; the closest has item"],
        ),
        (
            "items: {a: ALARM}",
            "findings: [{item: a, waived_by: W-1}]",
            ["+ the finding has waived_by (none)"],
        ),
        ("items: {a: ALARM}", "findings: [{item: a, count: 2}]", ["+ 1 matching findings"]),
        ("items: {a: ALARM}", "findings: [{item: a, count: 0}]", ["+ 1 matching findings"]),
        ("items: {a: ALARM}", "findings: [{known: true}]", ["- known true", "has known false"]),
        (
            "items: {a: ALARM, b: PASSED}",
            "exactly: true",
            ["no other finding warns or blocks", "+ task-1: warn: a is ALARM"],
        ),
        ("items: {a: ALARM}", "waivers: {W-1: used}", ["- used", "+ unused"]),
        (
            "items: {a: ALARM}",
            "waivers: {W-9: used}",
            ["+ no such waiver; the waivers are: W-2, W-1"],
        ),
        ("items: {a: ALARM}", "error: '*'", ["- policy error", "+ no error"]),
        ("policy: nowhere.yaml", "error: 'other'", ["- other", "nowhere.yaml cannot be read"]),
    ],
)
def test_a_case_that_does_not_hold_shows_the_difference(
    given: str, expect: str, said: list[str], tmp_path: Path
) -> None:
    output = run(tmp_path, case(given, expect))
    assert output.code == 1, output.out
    assert "1 case: 1 failed" in output.out
    if "no such waiver" in said[0]:
        assert "no such waiver; the waivers are: W-" in output.out
        return
    for text in said:
        assert text in output.out


def test_what_speaks_for_a_verdict_is_told_beside_it(tmp_path: Path) -> None:
    output = run(tmp_path, case("items: {c: ALARM, a: ALARM}", "verdict: passed"))
    assert "c is ALARM" in output.out
    assert "a is ALARM" not in output.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cases: []\n", "missing key 'version'"),
        ("version: 1\ncases: []\n", "x.test.yaml:2:8: cases: [] must not be empty"),
        (
            HEAD + "- {name: it, expect: {}}\n",
            "x.test.yaml:5:22: cases[0].expect: {} must not be empty",
        ),
        (
            HEAD + case("item: {}", "verdict: passed"),
            "unknown key 'item' (did you mean 'items'?)",
        ),
        (HEAD + case("items: {a: PASSED}", "verdict: pass"), "(did you mean 'passed'?)"),
        (
            HEAD + case("items: {a: PASSED}", "findings: [{efect: warn}]"),
            "(did you mean 'effect'?)",
        ),
        (
            HEAD + case("profile: x", "verdict: passed"),
            "the case needs one of answers, tasks, items (it has none of them)",
        ),
        (
            HEAD + case("items: {a: PASSED}\n  tasks: [{}]", "verdict: passed"),
            "the case needs one of answers, tasks, items (it has tasks and items)",
        ),
        (
            HEAD + case("items: {a: PASSED}", "verdict: passed") * 2,
            "x.test.yaml:8:9: cases[1].name: duplicate name 'it' (first in line 5)",
        ),
        (
            HEAD + case("tasks: [{id: x}, {id: x}]", "verdict: passed"),
            "cases[0].tasks[1]: duplicate task 'x'",
        ),
        (
            HEAD + case("tasks: [{id: x, repeat: 2}, {id: x-2}]", "verdict: passed"),
            "duplicate task 'x-2'",
        ),
        (
            HEAD + case("now: 2026-02-30\n  items: {}", "verdict: passed"),
            "2026-02-30 is not a date",
        ),
        ("version: 1\ncases:\n" + case("items: {}", "verdict: passed"), "the case has no policy"),
        (HEAD + case("tasks: [{progress: 101%}]", "verdict: passed"), "has an invalid format"),
        (HEAD + case("tasks: [{progress: 100.5}]", "verdict: passed"), "must be at most 100"),
        (HEAD + case("policy: https://x/y", "verdict: passed"), "(no URL)"),
        (
            HEAD + case("items: {}", "error: x, verdict: passed"),
            "error excludes all other expectations",
        ),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_why(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, policy_yaml=POLICY)
    with pytest.raises(DocumentError) as caught:
        read(Path(), text)
    assert said in caught.value.message
    output = policy_test("x.test.yaml")
    assert (output.code, "cannot be run" in output.out or "cannot be used" in output.out) == (
        2,
        True,
    )
    assert said in output.out


def test_every_problem_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    text = HEAD + case("now: 2026-02-30\n  profile: x", "verdict: passed") * 2
    with pytest.raises(DocumentError) as caught:
        read(tmp_path, text)
    assert len(caught.value.problems) == 5


def test_a_case_whose_policy_cannot_be_used_is_unusable_and_the_others_are_run(
    tmp_path: Path,
) -> None:
    cases = (
        case("items: {a: PASSED}\n  policy: {version: 1, rule: []}", "verdict: passed", "broken")
        + case("items: {a: PASSED}\n  policy: nowhere.yaml", "verdict: passed", "away")
        + case("answers: nowhere.json", "verdict: passed", "no answer")
        + case("items: {a: PASSED}\n  baseline: nowhere.json", "verdict: passed", "no baseline")
        + case("items: {a: PASSED}\n  policy: builtin:strict\n  profile: x", "verdict: passed", "p")
        + case("items: {a: PASSED}", "verdict: passed", "good")
    )
    output = run(tmp_path, cases)
    assert output.code == 2
    assert "6 cases: 1 passed, 5 unusable" in output.out
    # The place is that in the case file, where the inline policy stands.
    assert "x.test.yaml:7:24: rule: unknown key 'rule'" in output.out


def test_waivers_need_a_day_so_that_no_test_changes_with_the_calendar(tmp_path: Path) -> None:
    head = HEAD.replace("now: 2026-06-15\n", "")
    output = run(tmp_path, case("items: {a: PASSED}", "verdict: passed"), head=head)
    assert output.code == 2
    assert "has waivers, so the verdict depends on the date" in output.out
    assert (
        run(
            tmp_path, case("now: 2026-06-15\n  items: {a: PASSED}", "verdict: passed"), head=head
        ).code
        == 0
    )


def test_saved_answers_are_judged_as_evaluate_judges_them(tmp_path: Path) -> None:
    content = body(entry(items=[item("a", "ALARM")]), entry(OTHER, items=[item("c", "ALARM")]))
    (tmp_path / "answer.json").write_bytes(content)
    expect = f"tasks: {{{TASK}: passed_with_warnings, {OTHER}: blocked}}"
    assert run(tmp_path, case("answers: answer.json", expect)).code == 0
    assert run(tmp_path, case("answers: [answer.json, answer.json]", expect)).code == 2
    only = case(f"answers: answer.json\n  requested: [{TASK}]", "verdict: passed_with_warnings")
    assert run(tmp_path, only).code == 0
    (tmp_path / "answer.json").write_bytes(b"<html>")
    assert run(tmp_path, case("answers: answer.json", "verdict: error, exit_code: 4")).code == 0


def test_a_baseline_may_be_a_report(tmp_path: Path) -> None:
    content = body(entry(items=[item("a", "ALARM")]))
    evaluate(tmp_path, content)
    cases = case(
        "answers: answer.json\n  baseline: report.json", "findings: [{item: a, known: true}]"
    )
    assert run(tmp_path, cases).code == 0


def test_whole_items_and_sub_tasks_are_taken(tmp_path: Path) -> None:
    text = HEAD + case(
        "tasks: [{direction: up, passed_rate: 90%, items: [{item: a, status: FAILED, group: g,"
        " failed_reason: R, data: d, raw_error: e, skipped: true,"
        " sub_tasks: [{id: s, name: n, status: NEW}]}]}]",
        "verdict: blocked",
    )
    [one] = read(tmp_path, text)
    [snapshot] = one.snapshots
    [made] = snapshot.items
    assert (snapshot.direction, snapshot.passed_rate, snapshot.complete) == ("up", "90%", True)
    assert (made.status.value, made.group, made.failed_reason) == ("FAILED", "g", "R")
    assert (made.data, made.raw_error, made.skipped) == ("d", "e", True)
    [sub] = made.sub_tasks
    assert (sub.id, sub.name, sub.status.value, sub.raw_status) == ("s", "n", "unknown", "NEW")
