"""`policy explain`: which rule decided, which waiver applied, and why another did not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.commands import TODAY, Output, call, write_policy
from tests.support.harness import OTHER, TASK, body, entry, item

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

POLICY = f"""\
version: 1
rules:
- match: {{item: srcCollHasTtlIndex, status: ALARM}}
  effect: block
  reason: indexes first
- match: {{task: {OTHER}, status: ALARM}}
  effect: allow
required_items: [srcDbConnection]
never_waive: {{items: dstDbConnection}}
waivers:
- {{id: OLD, match: {{item: src*}}, reason: r, owner: o, expires: 2026-06-14}}
- {{id: NEXT, match: {{item: src*}}, reason: r, owner: o, since: 2026-07-01, expires: 2026-08-01}}
- {{id: UP, match: {{direction: up}}, reason: r, owner: o, expires: 2026-08-01}}
- {{id: ANY, match: {{item: '*'}}, reason: agreed, owner: dba, expires: 2026-08-01}}
"""

Explain = "Callable[..., Called]"


@pytest.fixture
def explain(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Output]:
    path = write_policy(tmp_path, POLICY)

    def run(*arguments: str | Path) -> Output:
        return call(capsys, "policy", "explain", *arguments, "--policy", path.name, "--now", TODAY)

    return run


def answer(folder: Path, *entries: Any) -> Path:
    path = folder / "answer.json"
    path.write_bytes(body(*entries))
    return path


def block(text: str, heading: str) -> str:
    """Return the lines below a heading, up to an empty one."""
    blocks = {part.split("\n")[0]: part for part in text.split("\n\n")}
    return blocks[heading]


def test_each_step_to_the_effect(explain: Callable[..., Output]) -> None:
    done = explain("--item", "srcCollHasTtlIndex", "--status", "ALARM")
    up = "policy.yaml:13 waivers[2]"
    assert (done.code, done.err) == (0, "")
    assert block(done.out, "srcCollHasTtlIndex  ALARM: warn").splitlines()[1:] == [
        "  considered  policy.yaml:3 rules[0]: matches, block",
        "  considered  waiver OLD (policy.yaml:11 waivers[0]): expired on 2026-06-14",
        "  considered  waiver NEXT (policy.yaml:12 waivers[1]): starts on 2026-07-01",
        f"  considered  waiver UP ({up}): may match (direction unknown), not applied",
        "  considered  waiver ANY (policy.yaml:14 waivers[3]): applies, becomes a warning",
        "  decided by  policy.yaml:3 rules[0]",
        "  reason      indexes first",
        "  waived by   ANY until 2026-08-01: agreed (owner dba)",
    ]


def test_what_nobody_may_waive(explain: Callable[..., Output]) -> None:
    done = explain("--item", "dstDbConnection", "--status", "failed")
    told = block(done.out, "dstDbConnection  FAILED: block")
    assert (
        "waiver ANY (policy.yaml:14 waivers[3]): not allowed by policy.yaml:9 never_waive"
        in " ".join(told.split())
    )
    assert "waived by" not in told


def test_that_drs_itself_refuses_is_always_said(explain: Callable[..., Output]) -> None:
    done = explain("--item", "x")
    assert "a task whose result is not true stays blocked" in " ".join(done.out.split())
    assert "a contradiction, which blocks unless a waiver allows it" in " ".join(done.out.split())


def test_without_a_status_each_is_told_and_what_was_not_named(
    explain: Callable[..., Output],
) -> None:
    done = explain("--item", "srcDbConnection")
    for heading in ("PASSED: allow", "ALARM: warn", "FAILED: warn", "unknown: warn"):
        assert f"srcDbConnection  {heading}" in done.out
    assert "srcDbConnection  absent: warn" in done.out
    assert "not considered, as nothing blocks" in done.out
    assert "group network comes from the catalogue" in done.out
    assert "the policy also depends on --task, --direction" in done.out


def test_what_is_named_is_looked_at(explain: Callable[..., Output]) -> None:
    known = ("--item", "x", "--status", "ALARM")
    assert "x  ALARM: warn\n" in explain(*known).out
    done = explain(*known, "--task", OTHER)
    assert "x  ALARM: allow\n" in done.out
    done = explain("--item", "x", "--status", "FAILED", "--direction", "up")
    assert "waiver UP (policy.yaml:13 waivers[2]): applies" in done.out


def test_a_sub_task_and_a_skipped_item(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = (
        "version: 1\nwaivers: [{id: S, match: {sub_task: s*}, reason: r, owner: o,"
        " expires: 2026-08-01}]\n"
    )
    path = write_policy(tmp_path, text)
    given = ("policy", "explain", "--item", "x", "--policy", path, "--now", TODAY)
    done = call(capsys, *given, "--sub-task", "s1", "--status", "FAILED")
    assert "x of s1  FAILED: warn" in done.out
    done = call(capsys, *given, "--skipped", "--status", "FAILED")
    assert "x  FAILED, skipped in DRS: warn" in done.out
    assert "builtin:default:9 skipped" in done.out


def test_layers_of_tasks_hold_for_the_task_that_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = write_policy(tmp_path, "version: 1\ntasks: {140b*: {statuses: {ALARM: block}}}\n")
    given = ("policy", "explain", "--item", "x", "--status", "ALARM", "--policy", path)
    done = call(capsys, *given)
    assert "x  ALARM: warn" in done.out
    assert "the policy has settings for some tasks; select one with --task" in done.out
    assert "x  ALARM: block" in call(capsys, *given, "--task", TASK).out


def test_an_absent_item_matters_only_where_it_is_required(
    explain: Callable[..., Output],
) -> None:
    assert "only if it is required" in explain("--item", "x", "--status", "absent").out
    done = explain("--item", "srcDbConnection", "--status", "absent")
    assert "policy.yaml:8 required_items[0]: required and not PASSED, blocks" in done.out


def test_an_answer_is_explained_task_by_task(
    explain: Callable[..., Output], tmp_path: Path
) -> None:
    path = answer(
        tmp_path,
        entry(
            items=[item(), item("srcCollHasTtlIndex", "ALARM"), item("b", "FAILED")], result=False
        ),
        entry(OTHER, items=[item(), item("c", "ALARM")]),
    )
    done = explain(path)
    assert (done.code, done.err) == (0, "")
    first = block(done.out, f"task {TASK}  blocked")
    assert "(result: false)" in first
    assert (
        "DRS does not let the task start. No rule and no waiver changes that, nor do the" in first
    )
    assert "waiver ANY" in block(done.out, "b  FAILED: warn")
    assert "indexes first" in block(done.out, "srcCollHasTtlIndex  ALARM: warn")
    assert f"task {OTHER}  passed\n" in done.out
    assert "decided by  policy.yaml:6 rules[1]: allow" in block(done.out, "c  ALARM: allow")
    assert done.out.count("1 item is PASSED and allowed  (--all shows them)") == 2
    assert "srcDbConnection  PASSED" not in done.out
    assert "srcDbConnection  PASSED: allow" in explain(path, "--all").out


def test_the_contradiction_is_told_and_a_waiver_lifts_it(
    explain: Callable[..., Output], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = answer(tmp_path, entry(items=[item(), item("b", "FAILED")]))
    assert f"task {TASK}  passed with warnings" in explain(path).out
    allowing = "version: 1\nrules: [{match: {item: b}, effect: allow}]\n"
    done = call(
        capsys, "policy", "explain", path, "--policy", write_policy(tmp_path, allowing, "p.yaml")
    )
    assert (
        "contradiction: DRS says that the task may start, but these items are FAILED: b" in done.out
    )
    assert "b  FAILED: allow" in done.out


def test_some_tasks_and_some_items_are_chosen(
    explain: Callable[..., Output], tmp_path: Path
) -> None:
    path = answer(tmp_path, entry(items=[item(), item("b", "ALARM")]), entry(OTHER))
    done = explain(path, "--task", TASK, "--item", "srcDb*")
    assert OTHER not in done.out
    assert "srcDbConnection  PASSED: allow" in done.out
    assert "b  ALARM" not in done.out
    missing = "140b5236-88ad-43c8-811c-0000000jb101"
    done = explain(path, "--task", missing)
    assert f"task {missing}  error" in done.out
    assert "none of the answers contains this task" in done.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "There is nothing to explain"),
        (["--item", "x", "--task", "orders"], "'orders' is not a task ID"),
        (["--item", "x", "--task", TASK, "--task", OTHER], "More than one --task needs answers"),
        (["--item", "x", "--all"], "--all needs answers"),
        (["answer.json", "--status", "FAILED"], "--status cannot be combined with answers"),
        (["answer.json", "--item", "srcdbconection"], "did you mean 'srcDbConnection'?"),
        (["nowhere.json"], "cannot be read"),
        (["policy.yaml"], "not valid JSON"),
        (["--item", "x", "--status", "GOOD"], "Invalid value"),
        (["--item", "x", "--profile", "p"], "has no profile 'p'"),
    ],
)
def test_what_cannot_be_explained(
    explain: Callable[..., Output], tmp_path: Path, arguments: list[str], said: str
) -> None:
    answer(tmp_path, entry())
    done = explain(*arguments)
    assert done.code == 2
    assert said in done.err


def test_texts_of_the_service_are_harmless(explain: Callable[..., Output], tmp_path: Path) -> None:
    path = answer(tmp_path, entry(items=[item("::x\x1b[1m", "FAILED")], result=False))
    done = explain(path)
    assert "\x1b" not in done.out
    assert "::x" not in done.out
    assert "\\x1b[1m  FAILED" in done.out


def test_colours_only_where_they_are_wanted(
    explain: Callable[..., Output], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "\x1b" not in explain("--item", "x").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1mx\x1b[0m" in explain("--item", "x").out
