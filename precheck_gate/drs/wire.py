"""The wire format of DRS v3: the only place that knows the service's field names.

Source: API reference "Querying Pre-check Results in Batches",
``POST /v3/{project_id}/jobs/batch-precheck-result``. The checks are by hand, since a schema
validator takes fifty times as long over thousands of tasks; ``schemas/answer-1.json`` says the
same for other programs, and a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from precheck_gate import strictjson
from precheck_gate.drs.answer_json import any_text, parse_json
from precheck_gate.drs.error_wire import (
    ServiceMessage,
    error_hint,
    parse_error,
    parse_error_document,
)
from precheck_gate.errors import NotAnAnswer
from precheck_gate.model import (
    Item,
    Snapshot,
    Status,
    SubTask,
    Trouble,
    TroubleKind,
    percent_of,
    status_named,
)
from precheck_gate.text import clean_line, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from precheck_gate.errors import TransientFault

__all__ = [
    "Answer",
    "ServiceMessage",
    "answered_tasks",
    "error_hint",
    "parse_answer",
    "parse_error",
    "parse_error_document",
    "read_entry",
    "results_request",
]

_ABSENT = object()
_NOT_DRS = "Is the endpoint really that of DRS, and not a proxy or a web page?"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the service: for each task ID a snapshot, or why there is none.

    ``remarks`` are oddities that change no verdict but are said aloud; ``own`` are the tasks whose
    result bears the ID of a pre-check that was started here; ``fault`` is why there is no entry for
    some of the tasks, where each was asked for by itself.
    """

    entries: dict[str, Snapshot | Trouble]
    remarks: tuple[str, ...] = ()
    own: frozenset[str] = frozenset()
    fault: TransientFault | None = None


class _Malformed(Exception):
    """An entry of ``results`` has a field of a type that cannot be judged."""


def results_request(task_ids: list[str]) -> dict[str, Any]:
    """Return the body that asks for the pre-check results of ``task_ids``."""
    return {"jobs": task_ids}


def parse_answer(body: bytes, started: Mapping[str, str] | None = None) -> Answer:
    """Read an answer to a query for pre-check results.

    Args:
        body: what came.
        started: the tasks whose pre-checks were started here, by the IDs of those pre-checks.

    Raises:
        NotAnAnswer: not one JSON document as RFC 8259 means it, or not of the documented shape.
    """
    document = _read_document(body)
    return _read_results(document["results"], document.get("count", _ABSENT), started or {})


def answered_tasks(body: bytes) -> list[str]:
    """Return the IDs of the tasks that an answer holds, each once, without reading the rest.

    Raises:
        NotAnAnswer: as `parse_answer` would.
    """
    ids = (entry.get("precheck_id") for entry in _read_document(body)["results"])
    return list(dict.fromkeys(one for one in ids if isinstance(one, str) and one))


def _read_document(body: bytes) -> dict[str, Any]:
    """Return an answer whose ``results`` is a list of objects."""
    document = parse_json(body, _NOT_DRS)
    if not isinstance(document, dict) or any_text(document.get("error_code")):
        raise NotAnAnswer(_wrong_shape(document), hint=_NOT_DRS)
    results = document.get("results")
    if not isinstance(results, list) or not all(isinstance(entry, dict) for entry in results):
        raise NotAnAnswer(_wrong_shape(document), hint=_NOT_DRS)
    return document


def _wrong_shape(document: Any) -> str:
    message = parse_error_document(document)
    said = f" It says: {clean_line(shorten(str(message), 300))}." if str(message) else ""
    return f"The answer has no list of results in the documented shape.{said}"


def _read_results(results: list[dict[str, Any]], count: Any, started: Mapping[str, str]) -> Answer:
    found: dict[str, list[Snapshot | Trouble]] = {}
    remarks: list[str] = []
    own: set[str] = set()
    nameless = 0
    for entry in results:
        named = entry.get("precheck_id")
        if isinstance(named, str) and named:
            task_id = started.get(named, named)
            if named in started:
                own.add(task_id)
            found.setdefault(task_id, []).append(read_entry(task_id, entry))
        else:
            nameless += 1
    if nameless:
        remarks.append(f"{nameless} of the results name no task and were left aside")
    if count is not _ABSENT and (isinstance(count, bool) or count != len(results)):
        said = clean_line(shorten(strictjson.compact(count), 40))
        remarks.append(f"the service counts {said} results and sent {len(results)}")
    entries: dict[str, Snapshot | Trouble] = {}
    for task_id, readings in found.items():
        entries[task_id] = readings[0]
        if len(readings) > 1:
            if all(reading == readings[0] for reading in readings):
                remarks.append(f"task {clean_line(task_id)} stands {len(readings)} times, alike")
            else:
                entries[task_id] = _contradiction(readings)
    return Answer(entries, tuple(remarks), frozenset(own))


def _contradiction(readings: list[Snapshot | Trouble]) -> Trouble:
    def gist(reading: Snapshot | Trouble) -> str:
        if isinstance(reading, Trouble):
            return reading.kind.value
        return (
            f"progress {reading.raw_progress or '-'}, result {reading.raw_result or '-'}, "
            f"{len(reading.items)} items"
        )

    return Trouble(
        TroubleKind.CONTRADICTORY,
        "the service answered for this task more than once and not alike: "
        + "; ".join(clean_line(shorten(gist(reading), 120)) for reading in readings[:3]),
        hint="Look at the task in the DRS console and run its pre-check again.",
    )


def read_entry(task_id: str, entry: dict[str, Any]) -> Snapshot | Trouble:
    """Return what one entry of the results says of a task."""
    code, message = any_text(entry.get("error_code")), any_text(entry.get("error_msg"))
    if code or message:
        return Trouble(
            TroubleKind.TASK_ERROR,
            message or "the service reports an error for this task without a message",
            code=code,
            hint=error_hint(code),
        )
    try:
        items = tuple(_read_item(item) for item in _list(entry, "precheck_result"))
    except _Malformed as error:
        return Trouble(
            TroubleKind.MALFORMED,
            f"the service's answer for this task has an undocumented shape: {error}",
            hint="Keep the answer (--save-answers) and ask the service's support.",
        )
    result = entry.get("result", _ABSENT)
    process = entry.get("process", _ABSENT)
    return Snapshot(
        task_id=task_id,
        progress=_progress(process),
        raw_progress=_raw(process),
        ready=result is True,
        raw_result=_raw(result),
        items=items,
        direction=any_text(entry.get("job_direction")),
        passed_rate=any_text(entry.get("total_passed_rate")),
        instance_id=any_text(entry.get("rds_instance_id")),
    )


def _read_item(item: Any) -> Item:
    if not isinstance(item, dict):
        raise _Malformed("an item is not an object")
    name = item.get("item")
    if not isinstance(name, str) or not name:
        raise _Malformed("an item has no name")
    raw_status = item.get("result", _ABSENT)
    subs = _list(item, "failed_sub_jobs")
    return Item(
        name=name,
        group=any_text(item.get("group")),
        status=_status(raw_status),
        raw_status=raw_status if isinstance(raw_status, str) else _raw(raw_status),
        failed_reason=any_text(item.get("failed_reason")),
        data=any_text(item.get("data")),
        raw_error=any_text(item.get("raw_error_msg")),
        sub_tasks=tuple(_read_sub_task(sub) for sub in subs) if subs else (),
        skipped=item.get("is_skipped") is True,
        skippable=item.get("is_support_skip") is True,
    )


def _read_sub_task(sub: Any) -> SubTask:
    if not isinstance(sub, dict):
        raise _Malformed("an entry of failed_sub_jobs is not an object")
    raw_status = sub.get("check_result", _ABSENT)
    return SubTask(
        id=any_text(sub.get("id")),
        name=any_text(sub.get("name")),
        status=_status(raw_status),
        raw_status=raw_status if isinstance(raw_status, str) else _raw(raw_status),
    )


def _list(holder: dict[str, Any], key: str) -> list[Any]:
    value = holder.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _Malformed(f"{key} is not a list")
    return value


def _status(raw: Any) -> Status:
    return status_named(raw) if isinstance(raw, str) else Status.UNKNOWN


def _progress(raw: Any) -> Decimal | None:
    if isinstance(raw, str):
        return percent_of(raw)
    if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
        return None
    return Decimal(raw) if 0 <= raw <= 100 else None


def _raw(value: Any) -> str:
    return "" if value is _ABSENT else strictjson.compact(value)
