"""DRS v5, its calls and its fields: it gives results one task at a time, each by a query ID."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from precheck_gate.documents.strict_json import text_in
from precheck_gate.drs.api.v3_wire import (
    Answer,
    malformed,
    not_started,
    page_of,
    read_entry,
    read_starts,
    task_error,
)
from precheck_gate.drs.http.messages import HttpRequest
from precheck_gate.drs.http.parallel import in_parallel
from precheck_gate.drs.http.replies import brief, error_in, parse_object, refused
from precheck_gate.errors import (
    AccessRefused,
    ApiGone,
    BatchRefused,
    NotAnAnswer,
    ServiceError,
    TimeOver,
    TransientFault,
    UsageError,
)
from precheck_gate.model.snapshots import About, Snapshot, Trouble, TroubleKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from precheck_gate.drs.api.v3_wire import TaskPage
    from precheck_gate.drs.http.messages import AuthorizedSend
    from precheck_gate.runtime.process import Clock

PARALLEL = 4
_NO_QUERY = (
    "API v5 gives a result only under the query ID of its pre-check, and none is known for this "
    "task"
)
# Any digit or letter of a hexadecimal number becomes another one.
_OTHERS = str.maketrans("0123456789abcdefABCDEF", "5678901234defabcDEFABC")


class DrsV5Client:
    """Asks DRS for the pre-checks of one project; the same calls and errors as `v3.DrsClient`.

    Only requests carry the query ID of a pre-check, answers do not. So a result is proven to be of
    the pre-check that was started here only where the start gave a query ID that was not known
    before, and the service shows that it looks at the ID: asked under an ID that it never issued,
    it has no result, both before and after.

    The arguments are those of `v3.DrsClient`, and ``query_ids`` of pre-checks that were started
    elsewhere, by task.
    """

    def __init__(
        self,
        endpoint: str,
        project_id: Callable[[float], str],
        send: AuthorizedSend,
        clock: Clock,
        *,
        query_ids: Mapping[str, str],
        language: str,
        advice: Callable[[int], str],
    ) -> None:
        self._endpoint = endpoint
        self._project_id = project_id
        self._send = send
        self._clock = clock
        self._queries = dict(query_ids)
        # Compared without case, since the service may do so too.
        self._known = {(task, query.casefold()) for task, query in query_ids.items()}
        # The tasks whose last start gave a new query ID, with how often the service has still to
        # show that it looks at the ID; then the tasks for which it has.
        self._new: dict[str, int] = {}
        self._own: set[str] = set()
        self._remarks: dict[str, str] = {}
        self._headers = {"X-Language": language}
        self._advice = advice

    def requests_for(self, tasks: int) -> int:
        """Return how many requests it takes to ask for the results of so many tasks."""
        return tasks

    def knows(self, task_ids: Sequence[str]) -> bool:
        """Return whether there is a query ID for one of the tasks."""
        return any(task in self._queries for task in task_ids)

    def precheck_results(self, task_ids: Sequence[str], seconds: float) -> Answer:
        """Return the results of tasks, several requests at once.

        Results count also where other tasks met a fault that may pass.
        """
        end = self._clock.monotonic() + seconds
        self._project_id(seconds)
        asked = [task for task in task_ids if task in self._queries]
        entries: dict[str, Snapshot | Trouble] = {
            task: Trouble(
                TroubleKind.NOT_ANSWERED,
                _NO_QUERY,
                hint=f"Start it here with --start-precheck, or give --query-id {task}=ID.",
            )
            for task in task_ids
            if task not in self._queries
        }
        fault: TransientFault | None = None
        outcomes = in_parallel(lambda task: self._result(task, end), asked, PARALLEL)
        for task, outcome in outcomes.items():
            if isinstance(outcome, TransientFault):
                fault = outcome
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                entries[task] = outcome
        if fault is not None and not entries:
            raise fault
        self._prove(entries, end)
        return Answer(
            entries,
            remarks=tuple(self._remarks[task] for task in task_ids if task in self._remarks),
            own=frozenset(self._own.intersection(task_ids)),
            fault=fault,
        )

    def _prove(self, entries: Mapping[str, Snapshot | Trouble], end: float) -> None:
        """Find out for which tasks the service looks at the new query ID.

        An answer without items shows nothing yet. What a fault that may pass leaves open is tried
        again with the next results.
        """
        open_tasks = [
            task for task, entry in entries.items() if task in self._new and _has_result(entry)
        ]
        outcomes = in_parallel(lambda task: self._looks_at_id(task, end), open_tasks, PARALLEL)
        for task, outcome in outcomes.items():
            if isinstance(outcome, TransientFault):
                continue
            if isinstance(outcome, BaseException) and not isinstance(outcome, ServiceError):
                raise outcome
            if outcome is True and self._new[task] > 1:
                self._new[task] -= 1
                continue
            del self._new[task]
            if outcome is True:
                self._own.add(task)
            else:
                self._remarks[task] = (
                    f"the service does not show that it looks at query IDs for task {task}, so the "
                    "query ID does not prove that the result is of the pre-check started here"
                )

    def _looks_at_id(self, task: str, end: float) -> bool:
        """Return whether the service has no result of a task under an ID that it never issued."""
        query = self._queries[task]
        first = query[0].translate(_OTHERS)
        other = (first if first != query[0] else "0") + query[1:]
        try:
            entry = self._precheck(task, other, end)
        except ServiceError as error:
            if not _is_about_the_task(error):
                raise
            return True
        if isinstance(entry, Trouble):
            # An error may have any reason; only a missing result says something about the ID.
            return entry.kind is TroubleKind.NOT_ANSWERED
        return not _has_result(entry)

    def start(self, modes: Mapping[str, str], seconds: float) -> dict[str, str | Trouble]:
        """Start the pre-checks of tasks, and remember their query IDs."""
        body = json.dumps(start_request(modes)).encode()
        # The service answers 202 to an action that it accepted.
        reply = self._call("POST", "/action", {}, seconds, body, accepted=(200, 202))
        outcome = parse_started(reply)
        for task, query in outcome.items():
            self._new.pop(task, None)
            self._own.discard(task)
            self._remarks.pop(task, None)
            if isinstance(query, Trouble):
                continue
            if (task, query.casefold()) in self._known:
                self._remarks[task] = (
                    f"the start of the pre-check of task {task} gave a query ID that was known "
                    "before, which does not prove that the result is of the pre-check started here"
                )
            else:
                # Twice, since an old result may give way to the new one between two requests.
                self._new[task] = 2
            self._known.add((task, query.casefold()))
            self._queries[task] = query
        return outcome

    def statuses(self, task_ids: Sequence[str], seconds: float) -> dict[str, str]:
        """Return the status of each task, where the service gives it."""
        return {task: about.status for task, about in self.details(task_ids, seconds).items()}

    def details(self, task_ids: Sequence[str], seconds: float) -> dict[str, About]:
        """Return name, status and kind of each task that the service knows."""
        end = self._clock.monotonic() + seconds
        self._project_id(seconds)

        def ask(task: str) -> About | None:
            try:
                body = self._call("GET", f"/{quote(task)}", {"type": "detail"}, self._left(end))
            except ServiceError as error:
                if _is_about_the_task(error):
                    return None
                raise
            return parse_detail(task, body)

        found: dict[str, About] = {}
        for task, outcome in in_parallel(ask, task_ids, PARALLEL).items():
            if isinstance(outcome, BaseException):
                raise outcome
            if outcome is not None:
                found[task] = outcome
        return found

    def task_page(
        self, wanted: Mapping[str, Any], page: int, size: int, seconds: float
    ) -> TaskPage:
        """Return one page of the project's tasks, filtered on the service by ``wanted``.

        Raises:
            UsageError: the filter has tags, which v5's list does not know.
        """
        if "tags" in wanted:
            raise UsageError(
                "API v5 cannot list tasks by tag.",
                hint="Select by name, status, type or engine, or use --api v3.",
            )
        names = {"db_use_type": "job_type"}
        query = {names.get(key, key): value for key, value in wanted.items()}
        query |= {"offset": (page - 1) * size, "limit": size}
        return parse_page(self._call("GET", "", query, seconds))

    def _result(self, task: str, end: float) -> Snapshot | Trouble:
        try:
            return self._precheck(task, self._queries[task], end)
        except ServiceError as error:
            if not _is_about_the_task(error):
                raise
            return Trouble(TroubleKind.TASK_ERROR, error.message, code=error.code, hint=error.hint)

    def _precheck(self, task: str, query_id: str, end: float) -> Snapshot | Trouble:
        query = {"type": "precheck", "query_id": query_id}
        return parse_result(task, self._call("GET", f"/{quote(task)}", query, self._left(end)))

    def _left(self, end: float) -> float:
        left = end - self._clock.monotonic()
        if left <= 0:
            raise TimeOver("The time for the requests of one round is over.")
        return left

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        seconds: float,
        body: bytes = b"",
        accepted: tuple[int, ...] = (200,),
    ) -> bytes:
        """Send one request about the project's tasks, and return the body of the answer."""
        project = quote(self._project_id(seconds), safe="")
        asked = f"?{urlencode(query)}" if query else ""
        url = f"{self._endpoint}/v5/{project}/jobs{path}{asked}"
        reply = self._send(HttpRequest(method, url, self._headers, body), seconds)
        if reply.status not in accepted:
            raise refused(reply, self._clock, self._advice)
        return reply.body


def _has_result(entry: Snapshot | Trouble) -> bool:
    """Return whether an answer has a result, or a part of one so far."""
    return isinstance(entry, Snapshot) and (bool(entry.items) or entry.complete or entry.ready)


def _is_about_the_task(error: ServiceError) -> bool:
    """Return whether a refusal concerns only the task that was asked for."""
    if isinstance(error, TransientFault | AccessRefused | ApiGone):
        return False
    return isinstance(error, BatchRefused) or error.code.startswith("DRS.")


# The fields. Each `parse_` function raises `NotAnAnswer` for a body that is not exactly one JSON
# document, or not of the documented shape, or about another task.


def start_request(modes: Mapping[str, str]) -> dict[str, Any]:
    """Return the body that starts a pre-check of each task in its mode."""
    return {
        "jobs": [
            {"job_id": task, "action_name": "precheck", "action_params": {"precheck_mode": mode}}
            for task, mode in modes.items()
        ]
    }


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
