"""Single files named from a folder of saved answers, and runs that share a folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from precheck_gate.model.snapshots import Observation
from precheck_gate.saved.answers import AnswerArchive
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


def save(archive: AnswerArchive, content: bytes, status: int = 200) -> None:
    archive.save([TASK], status, content, "")
    archive.rest([TASK], archive.latest)


def test_a_single_file_of_a_run_that_never_ended_is_not_green(
    gate: Gate, archive: AnswerArchive, tmp_path: Path
) -> None:
    archive.begin([TASK])
    save(archive, body(entry()))
    outcome = evaluate(gate, tmp_path / "a" / "0001.json")
    assert outcome.code == 3
    outcome.says("did not tell how it ended")


def test_a_single_file_that_came_after_the_end_of_a_run_is_not_green(
    gate: Gate, archive: AnswerArchive, tmp_path: Path
) -> None:
    archive.begin([TASK])
    save(archive, body(entry()))
    archive.end([Observation(TASK)], [])
    save(archive, body(entry()))
    outcome = evaluate(gate, tmp_path / "a" / "0002.json")
    assert outcome.code == 3
    outcome.says("did not tell how it ended")


def test_a_single_file_of_an_index_without_runs_is_judged_for_what_it_is(
    gate: Gate, archive: AnswerArchive, tmp_path: Path
) -> None:
    save(archive, body(entry()))
    assert evaluate(gate, tmp_path / "a" / "0001.json").code == 0


def test_of_a_folder_only_the_named_files_are_read(
    gate: Gate, archive: AnswerArchive, tmp_path: Path
) -> None:
    save(archive, body(entry()))
    save(archive, body(entry(result=False)))
    (tmp_path / "a" / "0002.json").unlink()
    outcome = evaluate(gate, tmp_path / "a" / "0001.json")
    assert outcome.code == 0
    outcome.says("tells of later answers, which were not given: for 1 of 1 tasks")


def test_a_reply_without_results_is_not_looked_at_for_tasks(
    gate: Gate, archive: AnswerArchive, tmp_path: Path
) -> None:
    save(archive, b"busy", status=503)
    save(archive, body(entry(process="40%")))
    (tmp_path / "a" / "0001.http-503.txt").unlink()
    outcome = evaluate(gate, tmp_path / "a")
    assert outcome.code == 3
    assert "0001" not in outcome.text


def test_the_named_file_with_results_tells_which_tasks_it_holds(
    gate: Gate, archive: AnswerArchive, tmp_path: Path
) -> None:
    archive.save([TASK], 200, body(entry(), entry(OTHER)), "")
    archive.save([TASK], 200, body(entry()), "")
    one = evaluate(gate, tmp_path / "a" / "0001.json", "--task", TASK)
    one.says(f"the answers also hold task {OTHER}, which was not asked for")
    other = evaluate(gate, tmp_path / "a" / "0002.json", "--task", TASK)
    assert OTHER not in other.text


def test_a_second_run_in_a_folder_overwrites_nothing_and_says_why(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    first, second = (AnswerArchive(folder, FakeClock()) for _ in range(2))
    first.begin([TASK])
    second.begin([OTHER])
    first.save([TASK], 200, b"first", "")
    second.save([OTHER], 200, b"second", "")
    assert (folder / "0001.json").read_bytes() == b"first"
    assert second.failure == "another run saved 0001.json meanwhile; give each run its own folder"
    first.save([TASK], 200, b"third", "")
    assert not first.failure
    # Nothing refers to an answer that was not saved.
    lines = [json.loads(line) for line in (folder / "index.jsonl").read_text().splitlines()]
    assert [one.get("file") for one in lines] == [None, None, "0001.json", "0002.json"]


def test_a_later_run_in_the_same_folder_goes_on_behind_the_earlier_one(tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        archive = AnswerArchive(tmp_path / "a", FakeClock())
        archive.save([TASK], 200, content, "")
        assert not archive.failure
    assert (tmp_path / "a" / "0001.json").read_bytes() == b"first"
    assert (tmp_path / "a" / "0002.json").read_bytes() == b"second"
