"""The answers of DRS v3: every field that is read of them.

Source: API reference, ``POST /v3/{project_id}/jobs/batch-precheck-result`` and the calls beside it.
The checks are by hand: a schema validator takes fifty times as long over thousands of tasks.
``schemas/answer-1.json`` has the same rules for other programs, and a test compares the two.

Each ``parse_`` function raises `NotAnAnswer` for a body that is not exactly one JSON document, or
not of the documented shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeGuard

from precheck_gate.documents.strict_json import any_text, compact, text_in
from precheck_gate.drs.http.replies import (
    TRY_AGAIN,
    ServiceMessage,
    brief,
    error_hint,
    error_in,
    objects_in,
    parse_object,
    quote_error,
)
from precheck_gate.errors import NotAnAnswer, UnnamedResult
from precheck_gate.model.snapshots import (
    About,
    Item,
    Snapshot,
    Status,
    SubTask,
    Trouble,
    TroubleKind,
    percent_of,
    status_named,
)
from precheck_gate.safetext.cleaning import few, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from precheck_gate.errors import TransientFault

_NOT_DRS = "Is the endpoint really that of DRS, and not a proxy or a web page?"
_ASK_SUPPORT = "Keep the answer (--save-answers) and ask the service's support."
_START_HINT = (
    "A pre-check can be started while the task is in CONFIGURATION with both connections tested "
    "(forStartJob), or after the task has failed (forRetryJob)."
)


# The results of pre-checks


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the service: a snapshot for each task ID, or why it has no snapshot.

    Attributes:
        entries: what it says of each task.
        remarks: oddities that change no verdict but are reported.
        own: the tasks whose result is proven by ID to be of the pre-check that was started here: in
            v3 the result carries its ID; in v5 it came under its query ID, from a service that
            has no result under another ID.
        fault: why some tasks have no entry, where each task takes a request of its own.
        shortfall: that the service counts more results than it sent; "" where it does not.
    """

    entries: dict[str, Snapshot | Trouble]
    remarks: tuple[str, ...] = ()
    own: frozenset[str] = frozenset()
    fault: TransientFault | None = None
    shortfall: str = ""


@dataclass(frozen=True, slots=True)
class Contents:
    """Which tasks an answer holds, each once, and its `Answer.shortfall`."""

    tasks: list[str]
    shortfall: str


class _Malformed(Exception):
    """An entry has a field of a type that cannot be judged."""


def parse_answer(body: bytes, started: Mapping[str, str] | None = None) -> Answer:
    """Read an answer with results of pre-checks.

    ``started`` has the tasks whose pre-checks were started here, by the IDs of those pre-checks.

    Raises:
        UnnamedResult: an entry names no task.
    """
    document, started = _parse_results(body), started or {}
    odd_count, shortfall = _compare_count(document)
    readings: dict[str, list[Snapshot | Trouble]] = {}
    own: set[str] = set()
    for entry in document["results"]:
        named = entry.get("precheck_id")
        if isinstance(named, str) and named in started:
            own.add(started[named])
        for task_id, reading in _read_result(entry, started):
            readings.setdefault(task_id, []).append(reading)
    remarks = [odd_count] if odd_count else []
    entries = {task_id: several[0] for task_id, several in readings.items()}
    for task_id, several in readings.items():
        if any(reading != several[0] for reading in several):
            entries[task_id] = _contradiction(several)
        elif len(several) > 1:
            remarks.append(f"task {task_id} is in the answer {len(several)} times, alike")
    return Answer(entries, tuple(remarks), frozenset(own), shortfall=shortfall)


def contents_of(body: bytes) -> Contents:
    """Return which tasks an answer holds, without reading what it says of them."""
    document = _parse_results(body)
    tasks = (task for entry in document["results"] for task in _tasks_of(entry, {}))
    return Contents(list(dict.fromkeys(tasks)), _compare_count(document)[1])


def _parse_results(body: bytes) -> dict[str, Any]:
    """Return an answer whose ``results`` is a list of objects that all name a task."""
    document = parse_object(body, _NOT_DRS)
    results = objects_in(document, "results", _NOT_DRS)
    if error_in(document) is not None:
        raise NotAnAnswer(
            f"The answer carries an error beside its results.{quote_error(document)}",
            hint="The service may have a problem: ask it again, or its support.",
        )
    unnamed = [entry for entry in results if not _tasks_of(entry, {})]
    if unnamed:
        error = error_in(unnamed[0])
        verb = "names" if len(unnamed) == 1 else "name"
        raise UnnamedResult(
            f"{len(unnamed)} of the {len(results)} results {verb} no task, so it could belong to "
            f"any task.{quote_error(unnamed[0])}",
            hint=_ASK_SUPPORT,
            code="" if error is None else brief(error.code, 60),
        )
    return document


def _names(entry: dict[str, Any]) -> list[Any]:
    """Return what an entry has under the two keys that may name its task."""
    return [name for key in ("precheck_id", "id") if (name := entry.get(key)) not in (None, "")]


def _is_name(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value.strip())


def _tasks_of(entry: dict[str, Any], started: Mapping[str, str]) -> list[str]:
    """Return the tasks that an entry names: one, unless it is malformed."""
    return list(dict.fromkeys(started.get(one, one) for one in _names(entry) if _is_name(one)))


def _compare_count(document: dict[str, Any]) -> tuple[str, str]:
    """Return what is odd about the count of results, and `Answer.shortfall`; "" for nothing."""
    if "count" not in document:
        return "", ""
    count, sent = document["count"], len(document["results"])
    number = isinstance(count, int | Decimal | str) and not isinstance(count, bool)
    # Not cut: of a secret that is cut off, the rest could not be hidden any more.
    shown = str(count) if number and 0 < len(str(count)) <= 40 else "(not a number)"
    said = f"the service counts {shown} results and sent {sent}"
    try:
        more = number and Decimal(count) > sent
    except InvalidOperation:
        more = False
    return "" if number and count == sent else said, said if more else ""


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
        + "; ".join(shorten(gist(reading), 120) for reading in readings[:3]),
        hint="Look at the task in the DRS console and run its pre-check again.",
    )


# One result


def _read_result(
    entry: dict[str, Any], started: Mapping[str, str]
) -> Iterator[tuple[str, Snapshot | Trouble]]:
    """Yield what an entry says of each task that it names: one, unless it is malformed."""
    tasks = _tasks_of(entry, started)
    if len(tasks) > 1 or not all(map(_is_name, _names(entry))):
        trouble = malformed("its precheck_id and its id do not name the same task")
        yield from ((task_id, trouble) for task_id in tasks)
        return
    reading = read_entry(tasks[0], entry)
    # An error may be under either key; a result is documented under precheck_id alone.
    if isinstance(reading, Snapshot) and not _is_name(entry.get("precheck_id")):
        reading = malformed("a result names its task by id, not by precheck_id")
    yield tasks[0], reading


def read_entry(task_id: str, entry: dict[str, Any]) -> Snapshot | Trouble:
    """Return what an entry of v3's ``results``, or one brought to its shape, says of a task."""
    error = error_in(entry)
    if error is not None:
        return task_error(error)
    try:
        # Items under the key that v5 has for them would be read by nobody.
        if entry.get("precheck_results") is not None:
            raise _Malformed("it has items under a key that v3 does not have")
        items = tuple(_read_item(item) for item in _list(entry, "precheck_result"))
    except _Malformed as reason:
        return malformed(str(reason))
    process = entry.get("process")
    # Documented as a text; a number is understood as well.
    number = _percent(process)
    return Snapshot(
        task_id=task_id,
        raw_progress=compact(process) if "process" in entry else "",
        raw_result=compact(entry["result"]) if "result" in entry else "",
        ready=entry.get("result") is True,
        items=items,
        direction=text_in(entry, "job_direction"),
        passed_rate=any_text(entry.get("total_passed_rate")),
        instance_id=any_text(entry.get("rds_instance_id")),
        progress=percent_of(process) if isinstance(process, str) else number,
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
    """Return why an answer for a task cannot be judged."""
    return Trouble(
        TroubleKind.MALFORMED,
        f"the service's answer for this task has an undocumented shape: {reason}",
        hint=_ASK_SUPPORT,
    )


def _read_item(item: Any) -> Item:
    if not isinstance(item, dict):
        raise _Malformed("an item is not an object")
    name = item.get("item")
    if not _is_name(name):
        raise _Malformed("an item has no name")
    # Never guess whether somebody switched a check off: a policy may block on it.
    skipped = item.get("is_skipped")
    if skipped is not None and not isinstance(skipped, bool):
        raise _Malformed("is_skipped of an item is neither true nor false")
    error = error_in(item)
    status, raw_status, own_error = _status(item.get("result"), error)
    raw_error = any_text(item.get("raw_error_msg")), error.message if error else ""
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
    """Return a status, its text, and the code of an error beside PASSED, which is unknown then."""
    if not isinstance(raw, str):
        return Status.UNKNOWN, any_text(raw), None
    status = status_named(raw)
    if status is Status.PASSED and error is not None:
        code = shorten(error.code, 60)
        return Status.UNKNOWN, f"{raw} with an error{f' ({code})' if code else ''}", code
    return status, raw, None


def _percent(number: Any) -> Decimal | None:
    if isinstance(number, bool) or not isinstance(number, int | Decimal):
        return None
    return Decimal(number) if 0 <= number <= 100 else None


# The start of pre-checks


def parse_started(body: bytes) -> dict[str, str | Trouble]:
    """Return for each task the ID of its new pre-check, "" where it has none, or a trouble."""
    return read_starts(parse_object(body), "results", _started)


def _started(entry: dict[str, Any]) -> str | Trouble:
    if entry.get("status") in (None, ""):
        return not_started("the service gives no status of it")
    return text_in(entry, "precheck_id")


def read_starts(
    document: dict[str, Any], key: str, started: Callable[[dict[str, Any]], str | Trouble]
) -> dict[str, str | Trouble]:
    """Return the outcome of a start for each task, in any version of the API.

    The entries are under ``key``; ``started`` reads one that has no error.
    """
    entries = objects_in(document, key)
    if error_in(document) is not None:
        raise NotAnAnswer(
            f"The answer to the start carries an error beside its {key}.{quote_error(document)}"
        )
    outcome: dict[str, str | Trouble] = {}
    for task_id, entry in _named(entries):
        here = _start_error(entry) or started(entry)
        known = outcome.setdefault(task_id, here)
        # A pre-check that may not have been started counts as not started.
        if known != here and not isinstance(known, Trouble):
            twice = not_started("the service answers for it more than once and not alike")
            outcome[task_id] = here if isinstance(here, Trouble) else twice
    unnamed = (entry for entry in entries if not text_in(entry, "id"))
    # An error that names no task may be of any.
    if (error := next(filter(None, map(_start_error, unnamed)), None)) is not None:
        return dict.fromkeys(outcome, error)
    return outcome


def not_started(why: str, code: str = "") -> Trouble:
    """Return why the pre-check of a task could not be started."""
    hint = error_hint(code) if code in TRY_AGAIN else _START_HINT
    message = f"its pre-check could not be started: {why}"
    return Trouble(TroubleKind.TASK_ERROR, message, code=code, hint=hint)


def _start_error(entry: dict[str, Any]) -> Trouble | None:
    """Return an error in an entry, or a status other than success, as a trouble."""
    status, error = entry.get("status"), error_in(entry)
    failed = status not in (None, "", "success")
    if error is None and not failed:
        return None
    code, why = (error.code, error.message) if error is not None else ("", "")
    if not why.strip():
        said = shorten(any_text(status), 40)
        why = f"the service says {said}" if failed else "the service reports an error"
    return not_started(why, code)


# Tasks: status, details and the list


@dataclass(frozen=True, slots=True)
class TaskPage:
    """One page of the project's tasks, and how many there are in all."""

    tasks: dict[str, About]
    total: int


def parse_statuses(body: bytes) -> dict[str, str]:
    """Return the status of each task without an error."""
    return {task: about.status for task, about in parse_details(body).items() if about.status}


def parse_details(body: bytes) -> dict[str, About]:
    """Return the details of each task without an error."""
    entries = objects_in(parse_object(body), "results")
    return {task_id: _about(entry) for task_id, entry in _named(entries) if error_in(entry) is None}


def parse_page(body: bytes) -> TaskPage:
    """Return one page of the list of tasks."""
    return page_of(parse_object(body), "total_record", _about)


def page_of(
    document: dict[str, Any], total_key: str, about: Callable[[dict[str, Any]], About]
) -> TaskPage:
    """Return the page that a document with ``jobs`` is, in any version of the API."""
    jobs = objects_in(document, "jobs")
    if error := error_in(document):
        raise NotAnAnswer(f"The list of tasks carries an error: {brief(str(error), 300)}.")
    failed = [(text_in(job, "id") or "(no ID)", error) for job in jobs if (error := error_in(job))]
    if failed:
        tasks_named = few([task_id for task_id, _ in failed])
        said = brief(str(failed[0][1]), 300)
        raise NotAnAnswer(f"The list of tasks carries an error for {tasks_named}: {said}.")
    total = document.get(total_key)
    if isinstance(total, bool) or not isinstance(total, int) or total < 0:
        raise NotAnAnswer(f"The list of tasks does not say how many there are ({total_key}).")
    tasks = {task_id: about(job) for task_id, job in _named(jobs)}
    if len(tasks) != len(jobs):
        raise NotAnAnswer("The list of tasks has a task without an ID, or one twice.")
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


def _named(entries: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for entry in entries:
        if task_id := text_in(entry, "id"):
            yield task_id, entry
