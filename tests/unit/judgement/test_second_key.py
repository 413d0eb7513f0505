"""Exit code 0 needs two keys: with the judgement broken, the second key still holds the door."""

from __future__ import annotations

import ast
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate import gate as gate_module
from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.judgement import run, second_key, task
from precheck_gate.judgement.second_key import SecondKey
from precheck_gate.judgement.task import ItemJudge
from precheck_gate.model.snapshots import Observation, Snapshot, Trouble, TroubleKind
from precheck_gate.model.verdicts import FindingKind, RunVerdict, Verdict, own_finding
from precheck_gate.polling.watch import Watch
from precheck_gate.saved.answers import SavedAnswers
from tests.support.harness import DEFAULT, body, entry, item
from tests.support.harness import policy as policy_of
from tests.support.outcome import ID, OTHER

if TYPE_CHECKING:
    from collections.abc import Callable

    from precheck_gate.model.verdicts import Finding
    from tests.support.gate import Gate, Serve
    from tests.support.outcome import Outcome

PASSED = own_finding(FindingKind.TASK, Verdict.PASSED, "result", "fine", rule="test")
BLOCKED = own_finding(FindingKind.TASK, Verdict.BLOCKED, "result", "bad", rule="test")


def snapshot(task: str = ID, **fields: Any) -> Snapshot:
    found = parse_answer(body(entry(task, **fields))).entries[task]
    assert isinstance(found, Snapshot)
    return found


def seen(task: str = ID, *, age: float | None = 1.0, **fields: Any) -> Observation:
    return Observation(task, snapshot(task, **fields), age=age)


def objections(
    *observations: Observation,
    requested: tuple[str, ...] = (ID,),
    findings: tuple[Finding, ...] = (PASSED, PASSED),
    run: Verdict = Verdict.PASSED,
    of_run: tuple[Finding, ...] = (),
    code: int = 0,
    max_age: float | None = 60.0,
    policy: str = "",
    advisory: bool = False,
    digest: str | None = None,
) -> list[str]:
    by = policy_of(policy) if policy else DEFAULT
    key = SecondKey(requested, by if digest is None else replace(by, digest=digest), max_age)
    for one in observations:
        key.see(one, findings)
    return key.objections(RunVerdict(run, of_run, requested), code, advisory=advisory)


def test_a_plain_green_is_confirmed() -> None:
    assert objections(seen()) == []
    assert objections(seen(), seen(OTHER), requested=(ID, OTHER)) == []
    warned = replace(PASSED, verdict=Verdict.PASSED_WITH_WARNINGS)
    for code in (0, 10):
        assert objections(seen(), run=Verdict.PASSED_WITH_WARNINGS, code=code) == []
        assert objections(seen(), findings=(PASSED, warned), of_run=(warned,), code=code) == []


def test_a_green_verdict_is_checked_whatever_the_exit_code() -> None:
    """With --warn-exit-code a green run does not end in 0."""
    assert objections(seen(result=False), run=Verdict.PASSED_WITH_WARNINGS, code=10)
    assert objections(run=Verdict.PASSED_WITH_WARNINGS, code=10)


@pytest.mark.parametrize("process", ["100%", "100 %", "100", 100, "100.0%", "100.00 %"])
def test_every_documented_spelling_of_100_is_confirmed(process: Any) -> None:
    assert objections(seen(process=process)) == []


@pytest.mark.parametrize(
    "process", ["99%", "99.9%", "1000%", "10%", "X100%", "", None, True, [100]]
)
def test_progress_other_than_100_is_refused(process: Any) -> None:
    assert objections(seen(process=process))


@pytest.mark.parametrize("result", [False, "true", 1, None, "", "True", [True]])
def test_a_result_other_than_the_json_value_true_is_refused(result: Any) -> None:
    assert objections(seen(result=result))


def test_each_requested_task_is_seen_exactly_once_and_no_other() -> None:
    assert objections(requested=())
    assert objections()
    assert objections(seen(), requested=(ID, OTHER))
    assert objections(seen(), seen(OTHER))
    assert objections(seen(), seen())
    assert objections(seen(), requested=(ID, ID))


def test_a_task_without_a_result_of_its_own_is_refused() -> None:
    assert objections(Observation(ID, age=1.0))
    assert objections(Observation(ID, snapshot(OTHER), age=1.0))


@pytest.mark.parametrize("kind", list(TroubleKind))
def test_a_result_that_does_not_count_any_more_is_refused(kind: TroubleKind) -> None:
    assert objections(Observation(ID, snapshot(), Trouble(kind, "the last answer"), age=1.0))


def test_an_answer_that_is_too_old_or_of_unknown_age_is_refused() -> None:
    assert objections(seen(age=60.0)) == []
    assert objections(seen(age=60.1))
    assert objections(seen(age=None))
    assert objections(seen(age=float("nan")))
    assert objections(seen(age=None), max_age=None) == []


def test_a_task_without_items_needs_allow_empty_of_the_policy() -> None:
    empty = seen(items=[])
    assert objections(empty)
    assert objections(empty, policy="version: 1\nallow_empty: true\n") == []
    assert objections(empty, policy="version: 1\nallow_empty: false\n")
    of_task = "version: 1\ntasks: {'%s': {allow_empty: true}}\n"
    assert objections(empty, policy=of_task % f"{ID[:8]}*") == []
    assert objections(empty, policy=of_task % "9*")


@pytest.mark.parametrize("name", ["[db]-1", "a[1"])
def test_a_task_that_is_named_letter_by_letter_may_have_no_items(name: str) -> None:
    of_task = f"version: 1\ntasks: {{'{name}': {{allow_empty: true}}}}\n"
    empty = seen(name, items=[])
    assert objections(empty, requested=(name,), policy=of_task) == []


def test_an_item_that_was_not_judged_is_refused() -> None:
    assert objections(seen(items=[item(), item("srcDbBinlogIsOff")]))


@pytest.mark.parametrize("red", [Verdict.BLOCKED, Verdict.INCOMPLETE, Verdict.ERROR])
def test_a_finding_that_blocks_is_refused_under_a_green(red: Verdict) -> None:
    against = replace(BLOCKED, verdict=red)
    assert objections(seen(), findings=(PASSED, against))
    assert objections(seen(), of_run=(against,))


@pytest.mark.parametrize("red", [Verdict.BLOCKED, Verdict.INCOMPLETE, Verdict.ERROR])
def test_exit_code_0_is_refused_under_a_red_verdict(red: Verdict) -> None:
    assert objections(seen(), run=red, code=0)
    assert objections(seen(), run=red, code=4) == []


def test_advisory_covers_a_blocked_verdict_alone() -> None:
    assert objections(seen(result=False), run=Verdict.BLOCKED, advisory=True) == []
    assert objections(seen(), run=Verdict.INCOMPLETE, advisory=True)
    assert objections(seen(), run=Verdict.ERROR, advisory=True)


def test_a_policy_without_a_digest_is_refused() -> None:
    assert objections(seen(), digest="")


# The judgement broken in several ways, each of which turns a red run green.


def _all_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "worst", lambda verdicts: Verdict.PASSED)
    monkeypatch.setattr(run, "worst", lambda verdicts: Verdict.PASSED)


def _complete_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Snapshot, "complete", property(lambda self: True))


def _nothing_against(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "_against", lambda *_: [])


def _exit_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "exit_code", lambda *_, **__: 0)


def _troubles_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    def own(observation: Observation, *_: Any) -> list[Finding]:
        return [PASSED]

    monkeypatch.setattr(task, "_task_itself", own)


def _items_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ItemJudge, "items", lambda self: [])


RED = entry(ID, result=False, items=[item(result="FAILED")])
BREAKS: list[tuple[str, Callable[[pytest.MonkeyPatch], None], list[dict[str, Any]]]] = [
    ("the worst verdict is passed", _all_pass, [RED]),
    ("every progress is 100", _complete_always, [entry(ID, process="99%")]),
    ("nothing speaks against", _nothing_against, [entry(ID, result=False)]),
    ("nothing speaks against, no items", _nothing_against, [entry(ID, items=[])]),
    ("the exit code is 0", _exit_0, [RED]),
    ("a task that did not answer", _troubles_lost, []),
    ("a finding about the task is lost", _troubles_lost, [entry(ID, result="true")]),
    ("items are not judged", _items_lost, [entry(ID, items=[item(result="FAILED")])]),
]


@pytest.fixture(autouse=True)
def bugs_are_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an outcome be 70, which is refused of every other test."""
    monkeypatch.setattr("tests.support.gate.check", lambda outcome, **_: outcome)


def _evaluate(gate: Gate, entries: list[dict[str, Any]]) -> Outcome:
    answer = gate.folder / "answer.json"
    answer.write_bytes(body(*entries, entry(OTHER)))
    return gate.judge("evaluate", str(answer), f"--task={ID}", f"--task={OTHER}", *gate.outputs)


@pytest.mark.parametrize(
    ("break_it", "entries"), [one[1:] for one in BREAKS], ids=[one[0] for one in BREAKS]
)
def test_evaluate_with_a_broken_judgement_ends_in_70(
    gate: Gate,
    monkeypatch: pytest.MonkeyPatch,
    break_it: Callable[[pytest.MonkeyPatch], None],
    entries: list[dict[str, Any]],
) -> None:
    assert _evaluate(gate, entries).code in (1, 3, 4)
    break_it(monkeypatch)
    outcome = _evaluate(gate, entries)
    assert outcome.code == 70
    assert outcome.report["verdict"] == "error"
    assert outcome.report["exit_code"] == 70
    assert outcome.junit.find(".//testcase[@name='second key']/error") is not None
    outcome.says("A second, independent check contradicts this pass")
    # Without the second key, the break opens the gate: what is shown above is the key's doing.
    monkeypatch.setattr(SecondKey, "objections", lambda *_, **__: [])
    assert _evaluate(gate, entries).code == 0


def test_evaluate_that_loses_a_task_ends_in_70(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = SavedAnswers.observations
    monkeypatch.setattr(gate_module, "_of_all_tasks", lambda case: case.observations)
    monkeypatch.setattr(run.RunJudge, "_missing", lambda self: [])
    monkeypatch.setattr(
        SavedAnswers, "observations", lambda self, *more: list(whole(self, *more))[1:]
    )
    assert _evaluate(gate, [RED]).code == 70
    monkeypatch.setattr(SecondKey, "objections", lambda *_, **__: [])
    assert _evaluate(gate, [RED]).code == 0


SCENARIO = """
version: 1
tasks:
  - {id: %s, items: [{item: srcDbConnection%s}]}
"""


def test_run_with_a_broken_judgement_ends_in_70(
    gate: Gate, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = serve(SCENARIO % (ID, ", result: FAILED"))
    assert gate.run(service.url).code == 1
    _all_pass(monkeypatch)
    outcome = gate.run(service.url)
    assert outcome.code == 70
    assert outcome.report["verdict"] == "error"


def test_run_that_takes_an_old_answer_for_a_new_one_ends_in_70(
    gate: Gate, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = serve(SCENARIO % (ID, ""))
    assert gate.run(service.url).code == 0
    whole = Watch.observe
    monkeypatch.setattr(Watch, "observe", lambda self, *more: replace(whole(self, *more), age=61.0))
    assert gate.run(service.url).code == 70


def test_the_second_key_shares_no_code_with_the_judgement() -> None:
    path = Path(str(second_key.__file__))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) < 80
    found = [
        name
        for node in ast.parse("\n".join(lines)).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [node.module if isinstance(node, ast.ImportFrom) else node.names[0].name]
    ]
    assert set(found) == {"__future__", "decimal", "fnmatch", "typing"}


def test_json_numbers_are_confirmed_as_the_judgement_takes_them() -> None:
    for text in ("100", "100.0", "1e2", "1.00E2"):
        content = body(entry(process="@")).decode().replace('"@"', text).encode()
        found = parse_answer(content).entries["140b5236-88ad-43c8-811c-1268453jb101"]
        assert isinstance(found, Snapshot)
        assert found.progress == Decimal(100)
        task = found.task_id
        assert objections(Observation(task, found, age=0.0), requested=(task,)) == []
