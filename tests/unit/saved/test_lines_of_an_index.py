"""By which answer a task is judged, for each order of the lines of an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from precheck_gate.model.snapshots import Trouble, TroubleKind
from precheck_gate.saved.answers.history import History
from precheck_gate.saved.run_file import Began, Conclusion, Ended, Exchange, spell
from tests.support.harness import OTHER, TASK

if TYPE_CHECKING:
    from pathlib import Path

    from precheck_gate.saved.run_file import Line

BAD = Trouble(TroubleKind.SERVICE, "down")


def at(minute: int) -> str:
    return f"2026-06-15T00:{minute:02d}:00Z"


def began(minute: int, *tasks: str) -> Began:
    return Began(at(minute), tasks or (TASK,))


def answer(minute: int, *tasks: str, status: int = 200) -> Exchange:
    name = f"{minute:04d}.json" if status == 200 else f"{minute:04d}.http-{status}.txt"
    return Exchange(at(minute), name, status, "", tasks or (TASK,))


def ended(minute: int, trouble: Trouble | None = None, file: int | None = None) -> Ended:
    name = "" if file is None else f"{file:04d}.json"
    return Ended(at(minute), {TASK: Conclusion(name, trouble)}, (trouble,) if trouble else ())


def history(folder: Path, *lines: Line, only: frozenset[str] | None = None) -> History:
    (folder / "index.jsonl").write_text("".join(map(spell, lines)))
    return History(folder, only)


def test_a_run_that_ended_is_taken_at_its_word(tmp_path: Path) -> None:
    lines = (began(0), answer(1), answer(2), ended(3, BAD, file=1))
    source = history(tmp_path, *lines).source(TASK)
    assert source is not None
    assert source.at == at(3)
    assert source.folder == tmp_path
    assert source.exchange == answer(1)
    assert source.verdict_of_run == BAD
    assert source.unfinished is None


def test_a_run_that_ended_without_an_answer_has_none(tmp_path: Path) -> None:
    source = history(tmp_path, began(0), answer(1), ended(2, BAD)).source(TASK)
    assert source is not None
    assert source.exchange is None
    assert source.verdict_of_run == BAD


GOES_ON: dict[str, tuple[Line, ...]] = {
    "began": (began(0), answer(1)),
    "began again": (began(0), answer(1), ended(2, file=1), began(3)),
    "answered after the end": (began(0), answer(1), ended(2, file=1), answer(3)),
    "answered twice after the end": (began(0), ended(2), answer(3), answer(4)),
    "answered after the end of a run whose beginning is lost": (
        answer(1),
        ended(2, file=1),
        answer(3),
    ),
    "began without an answer": (began(0),),
}


@pytest.mark.parametrize(
    ("name", "named"), [(name, named) for name in GOES_ON for named in (False, True)][:-1]
)
def test_a_run_that_has_not_ended_is_unfinished(name: str, named: bool, tmp_path: Path) -> None:
    files = {line.file for line in GOES_ON[name] if isinstance(line, Exchange)}
    only = frozenset(files) if named else None
    source = history(tmp_path, *GOES_ON[name], only=only).source(TASK)
    assert source is not None
    assert source.unfinished is not None
    assert source.unfinished.kind is TroubleKind.UNFINISHED
    assert "Is it still going on?" in source.unfinished.hint
    assert source.at == GOES_ON[name][-1].at
    given = [line for line in GOES_ON[name] if isinstance(line, Exchange)]
    assert source.exchange == (given[-1] if given else None)


def test_an_index_of_answers_alone_is_unfinished_unless_its_files_are_named(tmp_path: Path) -> None:
    source = history(tmp_path, answer(1)).source(TASK)
    assert source is not None
    assert source.unfinished is not None
    assert "Is it still going on?" not in source.unfinished.hint
    source = history(tmp_path, answer(1), only=frozenset(["0001.json"])).source(TASK)
    assert source is not None
    assert source.unfinished is None


def test_a_run_that_ends_after_another_one_is_ended(tmp_path: Path) -> None:
    lines = (began(0), ended(1, BAD), began(2), answer(3), ended(4, file=3))
    found = history(tmp_path, *lines)
    source = found.source(TASK)
    assert source is not None
    assert (source.unfinished, source.verdict_of_run) == (None, None)
    assert found.troubles == [], "the trouble of the run before is over"


def test_a_named_answer_is_judged_with_what_its_run_says(tmp_path: Path) -> None:
    lines = (began(0), answer(1), answer(2), ended(3, BAD, file=2))
    found = history(tmp_path, *lines, only=frozenset(["0001.json"]))
    source = found.source(TASK)
    assert source is not None
    assert source.exchange == answer(1)
    assert source.verdict_of_run == BAD
    assert found.has_later(TASK)
    assert [one.file for one in found.given()] == ["0001.json"]
    latest = history(tmp_path, *lines, only=frozenset(["0002.json"]))
    assert not latest.has_later(TASK)
    assert not history(tmp_path, *lines).has_later(TASK)


def test_a_task_without_a_named_answer_is_not_known(tmp_path: Path) -> None:
    lines = (began(0, TASK, OTHER), answer(1), answer(2, OTHER))
    found = history(tmp_path, *lines, only=frozenset(["0001.json"]))
    assert found.source(TASK) is not None
    assert found.source(OTHER) is None
    assert not found.has_later(OTHER)
    assert found.source("unknown") is None
    assert not found.has_later("unknown")


def test_only_replies_with_results_are_given(tmp_path: Path) -> None:
    found = history(tmp_path, began(0), answer(1), answer(2, status=503))
    assert [one.file for one in found.given()] == ["0001.json"]
    assert list(found.exchanges) == ["0001.json", "0002.http-503.txt"]
    source = found.source(TASK)
    assert source is not None
    assert source.exchange == answer(2, status=503)


def test_the_tasks_are_in_the_order_of_the_index(tmp_path: Path) -> None:
    found = history(tmp_path, began(0, OTHER, TASK), answer(1, TASK), answer(2, OTHER))
    assert found.tasks == [OTHER, TASK]


def test_the_troubles_of_a_run_are_told_once_for_all_its_tasks(tmp_path: Path) -> None:
    conclusion = Conclusion("", BAD)
    end = Ended(at(1), {TASK: conclusion, OTHER: conclusion}, (BAD,))
    assert history(tmp_path, began(0, TASK, OTHER), end).troubles == [BAD]
