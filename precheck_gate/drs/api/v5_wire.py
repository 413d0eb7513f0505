"""The answers of DRS v5, brought to the same values as those of v3.

Each ``parse_`` function raises `NotAnAnswer` for a body that is not exactly one JSON document, or
not of the documented shape, or about another task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from precheck_gate.documents.strict_json import text_in
from precheck_gate.drs.api.v3_wire import (
    malformed,
    not_started,
    page_of,
    read_entry,
    read_starts,
    task_error,
)
from precheck_gate.drs.http.replies import brief, error_in, parse_object
from precheck_gate.errors import NotAnAnswer
from precheck_gate.model.snapshots import About, Snapshot, Trouble, TroubleKind

if TYPE_CHECKING:
    from precheck_gate.drs.api.v3_wire import TaskPage


def parse_started(body: bytes) -> dict[str, str | Trouble]:
    """Return the query ID of each task, or why its pre-check was not started."""
    return read_starts(parse_object(body), "jobs", _started)


def _started(job: dict[str, Any]) -> str | Trouble:
    return text_in(job, "query_id") or not_started("the service gives no query ID for it")


def parse_result(task_id: str, body: bytes) -> Snapshot | Trouble:
    """Return the result of one task's pre-check; an error at any level is the task's."""
    document = parse_object(body)
    error = error_in(document) or error_in(job := _job(task_id, document))
    if error is not None:
        return task_error(error)
    result = job.get("precheck_result")
    if not isinstance(result, dict):
        return Trouble(
            TroubleKind.NOT_ANSWERED,
            "the answer has no result of a pre-check",
            hint="Is the query ID that of this task's pre-check?",
        )
    # Items under the key that v3 has for them would be read by nobody.
    if "precheck_result" in result:
        return malformed("it has items under a key that v5 does not have")
    entry = {**result, "precheck_result": result.get("precheck_results"), "precheck_results": None}
    return read_entry(task_id, entry)


def parse_detail(task_id: str, body: bytes) -> About:
    """Return name, status and kind of a task."""
    job = _job(task_id, parse_object(body))
    base = job.get("base_info")
    return _about(base if isinstance(base, dict) else {}, text_in(job, "status"))


def parse_page(body: bytes) -> TaskPage:
    """Return one page of the list of tasks."""
    return page_of(
        parse_object(body), "total_count", lambda job: _about(job, text_in(job, "status"))
    )


def _about(fields: dict[str, Any], status: str) -> About:
    return About(
        name=text_in(fields, "name"),
        status=status,
        engine=text_in(fields, "engine_type"),
        kind=text_in(fields, "job_type"),
    )


def _job(task_id: str, document: dict[str, Any]) -> dict[str, Any]:
    job = document.get("job")
    if not isinstance(job, dict):
        raise NotAnAnswer("The answer has no job in the documented shape.")
    if text_in(job, "id") != task_id:
        other = brief(text_in(job, "id") or "(none)", 60)
        raise NotAnAnswer(f"The answer for task {task_id} is about another one: {other}.")
    return job
