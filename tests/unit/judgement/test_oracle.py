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


def oracle(document: Any, requested: list[str], *, lenient: bool = False) -> bool:
    """Whether exit 0 is right by the default policy, in the plainest words that can be found.

    Or, if ``lenient``, by a policy that allows and waives whatever a policy can.
    """
    if not requested or type(document) is not dict:
        return False
    if _has_error(document):
        return False
    results = document.get("results")
    if type(results) is not list or any(type(one) is not dict for one in results):
        return False
    for one in results:
        if not _names_a_task(one.get("precheck_id")) and not _names_a_task(one.get("id")):
            return False
    for task in requested:
        mine = [one for one in results if task in (one.get("precheck_id"), one.get("id"))]
        if not mine or any(not _passes(one, task, lenient) for one in mine):
            return False
    return True


ERROR_KEYS = (
    *("error_code", "error_msg", "errorCode", "errorMsg", "error"),
    *("code", "message", "errors"),
)


def _names_a_task(value: Any) -> bool:
    return type(value) is str and value.split() != []


def _passes(one: dict[str, Any], task: str, lenient: bool) -> bool:
    items: Any = one.get("precheck_result")
    return (
        one.get("result") is True
        and one.get("precheck_id") == task
        and one.get("id") in (None, "", task)
        and _is_100(one.get("process"))
        and not _has_error(one)
        and one.get("precheck_results") is None
        and (type(items) is list or (lenient and items is None))
        and (lenient or bool(items))
        and all(_item_passes(it, lenient) for it in items or [])
    )


def _has_error(holder: dict[str, Any]) -> bool:
    return any(holder.get(key) not in (None, "") for key in ERROR_KEYS)


def _status_passes(holder: dict[str, Any], key: str) -> bool:
    return holder.get(key) == "ALARM" or (holder.get(key) == "PASSED" and not _has_error(holder))


def _is_100(process: Any) -> bool:
    if type(process) in (int, float):
        return bool(process == 100)
    return process in ("100%", "100 %", "100", "100 ", "100.0%", "100.0", "100.0 %", "100.00%")


def _has_status(value: Any) -> bool:
    return value is not None and value != ""


def _failed_and_skipped(it: dict[str, Any]) -> bool:
    return it.get("is_skipped") is True and it.get("result") == "FAILED"


def _item_passes(it: Any, lenient: bool) -> bool:
    return (
        type(it) is dict
        and type(it.get("item")) is str
        and it["item"].split() != []
        and type(it.get("is_skipped")) in (bool, type(None))
        and _has_status(it.get("result"))
        and (lenient or _status_passes(it, "result") or _failed_and_skipped(it))
        and type(it.get("failed_sub_jobs")) in (list, type(None))
        and all(
            type(sub) is dict
            and _has_status(sub.get("check_result"))
            and (lenient or _status_passes(sub, "check_result"))
            for sub in it.get("failed_sub_jobs") or []
        )
    )


junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 200)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "100%", "true", "PASSED", "passed", "ALARM", "FAILED", "99%", TASK]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["item", "result", "x", "id"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def mostly(good: Any, *others: Any) -> st.SearchStrategy[Any]:
    """Return ``good`` most of the time, so that whole answers often come near to a pass."""
    rest = st.sampled_from(others) if others else junk
    return st.integers(0, 9).flatmap(
        lambda n: st.just(good) if n < 8 else (rest if n == 8 else junk)
    )


statuses = mostly("PASSED", "ALARM", "FAILED", "passed", "UNKNOWN", "", None)
FAILED = {"id": "s", "check_result": "FAILED"}
errors = {
    "error_code": mostly("", "DRS.M00289"),
    "error_msg": mostly("", "gone", " "),
    "errorCode": mostly(None, "X.1"),
    "errorMsg": mostly(None, "gone"),
    "error": mostly(None, {"code": "X.1", "message": "gone"}),
    "code": mostly(None, "X.1", 0),
    "message": mostly("", "gone", " "),
    "errors": mostly(None, ["gone"], []),
}
subs = st.fixed_dictionaries(
    {"id": st.just("s"), "check_result": statuses}, optional={"error_msg": errors["error_msg"]}
)
items = st.fixed_dictionaries(
    {"item": mostly("srcDbConnection", " ", "\t", ""), "result": statuses},
    optional={
        "failed_sub_jobs": st.lists(subs, max_size=2) | junk,
        "group": junk,
        "data": junk,
        "is_skipped": mostly(False, True, "true", 1, None),
        "is_support_skip": mostly(False, "true"),
        **errors,
    },
)
entries = st.fixed_dictionaries(
    {
        "precheck_id": mostly(TASK, OTHER, TASK.upper(), "", " ", None),
        "result": mostly(True, False, "true", 1),
        "process": mostly("100%", "100.0%", "99%", 100, "101%", "1e2%", 100.0),
        "precheck_result": st.lists(items, min_size=1, max_size=3) | mostly([item()]),
    },
    optional={
        **errors,
        "id": mostly(TASK, OTHER, None, "", " "),
        "precheck_results": mostly(None, [item("x", "FAILED")], []),
        "extra": junk,
    },
)
# What batches hold beside results: a word on a task under another name, or under none.
asides = st.fixed_dictionaries(
    {}, optional={**errors, "id": mostly(TASK, OTHER, ""), "result": mostly(False, True)}
)
documents = st.fixed_dictionaries(
    {"results": st.lists(mostly(entry()) | entries | asides, max_size=3)},
    optional={"count": junk, **errors},
)


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
