"""The wire format of DRS v5: results, starts and tasks, brought to the same values as v3's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from precheck_gate import strictjson
from precheck_gate.drs import wire
from precheck_gate.drs.task_wire import START_HINT, TaskPage
from precheck_gate.errors import NotAnAnswer
from precheck_gate.model import About, Snapshot, Trouble, TroubleKind
from precheck_gate.text import clean_line, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    jobs = _document(body).get("jobs")
    if not isinstance(jobs, list) or not all(isinstance(job, dict) for job in jobs):
        raise NotAnAnswer("The answer to the start has no list of jobs.")
    outcome: dict[str, str | Trouble] = {}
    for job in jobs:
        task, query = _text(job, "id"), _text(job, "query_id")
        message = _text(job, "error_msg") or "the service gives no query ID for it"
        if not task:
            continue
        if not query or task in outcome:
            outcome[task] = Trouble(
                TroubleKind.TASK_ERROR,
                f"its pre-check could not be started: {message}",
                code=_text(job, "error_code"),
                hint=START_HINT,
            )
        else:
            outcome[task] = query
    return outcome


def parse_result(task_id: str, body: bytes) -> Snapshot | Trouble:
    """Read the result of one task's pre-check.

    Raises:
        NotAnAnswer: not of the documented shape, or about another task.
    """
    job = _job(task_id, body)
    result = job.get("precheck_result")
    if not isinstance(result, dict):
        return Trouble(
            TroubleKind.NOT_ANSWERED,
            "the service answered without a pre-check's result",
            hint="Is the query ID that of this task's pre-check?",
        )
    entry = {**result, "precheck_result": result.get("precheck_results")}
    # A list under the name that v3 has for it would be read by nobody.
    if "precheck_result" in result:
        return Trouble(
            TroubleKind.MALFORMED, "the service's answer has items in a place that v5 does not have"
        )
    return wire.read_entry(task_id, entry)


def parse_detail(task_id: str, body: bytes) -> About:
    """Read what people call a task, and its status.

    Raises:
        NotAnAnswer: not of the documented shape, or about another task.
    """
    job = _job(task_id, body)
    base = job.get("base_info")
    about = base if isinstance(base, dict) else {}
    return About(
        name=_text(about, "name"),
        status=_text(job, "status"),
        engine=_text(about, "engine_type"),
        kind=_text(about, "job_type"),
    )


def parse_page(body: bytes) -> TaskPage:
    """Read one page of the list.

    Raises:
        NotAnAnswer: not of the documented shape, or a task without an ID in it.
    """
    document = _document(body)
    jobs, total = document.get("jobs"), document.get("total_count")
    if not isinstance(jobs, list) or not all(isinstance(job, dict) for job in jobs):
        raise NotAnAnswer("The list of tasks has no list of jobs.")
    if isinstance(total, bool) or not isinstance(total, int) or total < 0:
        raise NotAnAnswer("The list of tasks does not say how many there are (total_count).")
    tasks = {
        _text(job, "id"): About(
            _text(job, "name"), _text(job, "status"), _text(job, "engine_type"),
            _text(job, "job_type"),
        )
        for job in jobs
    }  # fmt: skip
    if len(tasks) != len(jobs) or "" in tasks:
        raise NotAnAnswer("The list of tasks holds one without an ID, or one twice.")
    return TaskPage(tasks, total)


def _job(task_id: str, body: bytes) -> dict[str, Any]:
    job = _document(body).get("job")
    if not isinstance(job, dict):
        raise NotAnAnswer("The answer has no job in the documented shape.")
    if _text(job, "id") != task_id:
        other = clean_line(shorten(_text(job, "id") or "(none)", 60))
        raise NotAnAnswer(f"The answer for task {task_id} is about another one: {other}.")
    return job


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = strictjson.loads(body)
    except ValueError as error:
        reason = clean_line(shorten(str(error), 200))
        raise NotAnAnswer(f"The answer is not JSON that can be trusted: {reason}.") from None
    if not isinstance(document, dict):
        raise NotAnAnswer("The answer is no JSON object.")
    return document


def _text(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""
