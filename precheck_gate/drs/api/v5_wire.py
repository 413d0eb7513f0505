"""The wire format of DRS v5: results, starts and tasks, brought to the same values as v3's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from precheck_gate.drs.api.result_entry import read_entry, task_error
from precheck_gate.drs.api.v3_tasks import not_started, page_of, read_starts
from precheck_gate.drs.http.error_bodies import error_in
from precheck_gate.drs.http.json_fields import parse_object, text_in
from precheck_gate.errors import NotAnAnswer
from precheck_gate.model.snapshots import About, Snapshot, Trouble, TroubleKind
from precheck_gate.safetext.cleaning import clean_line, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from precheck_gate.drs.api.v3_tasks import TaskPage

__all__ = ["parse_detail", "parse_page", "parse_result", "parse_started", "start_request"]


def start_request(modes: Mapping[str, str]) -> dict[str, Any]:
    """Return the body that starts a pre-check of each task in its mode."""
    return {
        "jobs": [
            {
                "job_id": task,
                "action_name": "precheck",
                "action_params": {"precheck_mode": mode},
            }
            for task, mode in modes.items()
        ]
    }


def parse_started(body: bytes) -> dict[str, str | Trouble]:
    """Read the query ID of each task; without one, its pre-check was not started.

    Raises:
        NotAnAnswer: not of the documented shape.
    """
    return read_starts(parse_object(body), "jobs", _started)


def _started(job: dict[str, Any]) -> str | Trouble:
    return text_in(job, "query_id") or not_started("the service gives no query ID for it")


def parse_result(task_id: str, body: bytes) -> Snapshot | Trouble:
    """Read the result of one task's pre-check; an error, wherever it stands, is the task's.

    Raises:
        NotAnAnswer: not of the documented shape, or about another task.
    """
    document = parse_object(body)
    error = error_in(document) or error_in(job := _job(task_id, document))
    if error is not None:
        return task_error(error)
    result = job.get("precheck_result")
    if not isinstance(result, dict):
        return Trouble(
            TroubleKind.NOT_ANSWERED,
            "the service answered without a pre-check's result",
            hint="Is the query ID that of this task's pre-check?",
        )
    entry = {**result, "precheck_result": result.get("precheck_results"), "precheck_results": None}
    # A list under the name that v3 has for it would be read by nobody.
    if "precheck_result" in result:
        return Trouble(
            TroubleKind.MALFORMED, "the service's answer has items in a place that v5 does not have"
        )
    return read_entry(task_id, entry)


def parse_detail(task_id: str, body: bytes) -> About:
    """Read what people call a task, and its status.

    Raises:
        NotAnAnswer: not of the documented shape, or about another task.
    """
    job = _job(task_id, parse_object(body))
    base = job.get("base_info")
    about = base if isinstance(base, dict) else {}
    return About(
        name=text_in(about, "name"),
        status=text_in(job, "status"),
        engine=text_in(about, "engine_type"),
        kind=text_in(about, "job_type"),
    )


def parse_page(body: bytes) -> TaskPage:
    """Read one page of the list.

    Raises:
        NotAnAnswer: as `page_of` does, or not of the documented shape.
    """
    document = parse_object(body)
    jobs = document.get("jobs")
    if not isinstance(jobs, list) or not all(isinstance(job, dict) for job in jobs):
        raise NotAnAnswer("The list of tasks has no list of jobs.")
    return page_of(jobs, _about, document, "total_count")


def _about(job: dict[str, Any]) -> About:
    return About(
        name=text_in(job, "name"),
        status=text_in(job, "status"),
        engine=text_in(job, "engine_type"),
        kind=text_in(job, "job_type"),
    )


def _job(task_id: str, document: dict[str, Any]) -> dict[str, Any]:
    job = document.get("job")
    if not isinstance(job, dict):
        raise NotAnAnswer("The answer has no job in the documented shape.")
    if text_in(job, "id") != task_id:
        other = clean_line(shorten(text_in(job, "id") or "(none)", 60))
        raise NotAnAnswer(f"The answer for task {task_id} is about another one: {other}.")
    return job
