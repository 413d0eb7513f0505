"""Saved answers: what `--save-answers` writes and `evaluate` reads back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.errors import UsageError
from precheck_gate.model.snapshots import Observation, Snapshot, Trouble, TroubleKind
from precheck_gate.saved.answers import SavedAnswers
from precheck_gate.saved.archive import AnswerArchive
from tests.support.fakes import FakeClock
from tests.support.harness import (
    OTHER,
    TASK,
    Judged,
    body,
    entry,
    judge_observations,
)

if TYPE_CHECKING:
    from pathlib import Path


def saved(folder: Path, *answers: tuple[list[str], int, bytes]) -> None:
    """Write answers as a run does that took the last one about each task, a second apart."""
    clock = FakeClock()
    archive = AnswerArchive(folder, clock)
    known: dict[str, Observation] = {}
    archive.begin(list(dict.fromkeys(task for tasks, _, _ in answers for task in tasks)))
    for tasks, status, content in answers:
        archive.save(tasks, status, content, "r-1")
        entries = parse_answer(content).entries if status == 200 else {}
        for task in tasks:
            entry = entries.get(task, Trouble(TroubleKind.NOT_ANSWERED, "not answered for"))
            if isinstance(entry, Snapshot):
                known[task] = Observation(task, entry)
            else:
                known[task] = Observation(task, trouble=entry)
        clock.advance(1.0)
    archive.end(list(known.values()), [])
    assert archive.failure == ""


def judged(*paths: Path, requested: list[str] | None = None) -> Judged:
    answers = SavedAnswers(list(paths))
    tasks = requested or answers.tasks
    return judge_observations(
        answers.observations(tasks),
        tasks,
        troubles=answers.troubles,
        remarks=answers.remarks,
    )


def test_the_bodies_are_kept_byte_for_byte_and_the_run_lists_each(tmp_path: Path) -> None:
    content = body(entry())
    saved(tmp_path / "a", ([TASK], 200, content), ([TASK], 503, b"down"))
    assert (tmp_path / "a" / "0001.json").read_bytes() == content
    assert (tmp_path / "a" / "0002.http-503.txt").read_bytes() == b"down"
    lines = [json.loads(line) for line in (tmp_path / "a" / "run.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["began", "answer", "answer", "task", "ended"]
    assert [(line["file"], line["tasks"], line["http_status"]) for line in lines[1:3]] == [
        ("0001.json", [TASK], 200),
        ("0002.http-503.txt", [TASK], 503),
    ]


def test_a_second_run_into_the_same_folder_overwrites_nothing(tmp_path: Path) -> None:
    saved(tmp_path, ([TASK], 200, body(entry())))
    saved(tmp_path, ([TASK], 200, body(entry(result=False))))
    assert sorted(path.name for path in tmp_path.glob("*.json")) == ["0001.json", "0002.json"]


def test_of_saved_answers_the_latest_counts(tmp_path: Path) -> None:
    early, late = body(entry(process="50%")), body(entry())
    saved(tmp_path, ([TASK], 200, early), ([TASK], 200, late))
    assert judged(tmp_path).code == 0
    assert judged(*sorted(tmp_path.glob("*.json"))).code == 0
    assert judged(*sorted(tmp_path.glob("*.json"), reverse=True)).code == 0


def test_of_saved_answers_the_latest_counts_also_when_it_is_worse(tmp_path: Path) -> None:
    saved(tmp_path, ([TASK], 200, body(entry())), ([TASK], 200, body(entry(result=False))))
    assert judged(tmp_path).code == 1


def test_answers_without_a_run_that_differ_are_a_contradiction(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(body(entry(result=False)))
    (tmp_path / "b.json").write_bytes(body(entry()))
    for order in (["a.json", "b.json"], ["b.json", "a.json"]):
        result = judged(*(tmp_path / name for name in order))
        assert result.code == 1
        assert result.says("it is not known which is later")


def test_answers_without_a_run_that_agree_are_one(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_bytes(body(entry()))
    assert judged(tmp_path / "a.json", tmp_path / "b.json").code == 0


def test_an_answer_that_was_changed_after_it_was_saved_is_refused(tmp_path: Path) -> None:
    saved(tmp_path, ([TASK], 200, body(entry(result=False))))
    (tmp_path / "0001.json").write_bytes(body(entry()))
    result = judged(tmp_path)
    assert result.code == 4
    assert result.says("it was changed: run.jsonl beside it lists another content")


def test_a_run_says_which_tasks_were_asked_for(tmp_path: Path) -> None:
    saved(tmp_path, ([TASK, OTHER], 200, body(entry())))
    answers = SavedAnswers([tmp_path])
    assert (answers.listed, answers.tasks) == (True, [TASK, OTHER])
    assert judged(tmp_path).code == 4


def test_without_a_run_it_is_not_known_which_tasks_were_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(body(entry()))
    answers = SavedAnswers([tmp_path / "a.json"])
    assert (answers.listed, answers.tasks) == (False, [TASK])


def test_a_task_that_no_answer_holds_is_not_answered_for(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(body(entry()))
    answers = SavedAnswers([tmp_path / "a.json"])
    [_, missing] = answers.observations([TASK, OTHER])
    assert missing.trouble is not None
    assert missing.trouble.kind is TroubleKind.NOT_ANSWERED


def test_what_is_no_answer_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(body(entry()))
    (tmp_path / "b.json").write_bytes(b"<html>")
    result = judged(tmp_path / "a.json", tmp_path / "b.json")
    assert result.code == 4
    assert result.says("b.json")


@pytest.mark.parametrize("content", [b"", b" \n"])
def test_an_empty_answer_is_a_usage_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"a\.json is empty"):
        SavedAnswers([tmp_path / "a.json"])


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "",
        "{}",
        "[]",
        '{"kind": "began"}',
        '{"kind": "ended", "run": "a", "at": ""}',
        '{"kind": [], "run": "a"}',
    ],
)
def test_a_file_that_no_run_wrote_is_a_usage_error_also_beside_a_single_file(
    tmp_path: Path, line: str
) -> None:
    (tmp_path / "a.json").write_bytes(body(entry()))
    (tmp_path / "run.jsonl").write_text(line + "\n")
    with pytest.raises(UsageError, match="line 1"):
        SavedAnswers([tmp_path / "a.json"])


def test_a_folder_without_answers_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no answers"):
        SavedAnswers([tmp_path])


def test_a_folder_that_cannot_be_written_is_remembered_and_never_raised(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    archive = AnswerArchive(tmp_path / "file", FakeClock())
    archive.save([TASK], 200, b"{}", "")
    assert archive.failure
