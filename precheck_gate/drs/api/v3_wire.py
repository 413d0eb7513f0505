"""The wire format of DRS v3's answers: whose result each entry is, and whether it is an answer.

Source: API reference "Querying Pre-check Results in Batches",
``POST /v3/{project_id}/jobs/batch-precheck-result``. The checks are by hand, since a schema
validator takes fifty times as long over thousands of tasks; ``schemas/answer-1.json`` says the
same for other programs, and a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from precheck_gate.documents import strict_json
from precheck_gate.drs.api.result_entry import malformed, read_entry
from precheck_gate.drs.http.error_bodies import error_in, parse_error_document
from precheck_gate.drs.http.json_fields import parse_json
from precheck_gate.errors import NotAnAnswer, UnnamedResult
from precheck_gate.model.snapshots import Snapshot, Trouble, TroubleKind
from precheck_gate.safetext.cleaning import clean_line, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from precheck_gate.errors import TransientFault

__all__ = [
    "Answer",
    "Contents",
    "answered_tasks",
    "contents_of",
    "parse_answer",
    "results_request",
]

_ABSENT = object()
_NOT_DRS = "Is the endpoint really that of DRS, and not a proxy or a web page?"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the service: for each task ID a snapshot, or why there is none.

    ``remarks`` are oddities that change no verdict but are said aloud. ``own`` are the tasks whose
    result is proven by ID to be of the pre-check that was started here: in v3 the result bears its
    ID; in v5 it came under its query ID, from a service that has none under another ID. ``fault``
    is why there is no entry for some of the tasks, where each was asked for by itself.
    ``shortfall`` says that the service counts more results than it sent; "" where it does not.
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
        UnnamedResult: an entry names no task.
    """
    return _read_results(_read_document(body), started or {})


def contents_of(body: bytes) -> Contents:
    """Return which tasks an answer holds, without reading what it says of them.

    Raises:
        NotAnAnswer: as `parse_answer` would.
    """
    document = _read_document(body)
    tasks = (task for entry in document["results"] for task in _tasks_of(entry, {}))
    return Contents(list(dict.fromkeys(tasks)), _shortfall(document))


def answered_tasks(body: bytes) -> list[str]:
    """Return the IDs of the tasks that an answer holds, as `contents_of` does."""
    return contents_of(body).tasks


def _read_document(body: bytes) -> dict[str, Any]:
    """Return an answer whose ``results`` is a list of objects that all name a task."""
    value = parse_json(body, _NOT_DRS)
    document: dict[str, Any] = value if isinstance(value, dict) else {}
    results = document.get("results")
    if not isinstance(results, list) or not all(isinstance(entry, dict) for entry in results):
        message = "The answer has no list of results in the documented shape."
        raise NotAnAnswer(message + _said(document), hint=_NOT_DRS)
    if error_in(document) is not None:
        raise NotAnAnswer(
            "The answer carries an error beside its results." + _said(document),
            hint="The service may be ill; ask it again, or its support.",
        )
    unnamed = [entry for entry in results if not _tasks_of(entry, {})]
    if unnamed:
        error = error_in(unnamed[0])
        verb = "names" if len(unnamed) == 1 else "name"
        raise UnnamedResult(
            f"{len(unnamed)} of the {len(results)} results {verb} no task, so that it could be "
            f"of any.{_said(unnamed[0])}",
            hint="Keep the answer (--save-answers) and ask the service's support.",
            code="" if error is None else clean_line(shorten(error.code, 60)),
        )
    return document


def _said(document: Any) -> str:
    message = str(parse_error_document(document))
    return f" It says: {clean_line(shorten(message, 300))}." if message else ""


def _names(entry: dict[str, Any]) -> list[Any]:
    """Return what an entry has under the names that tasks have in answers of this kind."""
    return [name for key in ("precheck_id", "id") if (name := entry.get(key)) not in (None, "")]


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _tasks_of(entry: dict[str, Any], started: Mapping[str, str]) -> list[str]:
    """Return the tasks that an entry names: one, unless it is odd."""
    return list(dict.fromkeys(started.get(one, one) for one in _names(entry) if _is_name(one)))


def _shortfall(document: dict[str, Any]) -> str:
    """Return that the service counts more results than it sent; "" where it does not."""
    count, sent = document.get("count"), len(document["results"])
    if isinstance(count, bool) or not isinstance(count, int | Decimal | str):
        return ""
    try:
        more = Decimal(count) > sent
    except InvalidOperation:
        return ""
    return _counted(document) if more else ""


def _counted(document: dict[str, Any]) -> str:
    said = clean_line(shorten(strict_json.compact(document["count"]), 40))
    return f"the service counts {said} results and sent {len(document['results'])}"


def _read_results(document: dict[str, Any], started: Mapping[str, str]) -> Answer:
    results, count = document["results"], document.get("count", _ABSENT)
    found: dict[str, list[Snapshot | Trouble]] = {}
    remarks: list[str] = []
    own: set[str] = set()
    for entry in results:
        tasks, named = _tasks_of(entry, started), entry.get("precheck_id")
        if isinstance(named, str) and named in started:
            own.add(started[named])
        for task_id in tasks:
            found.setdefault(task_id, []).append(_reading(task_id, entry, tasks))
    if count is not _ABSENT and (isinstance(count, bool) or count != len(results)):
        remarks.append(_counted(document))
    entries: dict[str, Snapshot | Trouble] = {}
    for task_id, readings in found.items():
        entries[task_id] = readings[0]
        if len(readings) > 1:
            if all(reading == readings[0] for reading in readings):
                remarks.append(f"task {clean_line(task_id)} stands {len(readings)} times, alike")
            else:
                entries[task_id] = _contradiction(readings)
    return Answer(entries, tuple(remarks), frozenset(own), shortfall=_shortfall(document))


def _reading(task_id: str, entry: dict[str, Any], tasks: list[str]) -> Snapshot | Trouble:
    """Return what an entry says of one of the tasks that it names."""
    if len(tasks) > 1 or not all(map(_is_name, _names(entry))):
        return malformed("its precheck_id and its id do not name the same task")
    reading = read_entry(task_id, entry)
    # An error may stand under either name; a result is documented under the one alone.
    if isinstance(reading, Snapshot) and not _is_name(entry.get("precheck_id")):
        return malformed("a result names its task by id, not by precheck_id")
    return reading


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
