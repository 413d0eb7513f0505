"""Single files named from a folder of saved answers, and runs that share a folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.model.snapshots import Observation, Snapshot
from precheck_gate.saved.archive import AnswerArchive
from tests.support.fakes import FakeClock
from tests.support.harness import OTHER, TASK, body, entry

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.gate import Gate
    from tests.support.outcome import Outcome


@pytest.fixture
def archive(tmp_path: Path) -> AnswerArchive:
    return AnswerArchive(tmp_path / "a", FakeClock())


def evaluate(gate: Gate, *argv: Path | str) -> Outcome:
    return gate.judge("evaluate", *map(str, argv), *gate.outputs)


def seen(result: dict[str, Any]) -> Observation:
    snapshot = parse_answer(body(result)).entries[TASK]
    assert isinstance(snapshot, Snapshot)
    return Observation(TASK, snapshot)


def save(archive: AnswerArchive, content: bytes, status: int = 200) -> None:
    archive.save([TASK], status, content, "")


def test_a_single_file_of_a_run_that_never_ended_is_not_green(
    gate: Gate, archive: AnswerArchive, tmp_path: Path
) -> None:
    archive.begin([TASK])
    save(archive, body(entry()))
    outcome = evaluate(gate, tmp_path / "a" / "0001.json")
    assert outcome.code == 3
    outcome.says("did not end")


def test_a_single_file_that_its_run_does_not_list_is_refused(
    gate: Gate, archive: AnswerArchive, tmp_path: Path
) -> None:
    archive.begin([TASK])
    save(archive, body(entry()))
    (tmp_path / "a" / "0002.json").write_bytes(body(entry()))
    outcome = evaluate(gate, tmp_path / "a" / "0002.json")
    assert outcome.code == 2
    outcome.says("0002.json is not listed in run.jsonl beside it")


def test_a_single_file_of_a_task_that_the_run_never_counted_is_not_green(
    gate: Gate, archive: AnswerArchive, tmp_path: Path
) -> None:
    archive.begin([TASK])
    save(archive, body(entry()))
    archive.end([Observation(TASK)], [])
    assert evaluate(gate, tmp_path / "a" / "0001.json").code == 3


def test_of_a_folder_only_the_named_files_are_read(
    gate: Gate, archive: AnswerArchive, tmp_path: Path
) -> None:
    archive.begin([TASK])
    save(archive, body(entry()))
    save(archive, body(entry(result=False)))
    archive.end([seen(entry(result=False))], [])
    (tmp_path / "a" / "0002.json").unlink()
    outcome = evaluate(gate, tmp_path / "a" / "0001.json")
    assert outcome.code == 0
    outcome.says("lists later answers for 1 of 1 tasks, which were not given")


def test_a_reply_without_results_is_not_looked_at_for_tasks(
    gate: Gate, archive: AnswerArchive, tmp_path: Path
) -> None:
    archive.begin([TASK])
    save(archive, b"busy", status=503)
    save(archive, body(entry(process="40%")))
    archive.end([seen(entry(process="40%"))], [])
    (tmp_path / "a" / "0001.http-503.txt").unlink()
    outcome = evaluate(gate, tmp_path / "a")
    assert outcome.code == 3
    assert "0001" not in outcome.text


def test_the_named_file_with_results_tells_which_tasks_it_holds(
    gate: Gate, archive: AnswerArchive, tmp_path: Path
) -> None:
    archive.begin([TASK, OTHER])
    archive.save([TASK, OTHER], 200, body(entry(), entry(OTHER)), "")
    archive.save([TASK], 200, body(entry()), "")
    archive.end([seen(entry()), Observation(OTHER)], [])
    one = evaluate(gate, tmp_path / "a" / "0001.json", "--task", TASK)
    one.says(f"the answers also contain task {OTHER}, which was not requested")
    other = evaluate(gate, tmp_path / "a" / "0002.json", "--task", TASK)
    assert OTHER not in other.text


def test_a_file_of_an_earlier_run_is_judged_with_the_word_of_the_later_one(
    gate: Gate, tmp_path: Path
) -> None:
    first = AnswerArchive(tmp_path / "a", FakeClock())
    first.begin([TASK])
    save(first, body(entry()))
    first.end([seen(entry())], [])
    assert evaluate(gate, tmp_path / "a" / "0001.json").code == 0
    AnswerArchive(tmp_path / "a", FakeClock()).begin([TASK])
    assert evaluate(gate, tmp_path / "a" / "0001.json").code == 3


def test_the_answer_of_a_file_that_was_saved_again_is_that_of_the_later_run(
    gate: Gate, tmp_path: Path
) -> None:
    for result in (True, False):
        archive = AnswerArchive(tmp_path / "a", FakeClock())
        archive.begin([TASK])
        save(archive, body(entry(result=result)))
        archive.end([seen(entry(result=result))], [])
        if result:
            (tmp_path / "a" / "0001.json").unlink()
    assert evaluate(gate, tmp_path / "a").code == 1
    assert evaluate(gate, tmp_path / "a" / "0001.json").code == 1


def test_a_second_run_in_a_folder_overwrites_nothing_and_says_why(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    first, second = (AnswerArchive(folder, FakeClock()) for _ in range(2))
    first.begin([TASK])
    second.begin([OTHER])
    first.save([TASK], 200, b"first", "")
    second.save([OTHER], 200, b"second", "")
    assert (folder / "0001.json").read_bytes() == b"first"
    assert (
        second.failure
        == "another run saved 0001.json at the same time; give each run its own folder"
    )
    first.save([TASK], 200, b"third", "")
    assert not first.failure
    # Nothing refers to an answer that was not saved.
    lines = [json.loads(line) for line in (folder / "run.jsonl").read_text().splitlines()]
    assert [one.get("file") for one in lines] == [None, None, "0001.json", "0002.json"]


def test_a_later_run_in_the_same_folder_goes_on_behind_the_earlier_one(tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        archive = AnswerArchive(tmp_path / "a", FakeClock())
        archive.save([TASK], 200, content, "")
        assert not archive.failure
    assert (tmp_path / "a" / "0001.json").read_bytes() == b"first"
    assert (tmp_path / "a" / "0002.json").read_bytes() == b"second"
