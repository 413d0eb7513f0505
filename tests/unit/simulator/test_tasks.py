"""What the simulated service says of a task at a moment."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precheck_gate.simulator.tasks import (
    Doubled,
    Milestone,
    SimulatedItem,
    SimulatedTask,
    TaskError,
    Window,
    entries,
    progress,
)

ID = "140b5236-88ad-43c8-811c-1268453jb101"
PASSED = SimulatedItem({"item": "a", "result": "PASSED"})
ALARM = SimulatedItem({"item": "b", "result": "ALARM"})
FAILED = SimulatedItem({"item": "c", "result": "FAILED"}, {"raw_error_msg": "坏"})


def make(*points: Milestone, **rest: Any) -> SimulatedTask:
    given_points = points or (Milestone(0, 100.0),)
    return SimulatedTask(**{"id": ID, "answers_as": ID, "points": given_points, **rest})


def entry(task: SimulatedTask, seconds: float = 0.0, language: str = "en-us") -> dict[str, Any]:
    (only,) = entries(task, seconds, language=language)
    return only


moments = st.floats(0, 1e6, allow_nan=False)
percents = st.floats(0, 100, allow_nan=False)
scripts = st.lists(st.tuples(moments, percents), min_size=1, unique_by=lambda p: p[0]).map(sorted)


@given(scripts, moments)
def test_a_progress_stays_in_its_range(script: list[tuple[float, float]], moment: float) -> None:
    task = make(*(Milestone(at, percent) for at, percent in script))
    percent = progress(task, moment).percent
    assert percent is not None
    wanted = [percent for _, percent in script]
    assert min(wanted) <= percent <= max(wanted)
    assert 0 <= int(entry(task, moment)["process"].removesuffix("%")) <= 100


@given(scripts, st.lists(moments, min_size=2).map(sorted))
def test_a_rising_script_never_falls(script: list[tuple[float, float]], asked: list[float]) -> None:
    rising = sorted(percent for _, percent in script)
    task = make(*(Milestone(at, p) for (at, _), p in zip(script, rising, strict=True)))
    seen = [progress(task, moment).percent or 0.0 for moment in asked]
    assert seen == sorted(seen)


@given(scripts)
def test_a_script_says_what_it_wrote_at_its_points(script: list[tuple[float, float]]) -> None:
    task = make(*(Milestone(at, percent) for at, percent in script))
    assert [progress(task, at).percent for at, _ in script] == [percent for _, percent in script]


@pytest.mark.parametrize(
    ("moment", "said"),
    [(0, "0%"), (2, "30%"), (4, "60%"), (4.99, "99%"), (5, "100%"), (7.9, "100%"), (8, "40%"),
     (10, "70%"), (12, "100%"), (1e9, "100%")],
)  # fmt: skip
def test_a_progress_rises_evenly_and_falls_at_once(moment: float, said: str) -> None:
    task = make(
        Milestone(0, 0), Milestone(4, 60), Milestone(5, 100), Milestone(8, 40), Milestone(12, 100)
    )
    assert entry(task, moment)["process"] == said


@pytest.mark.parametrize("raw", ["abc", 100, None, True, ["100%"], {"a": 1}])
def test_a_raw_progress_is_sent_as_it_is_with_everything_else_complete(raw: Any) -> None:
    task = make(Milestone(0, 10), Milestone(1, None, raw), Milestone(2, 50), items=(PASSED,))
    assert entry(task, 0.9)["process"] == "10%"
    assert entry(task, 1.9)["process"] == raw
    assert entry(task, 1.9)["result"] is True
    assert entry(task, 2)["process"] == "50%"


@pytest.mark.parametrize(
    ("items", "result", "rate"),
    [((PASSED,), True, "100%"), ((PASSED, ALARM), True, "100%"), ((PASSED, FAILED), False, "50%"),
     ((), True, "0%")],
)  # fmt: skip
def test_the_result_follows_from_the_items(
    items: tuple[SimulatedItem, ...], result: bool, rate: str
) -> None:
    said = entry(make(items=items))
    assert (said["result"], said["total_passed_rate"]) == (result, rate)


def test_before_the_end_nothing_is_passed_and_only_some_items_are_there() -> None:
    said = entry(make(Milestone(0, 0), Milestone(10, 100), items=(PASSED,) * 4, result=True), 5)
    assert (said["result"], said["process"], said["total_passed_rate"]) == (False, "50%", "50%")
    assert len(said["precheck_result"]) == 2


@pytest.mark.parametrize("result", ["true", 1, None, True, [True]])
def test_a_result_can_be_anything(result: Any) -> None:
    said = entry(make(items=(FAILED,), result=result))["result"]
    assert said == result
    assert type(said) is type(result)


def test_an_error_stands_in_for_the_result_while_it_lasts() -> None:
    task = make(error=TaskError("DRS.M00289", "gone", Window(1, 2)))
    assert entry(task, 1) == {
        "precheck_id": ID,
        "error_code": "DRS.M00289",
        "error_msg": "gone",
    }
    assert "error_code" not in entry(task, 0.5)
    assert "error_code" not in entry(task, 2)


def test_a_task_can_be_missing_for_a_while() -> None:
    task = make(missing=Window(1, 2))
    assert [len(entries(task, moment)) for moment in (0, 1, 1.9, 2)] == [1, 0, 0, 1]


def test_a_task_can_stand_twice() -> None:
    first, second = entries(make(items=(PASSED,), doubled=Doubled.SAME), 0)
    assert first == second
    first, second = entries(make(items=(PASSED,), doubled=Doubled.DIFFERENT), 0)
    assert (first["result"], second["result"]) == (True, False)
    assert {**first, "result": False} == second


def test_fields_can_be_forced_and_left_out() -> None:
    task = make(fields={"process": "101%", "new": [1]}, without=("result",), answers_as=None)
    said = entry(task)
    assert said["process"] == "101%"
    assert said["new"] == [1]
    assert "result" not in said
    assert "precheck_id" not in said


def test_texts_in_chinese_where_there_are_some() -> None:
    task = make(items=(PASSED, FAILED))
    chinese = entry(task, language="zh-cn")["precheck_result"]
    assert chinese[0] == PASSED.fields
    assert chinese[1]["raw_error_msg"] == "坏"
    assert "raw_error_msg" not in entry(task)["precheck_result"][1]


def test_an_answer_is_the_readers_own() -> None:
    task = make(items=(PASSED,), fields={"x": [1]})
    said = entry(task)
    said["precheck_result"][0]["result"] = "FAILED"
    said["x"].append(2)
    assert entry(task)["precheck_result"][0]["result"] == "PASSED"
    assert entry(task)["x"] == [1]
