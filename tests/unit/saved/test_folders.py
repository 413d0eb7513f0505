"""Folders of saved answers that are not quite what one run wrote: none is greener for it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.model.snapshots import Observation
from precheck_gate.safetext.secrets import Secret
from precheck_gate.saved.answers import AnswerArchive, SavedAnswers
from tests.support.fakes import EPOCH, FakeClock
from tests.support.harness import body, entry, judge_observations
from tests.support.outcome import ID, OTHER
from tests.unit.saved.test_same_verdict import (
    BAD,
    CASES,
    GOOD,
    Case,
    one,
    saved_by,
    two,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.gate import Gate, Serve
    from tests.support.outcome import Outcome


def rewrite(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    """Change each line of a folder's index, or take it out."""
    index = folder / "index.jsonl"
    lines = [change(json.loads(line)) for line in index.read_text().splitlines()]
    index.write_text("".join(json.dumps(line) + "\n" for line in lines if line is not None))


def as_before(line: dict[str, Any]) -> dict[str, Any] | None:
    """Return a line as it was when an index told of answers alone."""
    if line["kind"] != "answer":
        return None
    return {key: value for key, value in line.items() if key not in ("kind", "started")}


def without_end(line: dict[str, Any]) -> dict[str, Any] | None:
    return None if line["kind"] == "ended" else line


def evaluate(gate: Gate, *argv: Path | str) -> Outcome:
    return gate.judge("evaluate", *map(str, argv), *gate.outputs)


PASSES, BLOCKED = one(0, f"items: {GOOD}, duration: 9s"), one(1, f"items: {BAD}")


# --- an index of the older form -----------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_an_index_of_answers_alone_is_judged_and_never_green(
    gate: Gate, serve: Serve, tmp_path: Path, name: str
) -> None:
    saved_by(gate, serve, CASES[name], tmp_path / "a")
    rewrite(tmp_path / "a", as_before)
    again = evaluate(gate, tmp_path / "a")
    # Where nothing came over the network, there is no answer in it.
    assert again.code in ((2,) if name == "never there" else (1, 3, 4))
    assert not {"passed", "passed_with_warnings"} & set(again.verdicts().values())


def test_the_files_beside_it_are_judged_for_what_they_are(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    saved_by(gate, serve, PASSES, tmp_path / "a")
    rewrite(tmp_path / "a", as_before)
    outcome = evaluate(gate, tmp_path / "a")
    assert outcome.code == 3
    outcome.says("does not tell how the run ended", "name the files")
    assert evaluate(gate, *sorted((tmp_path / "a").glob("*.json"))).code == 0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("vanishes", "the service answered, but not for this task"),
        ("is deleted", "DRS.M05004"),
        ("ill in the end", "HTTP 503"),
        ("malformed in the end", "not valid JSON"),
        ("a task becomes refused", "HTTP 400"),
    ],
)
def test_without_an_end_the_last_answer_decides(
    gate: Gate, serve: Serve, tmp_path: Path, name: str, words: str
) -> None:
    live = saved_by(gate, serve, CASES[name], tmp_path / "a").verdicts()
    for change in (without_end, as_before):
        rewrite(tmp_path / "a", change)
        outcome = evaluate(gate, tmp_path / "a")
        assert outcome.code == 4
        outcome.says(words)
        # It is no trouble of a task that it does not name.
        assert {task for task, verdict in outcome.verdicts().items() if verdict == "error"} == {
            task for task, verdict in live.items() if verdict == "error"
        }


# --- files from a folder ------------------------------------------------------------------------


def test_the_word_of_the_run_stands_where_its_files_are_named(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    saved_by(gate, serve, CASES["only the old result"], tmp_path / "a")
    outcome = evaluate(gate, *sorted((tmp_path / "a").glob("*.json")))
    assert outcome.code == 3
    outcome.says("nothing shows that this result is of the pre-check that was started")


def test_that_there_are_later_answers_is_told(gate: Gate, serve: Serve, tmp_path: Path) -> None:
    saved_by(gate, serve, PASSES, tmp_path / "a")
    first, *_, last = sorted((tmp_path / "a").glob("*.json"))
    outcome = evaluate(gate, first)
    assert outcome.code == 3
    outcome.says("tells of later answers, which were not given")
    assert "later answers" not in evaluate(gate, last).text


def test_beside_a_file_of_its_own_a_folder_keeps_all_its_tasks(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    saved_by(gate, serve, CASES["is never answered for"], tmp_path / "a")
    more = tmp_path / "more.json"
    more.write_bytes(body(entry("140b5236-88ad-43c8-811c-0000001jb101")))
    outcome = evaluate(gate, tmp_path / "a", more)
    assert outcome.code == 4
    assert outcome.verdicts()[ID] == "error"


def test_a_file_that_says_otherwise_than_a_folder_contradicts_it(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    saved_by(gate, serve, PASSES, tmp_path / "a")
    other = tmp_path / "other.json"
    other.write_bytes(body(entry(ID, result=False)))
    for paths in ([tmp_path / "a", other], [other, tmp_path / "a"]):
        outcome = evaluate(gate, *paths)
        assert outcome.code == 1
        outcome.says("say different things of this task")


# --- several runs -------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "second", "code"), [(PASSES, BLOCKED, 1), (BLOCKED, PASSES, 0)])
@pytest.mark.parametrize("apart", [True, False], ids=["two folders", "one folder"])
def test_the_later_run_decides(
    gate: Gate,
    serve: Serve,
    tmp_path: Path,
    clock: FakeClock,
    first: Case,
    second: Case,
    code: int,
    apart: bool,
) -> None:
    folders = [tmp_path / "a", tmp_path / ("b" if apart else "a")]
    saved_by(gate, serve, first, folders[0])
    clock.advance(60.0)
    saved_by(gate, serve, second, folders[1])
    assert evaluate(gate, *dict.fromkeys(folders)).code == code
    assert evaluate(gate, *dict.fromkeys(reversed(folders))).code == code


def test_the_troubles_of_a_run_that_was_made_again_are_over(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    saved_by(gate, serve, CASES["never there"], tmp_path / "a")
    assert evaluate(gate, tmp_path / "a").code == 4
    saved_by(gate, serve, PASSES, tmp_path / "a")
    assert evaluate(gate, tmp_path / "a").code == 0


def test_a_later_run_without_an_end_takes_the_green_away(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    saved_by(gate, serve, PASSES, tmp_path / "a")
    AnswerArchive(tmp_path / "a", FakeClock()).begin([ID])
    outcome = evaluate(gate, tmp_path / "a")
    assert outcome.code == 3
    outcome.says("did not tell how it ended")


class ClockSetBack(FakeClock):
    """A clock whose hands somebody turns back while the run goes on."""

    def now(self) -> datetime:
        return EPOCH - timedelta(seconds=self.monotonic())


def test_the_order_of_the_lines_counts_and_not_the_time(tmp_path: Path) -> None:
    clock = ClockSetBack()
    archive = AnswerArchive(tmp_path, clock)
    archive.begin([ID])
    archive.save([ID], 200, body(entry(ID)), "")
    clock.advance(5.0)
    archive.save([ID], 200, body(entry(ID, result=False)), "")
    answers = SavedAnswers([tmp_path])
    [seen] = answers.observations([ID])
    assert seen.snapshot is not None
    assert not seen.snapshot.ready


# --- what the index must not say ----------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "finished"},
        {"tasks": {ID: {"file": "0009.json", "trouble": None}}},
        {"tasks": {ID: {"file": "../a/0001.json", "trouble": None}}},
        {"tasks": {ID: {"file": "0001.json"}}},
        {"tasks": [ID]},
        {"troubles": [{"kind": "harmless", "message": "", "code": "", "hint": ""}]},
        {"tasks": {ID: {"file": "0001.json", "trouble": {"kind": "stale"}}}},
    ],
)
def test_an_end_that_is_none_is_a_usage_error(
    gate: Gate, serve: Serve, tmp_path: Path, change: dict[str, Any]
) -> None:
    saved_by(gate, serve, PASSES, tmp_path / "a")
    rewrite(tmp_path / "a", lambda line: line | change if line["kind"] == "ended" else line)
    outcome = evaluate(gate, tmp_path / "a")
    assert outcome.code == 2
    outcome.says("is not the index of saved answers")


def test_an_end_that_names_an_answer_without_the_task_is_no_green(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    saved_by(gate, serve, CASES["is never answered for"], tmp_path / "a")
    fake = {ID: {"file": "0001.json", "trouble": None}}
    rewrite(
        tmp_path / "a",
        lambda line: line | {"tasks": line["tasks"] | fake} if line["kind"] == "ended" else line,
    )
    assert evaluate(gate, tmp_path / "a").verdicts()[ID] == "error"


def test_a_changed_answer_is_told_of_even_if_a_later_one_counts(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    saved_by(gate, serve, PASSES, tmp_path / "a")
    first = min((tmp_path / "a").glob("*.json"))
    first.write_bytes(first.read_bytes() + b" ")
    assert evaluate(gate, tmp_path / "a").code == 4


# --- what else is kept, and what is not ---------------------------------------------------------


def test_another_policy_is_another_verdict(gate: Gate, serve: Serve, tmp_path: Path) -> None:
    case = one(0, "items: [{item: srcDbConnection, result: ALARM}], duration: 9s")
    saved_by(gate, serve, case, tmp_path / "a")
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nextends: builtin:strict\n")
    assert evaluate(gate, tmp_path / "a", "--policy", str(policy)).code == 1


def test_of_some_of_the_tasks_alone(gate: Gate, serve: Serve, tmp_path: Path) -> None:
    case = two(1, f"items: {GOOD}", f"items: {BAD}, duration: 9s")
    saved_by(gate, serve, case, tmp_path / "a")
    assert evaluate(gate, tmp_path / "a", "--task", ID).code == 0
    assert evaluate(gate, tmp_path / "a", "--task", OTHER).code == 1


def test_answers_of_v5_are_not_saved_and_not_green(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    case = one(5, f"items: {GOOD}, duration: 9s", options="--start-precheck", more="apis: [v5]")
    saved_by(gate, serve, case, tmp_path / "a")
    assert evaluate(gate, tmp_path / "a").code == 4


def test_the_troubles_of_a_run_are_no_reason_not_to_explain_its_answers(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    saved_by(gate, serve, CASES["refused in the end"], tmp_path / "a")
    outcome = gate.main("policy", "explain", str(tmp_path / "a"), with_reports=False)
    assert outcome.code == 0
    outcome.says(f"task {OTHER}")


def test_a_request_id_that_repeats_a_secret_is_masked(tmp_path: Path) -> None:
    secret = Secret("marked-and-long-enough")
    archive = AnswerArchive(tmp_path, FakeClock())
    archive.save([ID], 200, body(entry(ID)), f"r-{secret.reveal()}")
    assert "marked-and-long-enough" not in (tmp_path / "index.jsonl").read_text()


def test_a_folder_that_fills_up_before_the_end_has_none(tmp_path: Path) -> None:
    archive = AnswerArchive(tmp_path, FakeClock())
    archive.begin([ID])
    archive.save([ID], 200, body(entry(ID)), "")
    archive.rest([ID], archive.latest)
    archive.failure = "No space left on device"
    archive.end([Observation(ID)], [])
    answers = SavedAnswers([tmp_path])
    result = judge_observations(answers.observations([ID]), [ID], troubles=answers.troubles)
    assert result.code == 3
