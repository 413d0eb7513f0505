"""Saved answers with fewer results than the service counts: without a list, not all is known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.saved.answers import SavedAnswers
from tests.support.harness import body, entry
from tests.support.outcome import ID, OTHER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.gate import Gate, Serve
    from tests.support.outcome import Outcome

MORE: list[Any] = [2, 3, 10**30, 1.5, 2.0, "2", "0002", "99999999999999999999"]
MORE += ["2.0", " 2", "2e3", "\uff12"]
NOT_MORE: list[Any] = [0, 1, 1.0, -3, "1", "0", None, "", "x", "-2", True, [], {}]


def evaluate(gate: Gate, *argv: Path | str) -> Outcome:
    return gate.judge("evaluate", *map(str, argv), *gate.outputs)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "answer.json"


@pytest.mark.parametrize("count", MORE)
def test_more_results_than_came_are_incomplete_where_no_list_says_which(
    gate: Gate, file: Path, count: Any
) -> None:
    file.write_bytes(body(entry(), count=count))
    outcome = evaluate(gate, file)
    assert outcome.code == 3
    outcome.reports("answer.json", "the service counts", "and sent 1")
    outcome.says("INCOMPLETE  The run is incomplete", "--task")
    assert outcome.verdicts() == {ID: "passed"}


def test_a_count_beyond_all_bounds_costs_nothing(gate: Gate, file: Path) -> None:
    file.write_bytes(body(entry(), count="@@").replace(b'"@@"', b"1e999999999999999999"))
    assert evaluate(gate, file).code == 3


@pytest.mark.parametrize("count", MORE)
def test_with_a_list_completeness_is_judged_by_id(gate: Gate, file: Path, count: Any) -> None:
    file.write_bytes(body(entry(), count=count))
    outcome = evaluate(gate, file, "--task", ID)
    assert outcome.code == 0
    outcome.says("the service counts")
    assert evaluate(gate, file, "--task", ID, "--task", OTHER).code == 4


@pytest.mark.parametrize("count", NOT_MORE)
def test_any_other_count_is_at_most_a_remark(gate: Gate, file: Path, count: Any) -> None:
    file.write_bytes(body(entry(), count=count))
    assert evaluate(gate, file).code == 0


def test_advisory_does_not_excuse_what_may_be_missing(gate: Gate, file: Path) -> None:
    file.write_bytes(body(entry(result=False), count=5))
    assert evaluate(gate, file, "--advisory").code == 3
    assert evaluate(gate, file, "--advisory", "--task", ID).code == 0


def test_one_answer_of_several_is_enough(gate: Gate, tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    first.write_bytes(body(entry()))
    second.write_bytes(body(entry(OTHER), count=2))
    outcome = evaluate(gate, first, second)
    assert outcome.code == 3
    outcome.reports("b.json")


def test_of_a_run_that_named_its_tasks_the_count_is_a_remark(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    scenario = f"\nversion: 1\ntasks: [{{id: {ID}, items: [{{item: a}}]}}]\n"
    service = serve(scenario + "faults: [{kind: count_off}]\n")
    folder = tmp_path / "answers"
    live = gate.run(service.url, "--save-answers", str(folder))
    assert live.code == 0
    live.says("counts 2 results and sent 1")
    again = evaluate(gate, folder)
    assert again.code == 0
    again.says("counts 2 results and sent 1")


def test_an_answer_says_so_itself() -> None:
    assert (
        parse_answer(body(entry(), count=3)).shortfall == "the service counts 3 results and sent 1"
    )
    assert parse_answer(body(entry())).shortfall == ""
    assert parse_answer(body(count=True)).shortfall == ""


def test_a_policy_case_with_such_an_answer_is_incomplete_too(gate: Gate, tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_bytes(body(entry(), count=2))
    case = {"name": "cut", "answers": "answer.json", "expect": {"verdict": "incomplete"}}
    suite = {"version": 1, "policy": "builtin:default", "cases": [case]}
    (tmp_path / "a.test.yaml").write_text(json.dumps(suite))
    outcome = gate.main("policy", "test", str(tmp_path / "a.test.yaml"), with_reports=False)
    assert outcome.code == 0, outcome.text


def test_which_answers_fall_short_is_known_before_they_are_judged(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(body(entry(), count=2))
    [trouble] = SavedAnswers([tmp_path / "a.json"]).shortfalls
    assert "a.json" in trouble.message
