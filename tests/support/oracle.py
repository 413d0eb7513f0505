"""A naive oracle of what may be green, and random answers, many of which come near to a pass."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.support.harness import OTHER, TASK, entry, item


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
