"""The wire format of one task's result: its outcome, its items and what stands in their way."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from precheck_gate.documents import strict_json
from precheck_gate.drs.http.error_bodies import ServiceMessage, error_hint, error_in
from precheck_gate.drs.http.json_fields import any_text, text_in
from precheck_gate.model.snapshots import (
    Item,
    Snapshot,
    Status,
    SubTask,
    Trouble,
    TroubleKind,
    percent_of,
    status_named,
)
from precheck_gate.safetext.cleaning import shorten

__all__ = ["malformed", "read_entry", "task_error"]

_ABSENT = object()


class _Malformed(Exception):
    """An entry has a field of a type that cannot be judged."""


def read_entry(task_id: str, entry: dict[str, Any]) -> Snapshot | Trouble:
    """Return what an entry of v3's ``results``, or one brought to its shape, says of a task."""
    error = error_in(entry)
    if error is not None:
        return task_error(error)
    try:
        # A list under the name that v5 has for it would be read by nobody.
        if entry.get("precheck_results") is not None:
            raise _Malformed("it has items under a name that v3 does not have")
        items = tuple(_read_item(item) for item in _list(entry, "precheck_result"))
    except _Malformed as reason:
        return malformed(str(reason))
    result = entry.get("result", _ABSENT)
    process = entry.get("process", _ABSENT)
    return Snapshot(
        task_id=task_id,
        progress=_progress(process),
        raw_progress=_raw(process),
        ready=result is True,
        raw_result=_raw(result),
        items=items,
        direction=text_in(entry, "job_direction"),
        passed_rate=any_text(entry.get("total_passed_rate")),
        instance_id=any_text(entry.get("rds_instance_id")),
    )


def task_error(error: ServiceMessage) -> Trouble:
    """Return an error that the service reports for a task."""
    unsaid = "the service reports an error for this task without a message"
    return Trouble(
        TroubleKind.TASK_ERROR,
        error.message if error.message.strip() else unsaid,
        code=error.code,
        hint=error_hint(error.code),
    )


def malformed(reason: str) -> Trouble:
    """Return what is wrong with an answer for a task that cannot be judged."""
    return Trouble(
        TroubleKind.MALFORMED,
        f"the service's answer for this task has an undocumented shape: {reason}",
        hint="Keep the answer (--save-answers) and ask the service's support.",
    )


def _read_item(item: Any) -> Item:
    if not isinstance(item, dict):
        raise _Malformed("an item is not an object")
    name = item.get("item")
    if not isinstance(name, str) or not name.strip():
        raise _Malformed("an item has no name")
    # Whether somebody switched a check off must not be guessed: a policy may block on it.
    skipped = item.get("is_skipped")
    if skipped is not None and not isinstance(skipped, bool):
        raise _Malformed("is_skipped of an item is neither true nor false")
    error = error_in(item)
    status, raw_status, own_error = _status(item.get("result"), error)
    raw_error = [any_text(item.get("raw_error_msg")), error.message if error else ""]
    subs = _list(item, "failed_sub_jobs")
    return Item(
        name=name,
        group=text_in(item, "group"),
        status=status,
        raw_status=raw_status,
        own_error=own_error,
        failed_reason=any_text(item.get("failed_reason")),
        data=any_text(item.get("data")),
        raw_error="\n".join(filter(None, raw_error)),
        sub_tasks=tuple(_read_sub_task(sub) for sub in subs) if subs else (),
        skipped=skipped is True,
        skippable=item.get("is_support_skip") is True,
    )


def _read_sub_task(sub: Any) -> SubTask:
    if not isinstance(sub, dict):
        raise _Malformed("an entry of failed_sub_jobs is not an object")
    status, raw_status, own_error = _status(sub.get("check_result"), error_in(sub))
    return SubTask(
        id=any_text(sub.get("id")),
        name=any_text(sub.get("name")),
        status=status,
        raw_status=raw_status,
        own_error=own_error,
    )


def _list(holder: dict[str, Any], key: str) -> list[Any]:
    value = holder.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _Malformed(f"{key} is not a list")
    return value


def _status(raw: Any, error: ServiceMessage | None) -> tuple[Status, str, str | None]:
    """Return a status, its words, and the code of an error beside PASSED, which is unknown then."""
    if not isinstance(raw, str):
        return Status.UNKNOWN, any_text(raw), None
    status = status_named(raw)
    if status is Status.PASSED and error is not None:
        code = shorten(error.code, 60)
        return Status.UNKNOWN, f"{raw} with an error{f' ({code})' if code else ''}", code
    return status, raw, None


def _progress(raw: Any) -> Decimal | None:
    if isinstance(raw, str):
        return percent_of(raw)
    if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
        return None
    return Decimal(raw) if 0 <= raw <= 100 else None


def _raw(value: Any) -> str:
    return "" if value is _ABSENT else strict_json.compact(value)
