"""The wire format of what DRS v3 says of tasks themselves: starting, status, names, the list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from precheck_gate.drs.http.error_bodies import (
    TRY_AGAIN,
    error_hint,
    error_in,
    parse_error_document,
)
from precheck_gate.drs.http.json_fields import any_text, parse_object, text_in
from precheck_gate.errors import NotAnAnswer
from precheck_gate.model.snapshots import About, Trouble, TroubleKind
from precheck_gate.safetext.cleaning import clean_line, few, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = [
    "TaskPage",
    "list_request",
    "not_started",
    "page_of",
    "parse_details",
    "parse_page",
    "parse_started",
    "parse_statuses",
    "read_starts",
    "start_request",
    "tasks_request",
]

START_HINT = (
    "A pre-check can be started while the task is in CONFIGURATION with both connections tested "
    "(forStartJob), or after the task has failed (forRetryJob)."
)


@dataclass(frozen=True, slots=True)
class TaskPage:
    """One page of the project's tasks, and how many there are in all."""

    tasks: dict[str, About]
    total: int


def start_request(modes: Mapping[str, str]) -> dict[str, Any]:
    """Return the body that starts a pre-check of each task in its mode."""
    return {"jobs": [{"job_id": task, "precheck_mode": mode} for task, mode in modes.items()]}


def tasks_request(task_ids: list[str]) -> dict[str, Any]:
    """Return the body that asks for the status or the details of tasks, all on one page."""
    return {"jobs": task_ids, "page_req": {"cur_page": 1, "per_page": len(task_ids)}}


def list_request(wanted: Mapping[str, Any], page: int, size: int) -> dict[str, Any]:
    """Return the body that asks for a page of the list, counted from 1."""
    return {**wanted, "cur_page": page, "per_page": size}


def parse_started(body: bytes) -> dict[str, str | Trouble]:
    """Read what became of a start: a pre-check's ID, "" where none is named, or a trouble.

    Raises:
        NotAnAnswer: not of the documented shape.
    """
    return read_starts(parse_object(body), "results", _started)


def _started(entry: dict[str, Any]) -> str | Trouble:
    if entry.get("status") in (None, ""):
        return not_started("the service gives no status of it")
    return text_in(entry, "precheck_id")


def read_starts(
    document: dict[str, Any], key: str, started: Callable[[dict[str, Any]], str | Trouble]
) -> dict[str, str | Trouble]:
    """Read what became of a start, whatever the version of the API.

    Args:
        document: the answer.
        key: where the answer has its entries.
        started: reads an entry that has nothing against the start.

    Raises:
        NotAnAnswer: not of the documented shape, or an error stands beside the entries.
    """
    entries = _list(document, key)
    if error_in(document) is not None:
        said = clean_line(shorten(str(parse_error_document(document)), 300))
        raise NotAnAnswer(f"The answer to the start carries an error beside its {key}: {said}.")
    outcome: dict[str, str | Trouble] = {}
    for task_id, entry in _named(entries):
        here = _refusal_of_start(entry) or started(entry)
        known = outcome.setdefault(task_id, here)
        # What is not sure to have been started was not.
        if known != here and not isinstance(known, Trouble):
            twice = not_started("the service answers for it more than once and not alike")
            outcome[task_id] = here if isinstance(here, Trouble) else twice
    unnamed = (entry for entry in entries if not text_in(entry, "id"))
    # A refusal that names no task may be of any.
    if (refusal := next(filter(None, map(_refusal_of_start, unnamed)), None)) is not None:
        return dict.fromkeys(outcome, refusal)
    return outcome


def not_started(why: str, code: str = "") -> Trouble:
    """Return why the pre-check of a task could not be started."""
    hint = error_hint(code) if code in TRY_AGAIN else START_HINT
    message = f"its pre-check could not be started: {why}"
    return Trouble(TroubleKind.TASK_ERROR, message, code=code, hint=hint)


def _refusal_of_start(entry: dict[str, Any]) -> Trouble | None:
    """Return what an entry has against the start: an error, or a status other than success."""
    status, error = entry.get("status"), error_in(entry)
    failed = status not in (None, "", "success")
    if error is None and not failed:
        return None
    code, why = (error.code, error.message) if error is not None else ("", "")
    if not why.strip():
        said = clean_line(shorten(any_text(status), 40))
        why = f"the service says {said}" if failed else "the service reports an error"
    return not_started(why, code)


def parse_statuses(body: bytes) -> dict[str, str]:
    """Read the status of each task; one that the service has an error for is left out.

    Raises:
        NotAnAnswer: not of the documented shape.
    """
    return {
        task_id: text_in(entry, "status")
        for task_id, entry in _named(_list(parse_object(body), "results"))
        if error_in(entry) is None and text_in(entry, "status")
    }


def parse_details(body: bytes) -> dict[str, About]:
    """Read what people call each task; one that the service has an error for is left out.

    Raises:
        NotAnAnswer: not of the documented shape.
    """
    return {
        task_id: _about(entry)
        for task_id, entry in _named(_list(parse_object(body), "results"))
        if error_in(entry) is None
    }


def parse_page(body: bytes) -> TaskPage:
    """Read one page of the list.

    Raises:
        NotAnAnswer: as `page_of` does, or not of the documented shape.
    """
    document = parse_object(body)
    return page_of(_list(document, "jobs"), _about, document, "total_record")


def page_of(
    jobs: list[dict[str, Any]],
    about: Callable[[dict[str, Any]], About],
    document: dict[str, Any],
    total_key: str,
) -> TaskPage:
    """Return the page that a document's ``jobs`` are, each described by ``about``.

    Raises:
        NotAnAnswer: the document or a task in it carries an error, the total is none, or there is
            a task without an ID or one twice.
    """
    if error := error_in(document):
        said = clean_line(shorten(str(error), 300))
        raise NotAnAnswer(f"The list of tasks carries an error: {said}.")
    refused = [(text_in(job, "id") or "(no ID)", error) for job in jobs if (error := error_in(job))]
    if refused:
        said = clean_line(shorten(str(refused[0][1]), 300))
        which = few([task_id for task_id, _ in refused])
        raise NotAnAnswer(f"The list of tasks carries an error for {which}: {said}.")
    total = document.get(total_key)
    if isinstance(total, bool) or not isinstance(total, int) or total < 0:
        raise NotAnAnswer(f"The list of tasks does not say how many there are ({total_key}).")
    tasks = {task_id: about(job) for task_id, job in _named(jobs)}
    if len(tasks) != len(jobs):
        raise NotAnAnswer("The list of tasks holds one without an ID, or one twice.")
    return TaskPage(tasks, total)


def _about(entry: dict[str, Any]) -> About:
    instance = entry.get("inst_info")
    engine = text_in(instance, "engine_type") if isinstance(instance, dict) else ""
    return About(
        name=text_in(entry, "name"),
        status=text_in(entry, "status"),
        engine=text_in(entry, "engine_type") or engine,
        kind=text_in(entry, "db_use_type"),
    )


def _list(document: dict[str, Any], key: str) -> list[dict[str, Any]]:
    entries = document.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        said = clean_line(shorten(str(parse_error_document(document)), 300))
        raise NotAnAnswer(
            f"The answer has no list of {key} in the documented shape."
            + (f" It says: {said}." if said else "")
        )
    return entries


def _named(entries: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for entry in entries:
        if task_id := text_in(entry, "id"):
            yield task_id, entry
