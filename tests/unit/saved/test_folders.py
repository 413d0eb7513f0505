"""Folders of saved answers that are not quite what one run wrote: none is greener for it."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.model.snapshots import Observation, Snapshot
from precheck_gate.safetext.secrets import Secret
from precheck_gate.saved.answers import SavedAnswers
from precheck_gate.saved.archive import AnswerArchive
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
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.support.gate import Gate, Serve
    from tests.support.outcome import Outcome


def write_run(folder: Path, lines: Sequence[dict[str, Any]], *, sealed: bool = True) -> None:
    """Write the lines of a run, as somebody does who knows how its end is sealed."""
    digest, texts = hashlib.sha256(), []
    for line in lines:
        if line.get("kind") == "ended" and sealed:
            unsealed = {key: value for key, value in line.items() if key != "seal"}
            digest.update(json.dumps(unsealed).encode() + b"\n")
            texts.append(json.dumps(unsealed | {"seal": digest.hexdigest()}) + "\n")
        else:
            texts.append(json.dumps(line) + "\n")
        digest.update(texts[-1].encode())
    (folder / "run.jsonl").write_text("".join(texts))


def lines_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "run.jsonl").read_text().splitlines()]


def evaluate(gate: Gate, *argv: Path | str) -> Outcome:
    return gate.judge("evaluate", *map(str, argv), *gate.outputs)


PASSES, BLOCKED = one(0, f"items: {GOOD}, duration: 9s"), one(1, f"items: {BAD}")


@pytest.fixture
def saved(gate: Gate, serve: Serve, tmp_path: Path) -> Path:
    saved_by(gate, serve, PASSES, tmp_path / "a")
    return tmp_path / "a"


def parsed(content: bytes) -> Snapshot:
    snapshot = parse_answer(content).entries[ID]
    assert isinstance(snapshot, Snapshot)
    return snapshot


# --- a folder of an earlier version -------------------------------------------------------------


def test_a_folder_of_an_earlier_version_is_refused_with_what_to_do(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    saved_by(gate, serve, PASSES, tmp_path / "a")
    (tmp_path / "a" / "run.jsonl").rename(tmp_path / "a" / "index.jsonl")
    answers = sorted((tmp_path / "a").glob("*.json"))
    for paths in ([tmp_path / "a"], answers):
        outcome = evaluate(gate, *paths)
        assert outcome.code == 2
        outcome.says("were saved by an earlier version", "Run the gate again", "another folder")
    assert evaluate(gate, answers[-1].rename(tmp_path / "copy.json")).code == 0


def test_a_later_run_in_the_folder_of_an_earlier_version_does_not_hide_its_tasks(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    saved_by(gate, serve, PASSES, tmp_path / "a")
    (tmp_path / "a" / "index.jsonl").write_text('{"kind": "began", "tasks": ["another"]}\n')
    outcome = evaluate(gate, tmp_path / "a")
    assert outcome.code == 2
    outcome.says("were saved by an earlier version", "new folder")


# --- files from a folder ------------------------------------------------------------------------


def test_the_word_of_the_run_stands_where_its_files_are_named(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    saved_by(gate, serve, CASES["only the old result"], tmp_path / "a")
    outcome = evaluate(gate, *sorted((tmp_path / "a").glob("*.json")))
    assert outcome.code == 3
    outcome.says("nothing proves that this result is of the pre-check that this run started")


def test_that_there_are_later_answers_is_told(gate: Gate, serve: Serve, tmp_path: Path) -> None:
    saved_by(gate, serve, PASSES, tmp_path / "a")
    first, *_, last = sorted((tmp_path / "a").glob("*.json"))
    outcome = evaluate(gate, first)
    assert outcome.code == 3
    outcome.says("lists later answers for")
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
        outcome.says("contradict each other about this task")


def test_a_contradiction_does_not_make_less_of_what_the_run_had_against_a_task(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    saved_by(gate, serve, CASES["is never answered for"], tmp_path / "a")
    other = tmp_path / "other.json"
    other.write_bytes(body(entry(ID)))
    for paths in ([tmp_path / "a", other], [other, tmp_path / "a"]):
        # A contradiction alone blocks, which --advisory would let pass.
        outcome = evaluate(gate, *paths, "--advisory")
        assert outcome.code == 4
        assert outcome.verdicts()[ID] == "error"


@pytest.mark.parametrize("order", [1, -1])
def test_an_error_in_one_of_two_files_stays_an_error_in_either_order(
    gate: Gate, tmp_path: Path, order: int
) -> None:
    passes, fails = tmp_path / "passes.json", tmp_path / "fails.json"
    passes.write_bytes(body(entry(ID)))
    fails.write_bytes(body(entry(ID, error_code="DRS.10000001", error_msg="no")))
    outcome = evaluate(gate, *[passes, fails][::order], "--advisory")
    assert (outcome.code, outcome.verdicts()[ID]) == (4, "error")


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
    outcome.says("did not end")


class ClockSetBack(FakeClock):
    """A clock whose hands somebody turns back while the run goes on."""

    def now(self) -> datetime:
        return EPOCH - timedelta(seconds=self.monotonic())


def test_the_order_of_the_runs_counts_and_not_the_time(tmp_path: Path) -> None:
    clock = ClockSetBack()
    for result in (True, False):
        archive = AnswerArchive(tmp_path, clock)
        archive.begin([ID])
        archive.end([Observation(ID, parsed(body(entry(ID, result=result))))], [])
        clock.advance(5.0)
    [seen] = SavedAnswers([tmp_path]).observations([ID])
    assert seen.snapshot is not None
    assert not seen.snapshot.ready


def test_two_runs_at_the_same_time_are_told_apart(tmp_path: Path) -> None:
    clock = FakeClock()
    first, second = (AnswerArchive(tmp_path, clock) for _ in range(2))
    first.begin([ID, OTHER])
    second.begin([ID])
    first.end([Observation(ID, parsed(body(entry(ID)))), Observation(OTHER)], [])
    [seen] = SavedAnswers([tmp_path]).observations([ID])
    assert seen.trouble is not None
    assert "did not end" in seen.trouble.message


# --- what a run never says ----------------------------------------------------------------------

ANOTHER = {"task_id": OTHER}
CHANGES: dict[str, Callable[[list[dict[str, Any]]], object]] = {
    "another version": lambda lines: lines[0].update(version=2),
    "no version": lambda lines: lines[0].pop("version"),
    "an unknown kind": lambda lines: lines[-1].update(kind="finished"),
    "no kind": lambda lines: lines[0].pop("kind"),
    "an unknown field": lambda lines: lines[-2].update(more=1),
    "an unknown field of a task": lambda lines: lines[-2]["task"].update(verdict="passed"),
    "a field of another type": lambda lines: lines[-2]["task"].update(age="1"),
    "a task twice in the list": lambda lines: lines[0]["tasks"].append(ID),
    "a task twice": lambda lines: lines.insert(-1, lines[-2]),
    "a task that was not asked for": lambda lines: lines[-2]["task"].update(ANOTHER),
    "the result of another task": lambda lines: lines[-2]["task"]["snapshot"].update(ANOTHER),
    "an end without a task": lambda lines: lines.pop(-2),
    "an end without a beginning": lambda lines: lines.pop(0),
    "a run that begins twice": lambda lines: lines.insert(0, lines[0]),
    "a line after the end": lambda lines: lines.append(lines[1]),
    "two ends": lambda lines: lines.append(lines[-1]),
    "an unknown trouble": lambda lines: lines[-1].update(
        troubles=[{"kind": "harmless", "message": ""}]
    ),
    "an unknown status": lambda lines: lines[-2]["task"]["snapshot"]["items"][0].update(
        status="fine"
    ),
    "a progress that is no number": lambda lines: lines[-2]["task"]["snapshot"].update(
        progress="all"
    ),
    "a file outside of the folder": lambda lines: lines[1].update(file="../a/0001.json"),
    "a file twice": lambda lines: lines.insert(2, lines[1]),
    "an answer about another task": lambda lines: lines[1].update(tasks=[OTHER]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_no_run_writes_is_a_usage_error_though_it_is_sealed(
    gate: Gate, saved: Path, name: str
) -> None:
    lines = lines_of(saved)
    write_run(saved, lines)
    assert evaluate(gate, saved).code == 0
    CHANGES[name](lines)
    write_run(saved, lines)
    outcome = evaluate(gate, saved)
    assert outcome.code == 2
    what = "written by another version" if name == "another version" else "damaged or was changed"
    outcome.says(str(saved / "run.jsonl"), what)


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[-2]["task"]["snapshot"].update(direction="down"),
        lambda lines: lines[-1].update(remarks=["all is well"]),
        lambda lines: lines[-1].update(seal=""),
        lambda lines: lines[-1].pop("seal"),
        lambda lines: lines.pop(1),
    ],
)
def test_what_was_changed_after_the_run_is_a_usage_error(
    gate: Gate, saved: Path, change: Callable[[list[dict[str, Any]]], object]
) -> None:
    lines = lines_of(saved)
    change(lines)
    write_run(saved, lines, sealed=False)
    outcome = evaluate(gate, saved)
    assert outcome.code == 2
    outcome.says("is damaged or was changed")


def test_a_changed_answer_is_told_of_even_if_it_did_not_count(
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


def test_the_tasks_keep_their_names_and_the_remarks_of_the_run(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    case = one(0, f"items: {GOOD}, name: orders", "{kind: count_off}")
    saved_by(gate, serve, case, tmp_path / "a")
    report = evaluate(gate, tmp_path / "a").report
    assert [task["name"] for task in report["tasks"]] == ["orders"]
    assert "the service counts 2 results and sent 1" in report["remarks"]


def test_answers_of_v5_are_not_saved_and_not_green(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    case = one(5, f"items: {GOOD}, duration: 9s", options="--start-precheck", more="apis: [v5]")
    saved_by(gate, serve, case, tmp_path / "a")
    assert evaluate(gate, tmp_path / "a").code == 3


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
    assert "marked-and-long-enough" not in (tmp_path / "run.jsonl").read_text()


def test_a_folder_that_fills_up_before_the_end_has_none(tmp_path: Path) -> None:
    archive = AnswerArchive(tmp_path, FakeClock())
    archive.begin([ID])
    archive.save([ID], 200, body(entry(ID)), "")
    archive.failure = "No space left on device"
    archive.end([Observation(ID)], [])
    answers = SavedAnswers([tmp_path])
    result = judge_observations(answers.observations([ID]), [ID], troubles=answers.troubles)
    assert result.code == 3
