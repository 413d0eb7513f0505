"""Saved answers that cannot be judged: the offline half of the same rules, with the same codes."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.outcome import ID, OTHER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.gate import Gate, Serve
    from tests.support.outcome import Outcome


def entry(task: str = ID, **more: object) -> dict[str, object]:
    items = [{"item": "network", "result": "PASSED"}]
    return {
        "precheck_id": task, "process": "100%", "result": True, "precheck_result": items, **more
    }  # fmt: skip


def answer(*entries: object) -> str:
    return json.dumps({"results": entries, "count": len(entries)})


def evaluate(gate: Gate, *argv: Path | str) -> Outcome:
    return gate.judge("evaluate", *map(str, argv), *gate.outputs)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "answer.json"


@pytest.mark.parametrize("content", [None, b"", b" \n"], ids=["absent", "empty", "blank"])
def test_an_answer_that_cannot_be_read(gate: Gate, file: Path, content: bytes | None) -> None:
    if content is not None:
        file.write_bytes(content)
    outcome = evaluate(gate, file)
    assert outcome.code == 2
    outcome.says(f"The answer {file} ", "next: ")
    outcome.reports(str(file))


def test_a_folder_without_answers(gate: Gate, tmp_path: Path) -> None:
    outcome = evaluate(gate, tmp_path)
    assert outcome.code == 2
    outcome.says(f"The folder {tmp_path} has no answers that a run saved", "--save-answers")


def test_an_answer_without_a_task(gate: Gate, file: Path) -> None:
    file.write_text(answer())
    outcome = evaluate(gate, file)
    assert outcome.code == 2
    outcome.says("The answers contain no task", "--task")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>", "not valid JSON"),
        (b"\xff\xfe{}", "not valid JSON"),
        (answer(entry()).encode()[:-5], "not valid JSON"),
        (answer(entry()).encode() * 2, "not valid JSON"),
        (b'{"results": [], "results": []}', "duplicate key 'results'"),
        (b'{"results": [], "count": NaN}', "NaN is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"results": {}}', "no list of results"),
        (b'{"error_code": "DRS.M00289", "error_msg": "gone"}', "DRS.M00289 gone"),
        (b" " * (32 * 1024 * 1024) + b"{}", "larger than 32 MiB"),
    ],
    ids=["HTML", "UTF-16", "truncated", "two documents", "duplicate key", "NaN", "deep",
         "wrong shape", "error", "huge"],
)  # fmt: skip
def test_what_is_no_answer_is_an_error_even_beside_a_good_one(
    gate: Gate, tmp_path: Path, file: Path, content: bytes, words: str
) -> None:
    file.write_text(answer(entry()))
    bad = tmp_path / "bad.json"
    bad.write_bytes(content)
    outcome = evaluate(gate, file, bad)
    assert outcome.code == 4
    outcome.says(str(bad), words, "next: Save the answer again")
    outcome.reports(str(bad), words)
    assert outcome.verdicts() == {ID: "passed"}


def test_a_task_that_was_asked_for_and_is_in_no_answer(gate: Gate, file: Path) -> None:
    file.write_text(answer(entry()))
    outcome = evaluate(gate, file, "--task", ID, "--task", OTHER)
    assert outcome.code == 4
    assert outcome.verdicts() == {ID: "passed", OTHER: "error"}
    outcome.says(OTHER, "none of the answers contains this task, which --task names")
    outcome.says("take it out of --task")


@pytest.mark.parametrize(
    ("tasks", "words"),
    [([ID, ID], "is named twice"), (["orders"], "'orders' is not a task ID")],
)
def test_a_list_of_tasks_that_cannot_be_used(
    gate: Gate, file: Path, tasks: list[str], words: str
) -> None:
    file.write_text(answer(entry()))
    outcome = evaluate(gate, file, *(part for task in tasks for part in ("--task", task)))
    assert outcome.code == 2
    outcome.says(words, "--task")


def test_two_answers_that_contradict_each_other(gate: Gate, tmp_path: Path, file: Path) -> None:
    file.write_text(answer(entry()))
    other = tmp_path / "other.json"
    other.write_text(answer(entry(result=False)))
    outcome = evaluate(gate, file, other)
    assert outcome.code == 1
    outcome.says(str(file), str(other), "contradict each other about this task", "only the latest")


# --- folders that --save-answers wrote ----------------------------------------------------------


@pytest.fixture
def saved(gate: Gate, serve: Serve, tmp_path: Path) -> Path:
    folder = tmp_path / "answers"
    scenario = f"version: 1\ntasks: [{{id: {ID}, answer: mysql, duration: 5s}}]\n"
    assert gate.run(serve(scenario).url, "--save-answers", str(folder)).code == 0
    return folder


def test_saved_answers_give_the_same_verdict(gate: Gate, saved: Path) -> None:
    outcome = evaluate(gate, saved)
    assert outcome.code == 0
    assert outcome.verdicts() == {ID: "passed"}


def test_a_saved_answer_that_was_changed_is_not_trusted(gate: Gate, saved: Path) -> None:
    last = max(saved.glob("*.json"))
    last.write_bytes(last.read_bytes().replace(b"PASSED", b"FAILED", 1))
    outcome = evaluate(gate, saved)
    assert outcome.code == 4
    outcome.says(str(last), "it was changed: run.jsonl beside it lists another content")


def test_a_saved_answer_that_was_taken_away(gate: Gate, saved: Path) -> None:
    last = max(saved.glob("*.json"))
    last.unlink()
    outcome = evaluate(gate, saved)
    assert outcome.code == 2
    outcome.says(f"The answer {last} cannot be read: No such file")


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"file": "../x", "at": "", "tasks": []}', b""])
def test_a_line_that_no_run_writes(gate: Gate, saved: Path, line: bytes) -> None:
    run_file = saved / "run.jsonl"
    lines = run_file.read_bytes().splitlines(keepends=True)
    run_file.write_bytes(b"".join(lines) + line + b"\n")
    outcome = evaluate(gate, saved)
    assert outcome.code == 2
    outcome.says(f"{run_file} is damaged or was changed: line {len(lines) + 1} is not")


def test_a_folder_that_is_not_there(gate: Gate, saved: Path) -> None:
    shutil.rmtree(saved)
    outcome = evaluate(gate, saved)
    assert outcome.code == 2
    outcome.says(f"The answer {saved} cannot be read: No such file")
