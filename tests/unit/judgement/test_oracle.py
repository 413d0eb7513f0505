"""No answer, however mangled, yields exit 0 unless a deliberately naive oracle says that it may."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from precheck_gate.errors import NotAnAnswer
from tests.support.harness import (
    OTHER,
    TASK,
    body,
    entry,
    item,
    judge,
    policy,
)
from tests.support.oracle import documents, junk, oracle

FAILED = {"id": "s", "check_result": "FAILED"}


@settings(max_examples=300)
@given(documents | junk, st.sampled_from([[TASK], [OTHER], [TASK, OTHER]]))
@example({"results": [entry()]}, [TASK])
@example({"results": [entry(), entry(result=1)]}, [TASK])
@example({"results": [entry(process=True)]}, [TASK])
@example({"results": [entry()], "errorMsg": "partial"}, [TASK])
@example({"results": [entry(), {"id": TASK, "error_code": "DRS.M00289"}]}, [TASK])
@example({"results": [entry(), {"result": False}]}, [TASK])
@example({"results": [entry(id=OTHER)]}, [TASK])
@example({"results": [entry(id=OTHER)]}, [OTHER])
@example({"results": [entry(), entry(OTHER, id=TASK)]}, [TASK])
@example({"results": [entry(precheck_results=[item("x", "FAILED")])]}, [TASK])
@example({"results": [entry(items=[item(result="ALARM", is_skipped="true")])]}, [TASK])
@example({"results": [entry(items=[item(" ")])]}, [TASK])
@example({"results": [entry(items=[item(code="X.1")])]}, [TASK])
@example(
    {"results": [entry(items=[item(failed_sub_jobs=[{"check_result": "PASSED", "errors": [1]}])])]},
    [TASK],
)
@example({"results": [entry(message="gone")]}, [TASK])
@example({"results": [entry()], "errors": ["gone"]}, [TASK])
@example({"results": [entry(items=[item(result="FAILED", is_skipped=True)])]}, [TASK])
@example({"results": [entry(items=[item(is_skipped=True, failed_sub_jobs=[FAILED])])]}, [TASK])
@example({"results": [entry(items=[item(result="", is_skipped=True)])]}, [TASK])
def test_exit_0_only_where_the_oracle_agrees(document: Any, requested: list[str]) -> None:
    try:
        code = judge(json.dumps(document).encode(), requested).code
    except NotAnAnswer as error:
        code = int(error.exit_code)
    if code == 0:
        assert oracle(document, requested)
    assert code in (0, 1, 3, 4)


ALLOWS_ALL = policy(
    "version: 1\nstatuses: {FAILED: allow, ALARM: allow, unknown: allow}\nskipped: allow\n"
    "allow_empty: true\nrules: [{match: {item: '*'}, effect: allow}]\nwaivers:\n"
    "- {id: W, match: {item: '*'}, reason: r, owner: o, expires: 2026-12-31}\n"
)


@settings(max_examples=300)
@given(documents | junk)
@example({"results": [entry(items=[item(result="")])]})
@example({"results": [entry(items=[item(result=None)])]})
@example({"results": [entry(items=[item("a"), {"item": "b"}])]})
@example({"results": [entry(items=[item(failed_sub_jobs=[{"check_result": ""}])])]})
@example({"results": [entry(items=[item(result="", is_skipped=True)])]})
@example({"results": [entry(items=[item(result="FAILED")])]})
@example({"results": [entry(items=[], result=False)]})
def test_no_policy_yields_exit_0_where_the_oracle_says_that_none_may(document: Any) -> None:
    try:
        code = judge(json.dumps(document).encode(), [TASK], ALLOWS_ALL).code
    except NotAnAnswer as error:
        code = int(error.exit_code)
    green = oracle(document, [TASK], lenient=True)
    if code == 0:
        assert green
    if green and len(document["results"]) == 1:
        assert code == 0


@given(documents)
def test_a_single_answer_that_the_oracle_passes_is_green(document: Any) -> None:
    """The other way round: the gate is not just red always."""
    results = document["results"]
    if oracle(document, [TASK]) and len(results) == 1:
        assert judge(json.dumps(document).encode(), [TASK]).code == 0


@given(st.data())
def test_bytes_that_were_cut_or_changed_never_turn_red_into_green(data: st.DataObject) -> None:
    content = bytearray(body(entry(result=False), entry(OTHER)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        match data.draw(st.sampled_from(["cut", "drop", "change", "double"])):
            case "cut":
                content = content[: max(at, 1)]
            case "drop":
                del content[at : at + data.draw(st.integers(1, 20))]
            case "change":
                content[at] = data.draw(st.integers(0, 255))
            case _:
                content[at:at] = content[at : at + data.draw(st.integers(1, 40))]
        if not content:
            content = bytearray(b" ")
    try:
        code = judge(bytes(content), [TASK, OTHER]).code
    except NotAnAnswer as error:
        code = int(error.exit_code)
    if code == 0:
        assert oracle(json.loads(content), [TASK, OTHER])
