"""The calls of DRS v5, which has results one task at a time, each under a query ID."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

from precheck_gate.drs.api import v5_wire
from precheck_gate.drs.api.v3_wire import Answer
from precheck_gate.drs.http.parallel import in_parallel
from precheck_gate.drs.http.replies import answer_in
from precheck_gate.errors import (
    AccessRefused,
    ApiGone,
    BatchRefused,
    ServiceError,
    TimeOver,
    TransientFault,
    UsageError,
)
from precheck_gate.model.snapshots import Snapshot, Trouble, TroubleKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from precheck_gate.drs.api.v3_tasks import TaskPage
    from precheck_gate.drs.http.messages import Reply
    from precheck_gate.model.snapshots import About
    from precheck_gate.runtime.clock import Clock

__all__ = ["DrsV5Client"]

PARALLEL = 4
_NO_QUERY = (
    "API v5 tells a result only under the query ID of its pre-check, and none is known for this "
    "task"
)


class Sender(Protocol):
    """What sends a request with the credential: `Access.send`, or a fake."""

    def __call__(
        self,
        method: str,
        url: str,
        *,
        seconds: float,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Reply: ...


class DrsV5Client:
    """Asks one project's DRS by v5; the same calls as `client.DrsClient`.

    Only a request bears the query ID of a pre-check, and no answer does. So a result is proven to
    be of the pre-check that a start here began only where the start gave a query ID that was not
    known before, and the service shows that it goes by the ID: asked under one that it never gave
    out, it has no result, both before and after.

    Args:
        endpoint: base URL, checked.
        project_id: returns the project within so many seconds.
        send: what sends a request.
        clock: the time.
        query_ids: of pre-checks that were started elsewhere, by task.
        language: of the service's messages.
        advice: what to do about a 401 or a 403.
    """

    def __init__(
        self,
        endpoint: str,
        project_id: Callable[[float], str],
        send: Sender,
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
        # As a service may compare them that takes upper and lower case for the same.
        self._known = {(task, query.casefold()) for task, query in query_ids.items()}
        # The tasks whose last start gave a new query ID, and how often the service has still to
        # show that it goes by it; then those for which it has.
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
        """Ask for the result of each task, several at once.

        What came of some counts also where others met a fault that may pass.

        Raises:
            ServiceError: as with v3, where it concerns the whole run.
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
        for task, outcome in in_parallel(
            lambda one: self._result(one, end), asked, PARALLEL
        ).items():
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
        """Find out for which tasks the service goes by the new query ID.

        An answer without items shows nothing yet, whatever the service goes by. What a fault that
        may pass leaves open is asked for again with the next results.
        """
        open_tasks = [
            task for task, entry in entries.items() if task in self._new and _shows(entry)
        ]
        for task, outcome in in_parallel(
            lambda one: self._has_none_otherwise(one, end), open_tasks, PARALLEL
        ).items():
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
                    f"the service does not show that it goes by query IDs for task {task}, so that "
                    "the query ID does not prove that the result is of the pre-check started here"
                )

    def _has_none_otherwise(self, task: str, end: float) -> bool:
        """Return whether the service has no result of a task under an ID that it never gave out."""
        try:
            body = self._precheck(task, _another(self._queries[task]), end)
        except ServiceError as error:
            if not _is_about_the_task(error):
                raise
            return True
        entry = v5_wire.parse_result(task, body)
        if isinstance(entry, Trouble):
            # An error may have any reason; only that there is no result speaks of the ID.
            return entry.kind is TroubleKind.NOT_ANSWERED
        return not _shows(entry)

    def start(self, modes: Mapping[str, str], seconds: float) -> dict[str, str | Trouble]:
        """Start the pre-checks of some tasks, and remember their query IDs.

        Raises:
            ServiceError: as with v3.
        """
        body = json.dumps(v5_wire.start_request(modes)).encode()
        # An action is taken on with 202.
        reply = self._call("POST", "/action", {}, body, seconds, accepted=(200, 202))
        outcome = v5_wire.parse_started(reply)
        for task, query in outcome.items():
            self._new.pop(task, None)
            self._own.discard(task)
            self._remarks.pop(task, None)
            if isinstance(query, str):
                self._take(task, query)
        return outcome

    def _take(self, task: str, query: str) -> None:
        """Take the query ID that a start gave."""
        known = (task, query.casefold())
        if known in self._known:
            self._remarks[task] = (
                f"the start of the pre-check of task {task} gave a query ID that was known before, "
                "which does not prove that the result is of the pre-check started here"
            )
        else:
            # Once would do, were it not for an old result that gives way in between.
            self._new[task] = 2
        self._known.add(known)
        self._queries[task] = query

    def statuses(self, task_ids: Sequence[str], seconds: float) -> dict[str, str]:
        """Return the status of each task, as far as the service tells it."""
        return {task: about.status for task, about in self.details(task_ids, seconds).items()}

    def details(self, task_ids: Sequence[str], seconds: float) -> dict[str, About]:
        """Return what people call each task; one that the service refuses is left out.

        Raises:
            ServiceError: as with v3.
        """
        end = self._clock.monotonic() + seconds
        self._project_id(seconds)

        def ask(task: str) -> About | None:
            try:
                body = self._call(
                    "GET", f"/{quote(task)}", {"type": "detail"}, b"", self._left(end)
                )
            except ServiceError as error:
                if _is_about_the_task(error):
                    return None
                raise
            return v5_wire.parse_detail(task, body)

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
        """Return one page of the project's tasks.

        Raises:
            UsageError: tags are wanted, which v5's list does not know.
            ServiceError: as with v3.
        """
        if "tags" in wanted:
            raise UsageError(
                "API v5 cannot list tasks by tag.",
                hint="Select by name, status, type or engine, or use --api v3.",
            )
        names = {"db_use_type": "job_type"}
        query = {names.get(key, key): value for key, value in wanted.items()}
        query |= {"offset": (page - 1) * size, "limit": size}
        return v5_wire.parse_page(self._call("GET", "", query, b"", seconds))

    def _result(self, task: str, end: float) -> Snapshot | Trouble:
        try:
            body = self._precheck(task, self._queries[task], end)
        except ServiceError as error:
            if not _is_about_the_task(error):
                raise
            return Trouble(TroubleKind.TASK_ERROR, error.message, code=error.code, hint=error.hint)
        return v5_wire.parse_result(task, body)

    def _precheck(self, task: str, query_id: str, end: float) -> bytes:
        query = {"type": "precheck", "query_id": query_id}
        return self._call("GET", f"/{quote(task)}", query, b"", self._left(end))

    def _left(self, end: float) -> float:
        left = end - self._clock.monotonic()
        if left <= 0:
            raise TimeOver("The time for the requests of a round is over.")
        return left

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        body: bytes,
        seconds: float,
        accepted: tuple[int, ...] = (200,),
    ) -> bytes:
        project = quote(self._project_id(seconds), safe="")
        asked = f"?{urlencode(query)}" if query else ""
        url = f"{self._endpoint}/v5/{project}/jobs{path}{asked}"
        reply = self._send(method, url, headers=self._headers, body=body, seconds=seconds)
        return answer_in(reply, self._clock, self._advice, accepted).body


def _shows(entry: Snapshot | Trouble) -> bool:
    """Return whether an answer shows a result, or the part of one that there is so far."""
    return isinstance(entry, Snapshot) and (bool(entry.items) or entry.complete or entry.ready)


_OTHERS = str.maketrans("0123456789abcdefABCDEF", "5678901234defabcDEFABC")


def _another(query_id: str) -> str:
    """Return an ID of the same form as a query ID; none that the service ever gave out."""
    first = query_id[0]
    other = first.translate(_OTHERS)
    return (other if other != first else "0") + query_id[1:]


def _is_about_the_task(error: ServiceError) -> bool:
    """Return whether a refusal concerns the one task that was asked for, and no other."""
    if isinstance(error, TransientFault | AccessRefused | ApiGone):
        return False
    return isinstance(error, BatchRefused) or error.code.startswith("DRS.")
