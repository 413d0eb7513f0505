"""Lists of tasks that cannot be used: exit 2 before any request. And those that can."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from tests.support.harness import body, entry
from tests.support.outcome import ID, OTHER, PROJECT, Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from precheck_gate.simulator.server import Simulator
    from tests.support.gate import Gate, Serve

BOTH = f"""
version: 1
tasks:
  - {{id: {ID}, name: orders, answer: mysql}}
  - {{id: {OTHER}, name: sessions, answer: mysql}}
"""


@pytest.fixture
def service(serve: Serve) -> Simulator:
    return serve(BOTH)


@pytest.fixture
def tasks_file(tmp_path: Path) -> Path:
    return tmp_path / "tasks.txt"


def run_list(gate: Gate, service: Simulator, file: Path | str) -> Outcome:
    return gate.run(service.url, "--tasks-from", str(file), tasks=())


def refused(outcome: Outcome, service: Simulator, *words: str) -> None:
    assert outcome.code == 2
    outcome.says(*words)
    outcome.reports(words[0])
    assert service.requests == ()


def test_no_tasks(gate: Gate, service: Simulator) -> None:
    refused(gate.run(service.url, tasks=()), service, "No task is named", "--tasks-from")


def test_an_id_twice(gate: Gate, service: Simulator) -> None:
    outcome = gate.run(service.url, tasks=(ID, OTHER, ID))
    refused(outcome, service, f"the task {ID} is named twice", "first in the command line")


def test_an_id_twice_in_a_file_tells_both_lines(
    gate: Gate, service: Simulator, tasks_file: Path
) -> None:
    tasks_file.write_text(f"# ours\n{ID}\n{OTHER}\n\n{ID}  # again\n")
    outcome = run_list(gate, service, tasks_file)
    refused(outcome, service, f"{ID} is named twice", f"{tasks_file}:5:1", "first in line 2")


@pytest.mark.parametrize(
    "wrong",
    [
        ID[:-1],
        f"{ID}x",
        ID.replace("-", "_"),
        "orders",
        "140b5236-88ad-43c8-811c-1268453jb10é",
        "１40b5236-88ad-43c8-811c-1268453jb101",
        "*",
    ],
)
def test_an_id_of_the_wrong_form(gate: Gate, service: Simulator, wrong: str) -> None:
    outcome = gate.run(service.url, tasks=(ID, wrong))
    refused(outcome, service, "is not a task ID", "looks like 140b5236-88ad", wrong)


def test_every_wrong_id_is_told_at_once(gate: Gate, service: Simulator, tasks_file: Path) -> None:
    tasks_file.write_text(f"one\n{ID}\ntwo\n")
    outcome = run_list(gate, service, tasks_file)
    refused(outcome, service, f"{tasks_file}:1:1: this is not", f"{tasks_file}:3:1: this is not")


def test_a_hostile_id_does_not_act(gate: Gate, service: Simulator, tasks_file: Path) -> None:
    tasks_file.write_text("\x1b[2J\n::set-env name=X::y\n##vso[task.complete]\n")
    outcome = run_list(gate, service, tasks_file)
    refused(outcome, service, "is not a task ID")
    assert "\x1b" not in outcome.text
    assert "'::set-env" not in outcome.text
    assert "##vso[" not in outcome.text


def test_a_file_that_is_not_there(gate: Gate, service: Simulator, tasks_file: Path) -> None:
    outcome = run_list(gate, service, tasks_file)
    refused(outcome, service, f"{tasks_file} cannot be read", "No such file", "Check the path")


def test_a_folder_instead_of_a_file(gate: Gate, service: Simulator, tmp_path: Path) -> None:
    outcome = run_list(gate, service, tmp_path)
    refused(outcome, service, f"{tmp_path} cannot be read", "Is a directory", "Check the path")


@pytest.mark.parametrize("content", ["", " \n\n", "# only\n  # comments\n", "[]", "{}", "\ufeff"])
def test_an_empty_file(gate: Gate, service: Simulator, tasks_file: Path, content: str) -> None:
    tasks_file.write_text(content, encoding="utf-8")
    outcome = run_list(gate, service, tasks_file)
    refused(outcome, service, f"{tasks_file} names no task", "Put one ID on each line")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe1\x004\x00", "is not UTF-8"),
        (b'["' + ID.encode(), "is not JSON"),
        (b'{"a": {"value": 1}, "a": {"value": 2}}', "duplicate key in one object"),
        (b"[1, 2]", "[1]: a number is not a task ID"),
        (b'{"a": ["b"]}', "a: a list is not a task ID"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_an_unreadable_file(
    gate: Gate, service: Simulator, tasks_file: Path, content: bytes, words: str
) -> None:
    tasks_file.write_bytes(content)
    outcome = run_list(gate, service, tasks_file)
    refused(outcome, service, str(tasks_file), words)


def test_an_empty_standard_input(
    gate: Gate, service: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    refused(run_list(gate, service, "-"), service, "stdin names no task")


# --- Terraform ----------------------------------------------------------------------------------

PLAIN = {
    "one": ID,
    "list": [ID, OTHER],
    "map": {"orders": ID, "sessions": OTHER},
}


@pytest.mark.parametrize("form", PLAIN)
@pytest.mark.parametrize("wrapped", [False, True])
def test_what_terraform_puts_out_is_read(
    gate: Gate, service: Simulator, tasks_file: Path, form: str, wrapped: bool
) -> None:
    value: object = PLAIN[form]
    if wrapped:
        output = {"sensitive": False, "type": "dynamic", "value": value}
        region = {"sensitive": False, "type": "string", "value": "eu-west-101"}
        value = {"region": region, "task_ids": output}
    tasks_file.write_text(json.dumps(value, indent=2))
    outcome = run_list(gate, service, tasks_file)
    assert outcome.code == 0
    assert outcome.report["requested"] == ([ID] if form == "one" else [ID, OTHER])


def test_what_terraform_puts_out_is_read_from_a_pipe(
    gate: Gate, service: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = json.dumps([ID, OTHER]).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    outcome = run_list(gate, service, "-")
    assert outcome.code == 0
    assert outcome.report["requested"] == [ID, OTHER]


def test_two_outputs_with_tasks_are_ambiguous(
    gate: Gate, service: Simulator, tasks_file: Path
) -> None:
    outputs = {"old": {"value": [ID]}, "new": {"value": [OTHER]}, "region": {"value": "x"}}
    tasks_file.write_text(json.dumps(outputs))
    outcome = run_list(gate, service, tasks_file)
    refused(outcome, service, "3 outputs", "old, new", "terraform output -json NAME")


def test_one_mistyped_id_among_terraforms_is_not_passed_over(
    gate: Gate, service: Simulator, tasks_file: Path
) -> None:
    tasks_file.write_text(json.dumps({"task_ids": {"value": [ID, OTHER[:-1]]}}))
    outcome = run_list(gate, service, tasks_file)
    refused(outcome, service, f"{tasks_file}: task_ids[1]: ", "35 characters, not 36")


def test_arguments_and_a_file_come_together(
    gate: Gate, service: Simulator, tasks_file: Path
) -> None:
    tasks_file.write_text(f"\ufeff{OTHER}\r\n", encoding="utf-8")
    outcome = gate.run(service.url, "--tasks-from", str(tasks_file), tasks=[ID])
    assert outcome.code == 0
    assert outcome.report["requested"] == [ID, OTHER]


@pytest.fixture
def in_environment(service: Simulator, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("PRECHECK_GATE_ENDPOINT", service.url)
    monkeypatch.setenv("PRECHECK_GATE_PROJECT_ID", PROJECT)
    return monkeypatch


@pytest.mark.parametrize("how", ["argument", "--tasks-from", "--select"])
@pytest.mark.parametrize("variable", ["TASKS", "TASKS_FROM", "SELECT"])
def test_what_the_command_line_names_replaces_what_the_environment_does(
    gate: Gate, in_environment: pytest.MonkeyPatch, tasks_file: Path, how: str, variable: str
) -> None:
    """As any option of the command line replaces its variable; they never add up."""
    other = tasks_file.with_name("other.txt")
    other.write_text(f"{OTHER}\n")
    named = {"TASKS": OTHER, "TASKS_FROM": str(other), "SELECT": "name=nobody"}
    in_environment.setenv(f"PRECHECK_GATE_{variable}", named[variable])
    tasks_file.write_text(f"{ID}\n")
    ways = {
        "argument": [ID],
        "--tasks-from": ["--tasks-from", str(tasks_file)],
        "--select": ["--select", "name=orders"],
    }
    outcome = gate.judge("run", *gate.outputs, *ways[how])
    if how != "--select":
        assert outcome.code == 0
        assert outcome.report["requested"] == [ID]
    assert OTHER not in outcome.text
    assert "nobody" not in outcome.text
    own = {"argument": "TASKS", "--tasks-from": "TASKS_FROM", "--select": "SELECT"}
    assert (f"ignoring PRECHECK_GATE_{variable}" in outcome.err) == (own[how] != variable)


@pytest.mark.parametrize("command", ["run", "doctor"])
def test_a_wrong_id_of_the_environment_is_told_as_its_own(
    gate: Gate, in_environment: pytest.MonkeyPatch, command: str
) -> None:
    in_environment.setenv("PRECHECK_GATE_TASKS", "foo")
    outcome = gate.main(command, with_reports=False)
    assert outcome.code == 2
    assert "PRECHECK_GATE_TASKS: 'foo' is not a task ID" in outcome.text
    assert "the command line" not in outcome.text


def test_evaluate_names_the_variable_that_names_a_task(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answer = tmp_path / "answer.json"
    answer.write_bytes(body(entry(ID)))
    monkeypatch.setenv("PRECHECK_GATE_TASKS", f"{ID} {OTHER}")
    outcome = gate.judge("evaluate", *gate.outputs, str(answer))
    assert outcome.code == 4
    outcome.reports("which PRECHECK_GATE_TASKS names", "take it out of PRECHECK_GATE_TASKS")
