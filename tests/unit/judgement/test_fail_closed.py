"""Every row of the design's table "fail closed": what the service says, what the gate says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.cli.options.tasks import NamedTask, parse_task_list, select_tasks
from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.errors import NotAnAnswer, UsageError
from precheck_gate.model.verdicts import FindingKind, Verdict
from tests.support.fakes import FakeClock
from tests.support.harness import (
    OTHER,
    TASK,
    body,
    entry,
    item,
    judge,
    policy,
    poll,
    without,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


def test_a_task_that_answered_in_full_and_passed_is_green() -> None:
    judged = judge(body(entry()))
    assert (judged.verdict, judged.code) == (Verdict.PASSED, 0)


def test_result_false_every_item_passed_is_blocked_the_service_itself_refuses() -> None:
    judged = judge(body(entry(result=False)))
    assert (judged.verdict, judged.code) == (Verdict.BLOCKED, 1)
    assert judged.says("DRS says that the task may not start (result: false), though every item")


def test_result_true_an_item_failed_is_blocked_as_a_contradiction() -> None:
    judged = judge(body(entry(items=[item(), item("srcDbBinlogIsOff", "FAILED")])))
    assert judged.verdict is Verdict.BLOCKED
    assert judged.says(
        "contradiction: DRS says that the task may start, but these items are FAILED: srcDbB"
    )


def test_result_true_an_item_failed_is_blocked_even_where_a_rule_allows_the_item() -> None:
    allowing = policy("version: 1\nrules:\n- {match: {item: x}, effect: allow}\n")
    judged = judge(body(entry(items=[item("x", "FAILED")])), by=allowing)
    assert judged.verdict is Verdict.BLOCKED


@pytest.mark.parametrize("result", ["true", 1, None, "", [], {}, "True", 1.0, "missing"])
def test_result_not_the_json_value_true_is_blocked_at_100(result: Any) -> None:
    said = entry(result=result)
    judged = judge(body(without(said, "result") if result == "missing" else said))
    assert (judged.verdict, judged.code) == (Verdict.BLOCKED, 1)
    assert judged.says("does not say that the task may start")


@pytest.mark.parametrize(
    ("field", "sent", "said"),
    [
        ("result", "1.0", "(result: 1.0, not true)"),
        ("result", '"1.0"', '(result: "1.0", not true)'),
        ("result", '[1.50, {"a": "NaN", "b": 2e1}]', '[1.50,{"a":"NaN","b":2E+1}], not true)'),
        ("process", "100.00001", "the progress 100.00001 is not"),
        ("process", '"100.00001"', 'the progress "100.00001" is not'),
    ],
)
def test_what_was_sent_is_shown_as_it_came(field: str, sent: str, said: str) -> None:
    content = body(entry(**{field: "HERE"})).replace(b'"HERE"', sent.encode())
    assert judge(content).says(said)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("PASSED ", 'is "PASSED ", a status'),
        (" ", 'is " ", a status'),
        ("so far so good", 'is "so far so good", a status'),
        ("PASSED, really", 'is "PASSED, really", a status'),
        ("NEW_ONE", "is NEW_ONE, a status"),
        ("失败", "is 失败, a status"),
        ("null", "is null, a status"),
        (1.0, "is 1.0, a status"),
        ([], "is [], a status"),
        ({"a": 1}, 'is {"a":1}, a status'),
    ],
)
def test_a_status_that_is_no_plain_word_is_quoted(status: Any, said: str) -> None:
    assert judge(body(entry(items=[item(result=status)]))).says(said)
    sub = {"id": "s", "check_result": status}
    assert judge(body(entry(items=[item(failed_sub_jobs=[sub])]))).says(said)


@pytest.mark.parametrize("result", ["true", 1, None, True])
def test_result_not_true_before_100_is_still_pending(result: Any) -> None:
    judged = judge(body(entry(result=result, process="99%")))
    assert (judged.verdict, judged.code) == (Verdict.INCOMPLETE, 3)


@pytest.mark.parametrize(
    "status",
    ["WARNING", "passed", "Passed", " PASSED", "PASSED ", " ", "null", 1, True, []],
)
def test_status_unknown_lower_case_or_blank_blocks_by_default(status: Any) -> None:
    judged = judge(body(entry(items=[item(), item(result=status)])))
    assert judged.verdict is Verdict.BLOCKED
    assert judged.says("a status that DRS does not document")


@pytest.mark.parametrize(
    ("effect", "verdict"),
    [
        ("allow", Verdict.PASSED),
        ("warn", Verdict.PASSED_WITH_WARNINGS),
        ("block", Verdict.BLOCKED),
    ],
)
def test_status_unknown_has_the_effect_that_the_policy_gives_it(
    effect: str, verdict: Verdict
) -> None:
    by = policy(f"version: 1\nstatuses: {{unknown: {effect}}}\n")
    assert judge(body(entry(items=[item(result="NEW")])), by=by).verdict is verdict


@pytest.mark.parametrize("process", ["100%", "100 %", 100, "100", "100.0%", 100.0])
def test_process_in_the_forms_of_100_is_100(process: Any) -> None:
    assert judge(body(entry(process=process))).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    "process",
    [
        *(
            "",
            "abc",
            "101%",
            "-1%",
            "NaN",
            "1e2%",
            "١٠٠%",
            "１００%",
            "%",
            "100%%",
            " 100%",
            "100%\n",
        ),
        *("+100%", "0x64", "100.%", "100,0%", "99.99999999999999999999%", "1_00%"),
        *(True, False, None, [], [100], {}, {"percent": 100}, 101, -1, 100.00001, 99.999),
    ],
)
def test_process_that_is_not_understood_is_never_100(process: Any) -> None:
    judged = judge(body(entry(process=process)))
    assert (judged.verdict, judged.code) == (Verdict.INCOMPLETE, 3)


def test_process_missing_is_never_100() -> None:
    assert judge(body(without(entry(), "process"))).verdict is Verdict.INCOMPLETE


def test_process_a_fraction_below_100_that_a_float_would_round_up_is_not_100() -> None:
    content = body(entry(process=0)).replace(b'"process": 0', b'"process": 99.99999999999999999999')
    assert judge(content).verdict is Verdict.INCOMPLETE


def test_process_not_understood_waits_and_then_is_incomplete() -> None:
    polled = poll(FakeClock(), lambda *_: body(entry(process="abc")), timeout=60.0)
    assert len(polled.service.asked) > 5
    assert polled.judged().verdict is Verdict.INCOMPLETE


def test_a_requested_task_missing_is_pending_within_the_grace_then_an_error() -> None:
    polled = poll(FakeClock(), lambda *_: body(), grace=60.0, timeout=600.0)
    judged = polled.judged()
    assert 60.0 <= polled.elapsed < 70.0
    assert (judged.verdict, judged.code) == (Verdict.ERROR, 4)
    assert judged.says("not for this task")


def test_a_requested_task_missing_that_appears_within_the_grace_passes() -> None:
    polled = poll(FakeClock(), lambda now, _: body(entry()) if now > 30 else body(), grace=60.0)
    assert polled.judged().verdict is Verdict.PASSED


def test_a_task_that_nobody_asked_for_is_ignored_and_said_aloud() -> None:
    polled = poll(FakeClock(), lambda *_: body(entry(), entry(OTHER, result=False)))
    judged = polled.judged()
    assert judged.verdict is Verdict.PASSED
    assert judged.says(f"{OTHER}, which was not asked for")


def test_a_task_that_nobody_asked_for_makes_up_for_none() -> None:
    assert judge(body(entry(OTHER)), [TASK]).verdict is Verdict.ERROR


def test_ids_are_compared_exactly() -> None:
    assert judge(body(entry(TASK.upper())), [TASK]).verdict is Verdict.ERROR


def test_the_same_task_twice_with_the_same_content_is_one() -> None:
    judged = judge(body(entry(), entry()))
    assert judged.verdict is Verdict.PASSED
    assert judged.says("is in the answer 2 times, alike")


@pytest.mark.parametrize(
    "second",
    [
        entry(result=False),
        entry(result=1),
        entry(process="50%"),
        entry(items=[]),
        entry(items=[item("x")]),
        entry(error_code="DRS.M00289"),
        entry(items=[item(failed_reason="X")]),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_the_same_task_twice_with_different_content_is_blocked_as_contradictory(
    second: dict[str, Any], turned: bool
) -> None:
    entries = [second, entry()] if turned else [entry(), second]
    judged = judge(body(*entries))
    assert (judged.verdict, judged.code) == (Verdict.BLOCKED, 1)
    assert judged.says("more than once and not alike")


@pytest.mark.parametrize("count", [0, 2, "1", None, True, 1.5])
def test_a_count_other_than_the_length_is_said_aloud_and_changes_nothing(count: Any) -> None:
    judged = judge(body(entry(), count=count))
    assert judged.verdict is Verdict.PASSED
    assert judged.says("the service counts")


@pytest.mark.parametrize("more", [{"error_code": "DRS.M05004"}, {"error_msg": "deleted"}])
def test_an_error_on_a_task_is_retried_within_the_grace_then_an_error(more: dict[str, str]) -> None:
    polled = poll(FakeClock(), lambda *_: body(entry(**more)), grace=60.0, timeout=600.0)
    judged = polled.judged()
    assert 60.0 <= polled.elapsed < 70.0
    assert len(polled.service.asked) > 3
    assert (judged.verdict, judged.code) == (Verdict.ERROR, 4)
    assert any(next(iter(more.values())) in (one.code, one.message) for one in judged.findings)


def test_an_error_on_a_task_that_passes_by_within_the_grace_is_forgotten() -> None:
    def script(now: float, _: Sequence[str]) -> bytes:
        return body(entry(error_code="DRS.10000001")) if now < 30 else body(entry())

    assert poll(FakeClock(), script, grace=60.0).judged().verdict is Verdict.PASSED


def test_progress_that_falls_back_from_100_is_pending_again() -> None:
    def script(now: float, asked: Sequence[str]) -> bytes:
        first = entry(process="100%" if now < 8 or now > 90 else "40%")
        return body(*(first if one == TASK else _slow(now) for one in asked))

    def _slow(now: float) -> dict[str, Any]:
        return entry(OTHER, process="100%" if now > 70 else "50%")

    polled = poll(FakeClock(), script, [TASK, OTHER], max_staleness=60.0)
    assert polled.elapsed > 90
    assert polled.judged().verdict is Verdict.PASSED


def test_progress_that_falls_back_and_stays_so_is_incomplete() -> None:
    def script(now: float, asked: Sequence[str]) -> bytes:
        return body(
            *(entry(one, process="100%" if (one == TASK) == (now < 20) else "40%") for one in asked)
        )

    polled = poll(FakeClock(), script, [TASK, OTHER], max_staleness=10.0, timeout=300.0)
    assert polled.judged().verdict is Verdict.INCOMPLETE


@pytest.mark.parametrize(
    ("sub_status", "verdict"),
    [
        ("FAILED", Verdict.BLOCKED),
        ("ALARM", Verdict.PASSED_WITH_WARNINGS),
        ("PASSED", Verdict.PASSED),
        ("failed", Verdict.BLOCKED),
        (None, Verdict.BLOCKED),
    ],
)
def test_failed_sub_jobs_on_a_passed_item_are_findings_judged_by_their_check_result(
    sub_status: Any, verdict: Verdict
) -> None:
    subs = [{"id": "s-1", "name": "orders_1", "check_result": sub_status}]
    judged = judge(body(entry(items=[item(failed_sub_jobs=subs)])))
    assert judged.verdict is verdict
    found = [one for one in judged.findings if one.kind is FindingKind.SUB_TASK]
    assert [one.sub_task for one in found] == ["orders_1 s-1"]


@pytest.mark.parametrize(
    "content",
    [
        b'{"results": [], "results": [], "count": 0}',
        body(entry()).replace(b'"result": true', b'"result": false, "result": true'),
        body(entry()) + body(entry()),
        body(entry()).replace(b'"100%"', b"NaN"),
        body(entry()).replace(b'"100%"', b"Infinity"),
        b"[" * 100_000 + b"]" * 100_000,
        b'{"results": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}",
        body(entry()).replace(b'"100%"', b"1" * 5000),
        body(entry())[:-5],
        b"",
        b"<html>502 Bad Gateway</html>",
        b"\xff\xfe{}",
        b"null",
        b"[]",
        b'"results"',
        b"{}",
        b'{"results": null}',
        b'{"results": {"precheck_id": "x"}}',
        b'{"results": [1]}',
        b'{"results": [null]}',
        json.dumps({"error_code": "DRS.M00202", "error_msg": "bad", "results": [entry()]}).encode(),
    ],
)
def test_what_is_no_answer_is_refused(content: bytes) -> None:
    with pytest.raises(NotAnAnswer) as caught:
        parse_answer(content)
    assert caught.value.exit_code == 4


def test_what_is_no_answer_is_retried_live() -> None:
    def script(now: float, _: Sequence[str]) -> bytes:
        return b"<html>" if now < 20 else body(entry())

    polled = poll(FakeClock(), script)
    assert polled.poller.retries > 0
    assert polled.judged().verdict is Verdict.PASSED


def test_what_is_no_answer_to_the_end_is_a_service_error() -> None:
    judged = poll(FakeClock(), lambda *_: b"<html>", grace=60.0).judged()
    assert (judged.verdict, judged.code) == (Verdict.ERROR, 4)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ([], "No task is named"),
        ([TASK, TASK], "is named twice"),
        (["not-an-id"], "is not a task ID"),
        ([TASK + " "], "is not a task ID"),
        ([TASK + "\n"], "is not a task ID"),
        ([""], "is not a task ID"),
    ],
)
def test_no_task_an_id_twice_or_of_the_wrong_form_is_a_usage_error(
    named: list[str], said: str
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        select_tasks([NamedTask(one, "the command line") for one in named])
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "content", [b"", b"\n \n", b"# nothing\n", b"[]", b"{}", b'""', b"\xef\xbb\xbf"]
)
def test_an_empty_file_of_tasks_is_a_usage_error(content: bytes) -> None:
    with pytest.raises(UsageError) as caught:
        select_tasks(parse_task_list(content, "tasks.txt"))
    assert caught.value.exit_code == 2


def test_a_task_without_items_is_blocked() -> None:
    judged = judge(body(entry(items=[])))
    assert judged.verdict is Verdict.BLOCKED
    assert judged.says("but has no items")


@pytest.mark.parametrize("items", ["", 0, {}, "PASSED", [1], [None], [{}], [{"result": "PASSED"}]])
def test_items_of_the_wrong_shape_are_an_error_even_where_an_empty_task_may_pass(
    items: Any,
) -> None:
    by = policy("version: 1\nallow_empty: true\nstatuses: {unknown: allow}\n")
    said = {**entry(), "precheck_result": items}
    assert judge(body(said), by=by).verdict is Verdict.ERROR


def test_a_task_without_items_passes_where_the_policy_says_allow_empty() -> None:
    by = policy("version: 1\nallow_empty: true\n")
    assert judge(body(entry(items=[])), by=by).verdict is Verdict.PASSED
    assert judge(body(entry(items=[], result=False)), by=by).verdict is Verdict.BLOCKED


def test_no_task_judged_is_an_error() -> None:
    assert judge(body(), []).verdict is Verdict.ERROR


def test_a_snapshot_older_than_the_allowed_staleness_is_asked_again_before_the_verdict() -> None:
    def script(now: float, asked: Sequence[str]) -> bytes:
        # The first task passes early; when it is asked again, DRS has changed its mind.
        return body(
            *(
                entry(one, result=now < 50)
                if one == TASK
                else entry(one, process="100%" if now > 200 else "5%")
                for one in asked
            )
        )

    judged = poll(FakeClock(), script, [TASK, OTHER], max_staleness=60.0).judged()
    assert judged.verdict is Verdict.BLOCKED


def test_a_stale_snapshot_that_cannot_be_confirmed_is_incomplete() -> None:
    def script(now: float, asked: Sequence[str]) -> bytes:
        return body(*(entry(one, process="100%" if one == TASK else "5%") for one in asked))

    polled = poll(FakeClock(), script, [TASK, OTHER], max_staleness=60.0, timeout=600.0)
    stale = polled.judged().tasks[0]
    assert stale.verdict is Verdict.INCOMPLETE
    assert "could not be confirmed" in stale.findings[0].message
