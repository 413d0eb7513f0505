"""Answers beside the documented shape: an error anywhere, a name nowhere, words of other types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.drs.api.v3 import DrsClient
from precheck_gate.drs.api.v3_wire import contents_of, parse_answer
from precheck_gate.drs.http.messages import Reply
from precheck_gate.errors import BatchRefused, NotAnAnswer
from precheck_gate.model.snapshots import Snapshot, Trouble, TroubleKind
from precheck_gate.model.verdicts import Verdict
from precheck_gate.saved.answers import SavedAnswers
from tests.support.fakes import FakeClock
from tests.support.harness import (
    OTHER,
    TASK,
    body,
    entry,
    item,
    judge,
    judge_observations,
    policy,
    poll,
    task_id,
    without,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

UNNAMED = without(entry(result=False), "precheck_id")
ERRORS: list[dict[str, Any]] = [
    {"error_code": "DRS.10000001"},
    {"error_msg": "partial"},
    {"error_msg": " "},
    {"errorCode": "X.1"},
    {"errorMsg": "partial"},
    {"error": {"code": "APIGW.0308", "message": "throttled"}},
    {"error": "throttled"},
    {"error": {}},
    {"error": False},
    {"errorCode": 0},
]
NO_ERRORS: list[dict[str, Any]] = [
    {key: none}
    for key in ("error_code", "error_msg", "errorCode", "errorMsg", "error")
    for none in (None, "")
]


def trouble(content: bytes, task: str = TASK, **started: str) -> Trouble:
    """Return what an answer has against a task."""
    found = parse_answer(content, {key.replace("_", "-"): one for key, one in started.items()})
    reading = found.entries[task]
    assert isinstance(reading, Trouble)
    return reading


# --- an error beside results ----------------------------------------------------------------------


@pytest.mark.parametrize("more", ERRORS)
def test_an_error_at_the_top_makes_it_no_answer_whatever_its_name(more: dict[str, Any]) -> None:
    for read in (parse_answer, contents_of):
        with pytest.raises(NotAnAnswer, match="carries an error") as caught:
            read(body(entry(), **more))
        assert caught.value.hint


def test_what_the_error_at_the_top_says_is_told() -> None:
    for more in ({"error": {"code": "X.1", "message": "m"}}, {"errorCode": "X.1", "errorMsg": "m"}):
        with pytest.raises(NotAnAnswer, match=r"X\.1 m"):
            parse_answer(body(entry(), **more))


@pytest.mark.parametrize("more", NO_ERRORS)
def test_null_and_empty_are_no_error(more: dict[str, Any]) -> None:
    assert judge(body(entry(), **more)).code == 0
    assert judge(body(entry(**more))).code == 0


@pytest.mark.parametrize("more", ERRORS)
def test_an_error_on_a_task_is_one_whatever_its_name(more: dict[str, Any]) -> None:
    assert trouble(body(entry(**more))).kind is TroubleKind.TASK_ERROR


@pytest.mark.parametrize("more", [{"error_msg": " "}, {"error_code": "X.1", "error_msg": "\n"}])
def test_a_blank_message_of_an_error_leaves_no_headline_empty(more: dict[str, Any]) -> None:
    assert trouble(body(entry(**more))).message == (
        "the service reports an error for this task without a message"
    )


def test_an_error_at_the_top_is_asked_again_about() -> None:
    def script(now: float, _: Sequence[str]) -> bytes:
        return body(entry(), **({"errorMsg": "partial"} if now < 20 else {}))

    polled = poll(FakeClock(), script)
    assert polled.poller.retries > 0
    assert polled.judged().verdict is Verdict.PASSED
    judged = poll(FakeClock(), lambda *_: body(entry(), errorMsg="partial"), grace=60.0).judged()
    assert (judged.verdict, judged.code) == (Verdict.ERROR, 4)


# --- whose entry it is ----------------------------------------------------------------------------


def test_an_error_under_id_contradicts_a_pass_of_the_same_task() -> None:
    judged = judge(body(entry(), {"id": TASK, "error_code": "DRS.M00289"}))
    assert (judged.verdict, judged.code) == (Verdict.BLOCKED, 1)
    assert judged.says("more than once and not alike")


def test_an_error_under_id_is_the_tasks() -> None:
    said = trouble(body({"id": TASK, "error_code": "DRS.M00289", "error_msg": "gone"}))
    assert (said.kind, said.code, said.message) == (TroubleKind.TASK_ERROR, "DRS.M00289", "gone")


def test_a_pass_under_id_alone_is_none() -> None:
    """Only `precheck_id` is documented to name the task: under another name nothing is green."""
    content = body({**without(entry(), "precheck_id"), "id": TASK})
    assert trouble(content).kind is TroubleKind.MALFORMED
    assert judge(content).code == 4


@pytest.mark.parametrize("name", [TASK, None, ""])
def test_an_id_that_says_the_same_changes_nothing(name: Any) -> None:
    assert judge(body(entry(id=name))).code == 0


@pytest.mark.parametrize("name", [OTHER, TASK.upper(), " ", 5, [], {"id": TASK}, False])
def test_an_id_that_says_something_else_is_malformed(name: Any) -> None:
    content = body(entry(id=name))
    assert trouble(content).kind is TroubleKind.MALFORMED
    assert judge(content).code == 4
    if isinstance(name, str) and name.strip():
        assert trouble(content, name).kind is TroubleKind.MALFORMED
        assert contents_of(content).tasks == [TASK, name]


@pytest.mark.parametrize("name", [" ", 5, [], {"id": TASK}, False])
def test_an_odd_precheck_id_beside_an_id_is_malformed(name: Any) -> None:
    assert trouble(body(entry(name, id=TASK))).kind is TroubleKind.MALFORMED


def test_the_started_prechecks_own_id_stands_for_the_task() -> None:
    for name in (None, TASK, "own-id"):
        answer = parse_answer(body(entry("own-id", id=name)), {"own-id": TASK})
        assert isinstance(answer.entries[TASK], Snapshot)
        assert answer.own == {TASK}
    assert trouble(body(entry("own-id", id=OTHER)), own_id=TASK).kind is TroubleKind.MALFORMED
    assert trouble(body(entry("old-id", id=TASK)), own_id=TASK).kind is TroubleKind.MALFORMED


NAMELESS = [
    UNNAMED,
    {"error_code": "DRS.10000001", "error_msg": "failed"},
    {},
    entry(None),  # type: ignore[arg-type]
    entry(""),
    entry(" "),
    entry(5),  # type: ignore[arg-type]
    entry("", id=""),
    entry("", id=[TASK]),
    {**UNNAMED, "job_id": OTHER},
]


@pytest.mark.parametrize("nameless", NAMELESS)
def test_an_entry_that_names_no_task_makes_the_answer_none(nameless: dict[str, Any]) -> None:
    content = body(entry(), nameless)
    for read in (parse_answer, contents_of):
        with pytest.raises(NotAnAnswer, match="1 of the 2 results names no task"):
            read(content)


def test_what_an_entry_without_a_name_says_is_told() -> None:
    with pytest.raises(NotAnAnswer, match=r"DRS\.10000001 failed") as caught:
        parse_answer(body(entry(), {"error_code": "DRS.10000001", "error_msg": "failed"}))
    assert caught.value.code == "DRS.10000001"


def client(content: bytes) -> DrsClient:
    def send(*_: Any) -> Reply:
        return Reply(200, {}, content)

    return DrsClient("http://127.0.0.1:1", lambda _: "p", send, FakeClock())


def test_live_an_entry_without_a_name_is_a_refused_batch() -> None:
    with pytest.raises(BatchRefused, match="names no task") as caught:
        client(body(entry(), UNNAMED)).precheck_results([TASK, OTHER], 1.0)
    assert caught.value.hint


def test_live_the_batch_is_split_so_that_the_others_keep_their_verdicts() -> None:
    tasks = [task_id(number) for number in range(10)]
    bad = tasks[3]

    def script(_: float, asked: Sequence[str]) -> bytes:
        return body(*(UNNAMED if one == bad else entry(one) for one in asked))

    polled = poll(FakeClock(), script, tasks, grace=60.0)
    verdicts = {one.task_id: one.verdict for one in polled.judged().tasks}
    assert verdicts == {one: Verdict.ERROR if one == bad else Verdict.PASSED for one in tasks}
    assert polled.judged().says("names no task")
    assert 60.0 <= polled.elapsed < 80.0


def test_live_an_entry_without_a_name_that_passes_by_is_forgotten() -> None:
    def script(now: float, asked: Sequence[str]) -> bytes:
        return body(*map(entry, asked), *([UNNAMED] if now < 20 else []))

    assert poll(FakeClock(), script, [TASK, OTHER]).judged().verdict is Verdict.PASSED


def test_offline_an_entry_without_a_name_is_an_error_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(body(entry(), UNNAMED))
    (tmp_path / "b.json").write_bytes(body(entry(OTHER)))
    answers = SavedAnswers([tmp_path / "a.json", tmp_path / "b.json"])
    assert answers.held == [OTHER]
    judged = judge_observations(
        answers.observations([TASK, OTHER]), [TASK, OTHER], troubles=answers.troubles
    )
    assert judged.code == 4
    assert judged.says("a.json: 1 of the 2 results names no task")


# --- items ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("items", [[item("b", "FAILED")], [], "x", {}, False])
def test_items_under_the_name_that_v5_has_for_them_are_not_passed_over(items: Any) -> None:
    content = body(entry(precheck_results=items))
    assert trouble(content).kind is TroubleKind.MALFORMED
    assert judge(content).code == 4
    assert judge(body(entry(precheck_results=None))).code == 0


@pytest.mark.parametrize("said", ["true", "false", "", 1, 0, [], {}])
@pytest.mark.parametrize("status", ["PASSED", "ALARM", "FAILED"])
def test_is_skipped_of_another_type_is_malformed(said: Any, status: str) -> None:
    blocking = policy("version: 1\nskipped: block\n")
    content = body(entry(items=[item(result=status, is_skipped=said)]))
    assert trouble(content).kind is TroubleKind.MALFORMED
    assert judge(content, by=blocking).code == 4


@pytest.mark.parametrize("said", [None, False, True])
def test_is_skipped_in_its_own_type_is_read(said: Any) -> None:
    assert judge(body(entry(items=[item(is_skipped=said)]))).code == 0


@pytest.mark.parametrize("said", [None, "true", 1, [], True])
def test_is_support_skip_changes_no_verdict(said: Any) -> None:
    assert judge(body(entry(items=[item(is_support_skip=said)]))).code == 0


@pytest.mark.parametrize("name", ["", " ", "\t\n", "\u3000"])
def test_a_blank_name_of_an_item_is_none(name: str) -> None:
    assert trouble(body(entry(items=[item(name)]))).kind is TroubleKind.MALFORMED
