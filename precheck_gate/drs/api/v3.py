"""The calls of DRS v3: each sends one request, and returns an answer or raises a named error.

Nothing is repeated here: the caller decides about that, and can say so.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from precheck_gate.drs.api import v3_wire
from precheck_gate.drs.http.messages import HttpRequest
from precheck_gate.drs.http.replies import refused, usual_advice
from precheck_gate.errors import BatchRefused, TimeOver, UnnamedResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from precheck_gate.drs.http.messages import AuthorizedSend, Reply
    from precheck_gate.model.snapshots import About, Trouble
    from precheck_gate.runtime.process import Clock

MAX_TASKS = 10
"""The tasks of one request; the service's own advice."""


class DrsClient:
    """Asks DRS for the pre-checks of one project.

    A call raises `TransientFault` where the fault may pass (network, 408, 429, 5xx, a body that is
    not an answer), `AccessRefused` for 401 and 403, `BatchRefused` for 400, and `ServiceError` for
    any other status but 200.

    Args:
        endpoint: base URL, checked.
        project_id: returns the project's ID within so many seconds.
        send: sends a request with the credential.
        clock: the time.
        language: of the service's messages, ``en-us`` or ``zh-cn``.
        on_reply: called for each reply with results, whatever its status, with the tasks that were
            asked for, and the tasks of the pre-checks that were started here, by the IDs of those.
        advice: what to do about a 401 or a 403.
    """

    def __init__(
        self,
        endpoint: str,
        project_id: Callable[[float], str],
        send: AuthorizedSend,
        clock: Clock,
        *,
        language: str = "en-us",
        on_reply: Callable[[Sequence[str], Reply, Mapping[str, str]], None] | None = None,
        advice: Callable[[int], str] = usual_advice,
    ) -> None:
        self._endpoint = endpoint
        self._project_id = project_id
        self._send = send
        self._clock = clock
        self._headers = {"X-Language": language}
        self._on_reply = on_reply
        self._advice = advice
        self._started: dict[str, str] = {}
        # The IDs in results or starts so far, and the tasks whose last start gave a new one.
        self._seen: set[str] = set()
        self._new: set[str] = set()

    def requests_for(self, tasks: int) -> int:
        """Return how many requests it takes to ask for the results of so many tasks."""
        return -(-tasks // MAX_TASKS)

    def precheck_results(self, task_ids: Sequence[str], seconds: float) -> v3_wire.Answer:
        """Return the results of 1 to 10 different tasks.

        Raises:
            BatchRefused: also where a result names no task: asking for parts of the batch shows
                whose it is.
        """
        reply = self._call("/batch-precheck-result", {"jobs": list(task_ids)}, seconds)
        if self._on_reply is not None:
            self._on_reply(task_ids, reply, self._started)
        body = self._answer_in(reply)
        try:
            answer = v3_wire.parse_answer(body, self._started)
        except UnnamedResult as error:
            raise BatchRefused(error.message, hint=error.hint, code=error.code) from None
        self._seen.update(answer.entries)
        # An ID that was known before the start would let the old result prove itself.
        return replace(answer, own=answer.own & self._new)

    def start(self, modes: Mapping[str, str], seconds: float) -> dict[str, str | Trouble]:
        """Start the pre-checks of at most 10 tasks, each in its mode.

        Returns:
            For each task in the answer the ID of its new pre-check, "" where the service gave none,
            or why it was not started.
        """
        reply = self._call("/batch-precheck", start_request(modes), seconds)
        outcome = v3_wire.parse_started(self._answer_in(reply))
        for task_id, precheck in outcome.items():
            # Only the last pre-check of a task is ours to look for.
            self._started = {one: task for one, task in self._started.items() if task != task_id}
            self._new.discard(task_id)
            if isinstance(precheck, str) and precheck not in ("", task_id):
                self._started[precheck] = task_id
                if precheck not in self._seen:
                    self._new.add(task_id)
                self._seen.add(precheck)
        return outcome

    def statuses(self, task_ids: Sequence[str], seconds: float) -> dict[str, str]:
        """Return the status of each of at most 10 tasks, where the service gives it."""
        reply = self._call("/batch-status", tasks_request(task_ids), seconds)
        return v3_wire.parse_statuses(self._answer_in(reply))

    def details(self, task_ids: Sequence[str], seconds: float) -> dict[str, About]:
        """Return name, status and kind of each of at most 10 tasks that the service knows."""
        reply = self._call("/batch-detail", tasks_request(task_ids), seconds)
        return v3_wire.parse_details(self._answer_in(reply))

    def task_page(
        self, wanted: Mapping[str, Any], page: int, size: int, seconds: float
    ) -> v3_wire.TaskPage:
        """Return one page of the project's tasks, filtered on the service by ``wanted``."""
        reply = self._call("", list_request(wanted, page, size), seconds)
        return v3_wire.parse_page(self._answer_in(reply))

    def _call(self, path: str, document: Mapping[str, Any], seconds: float) -> Reply:
        """Send one request about the project's tasks."""
        end = self._clock.monotonic() + seconds
        project = quote(self._project_id(seconds), safe="")
        left = end - self._clock.monotonic()
        if left <= 0:
            raise TimeOver("The time for a request ran out while the project was looked up.")
        url = f"{self._endpoint}/v3/{project}/jobs{path}"
        body = json.dumps(document).encode()
        return self._send(HttpRequest("POST", url, self._headers, body), left)

    def _answer_in(self, reply: Reply) -> bytes:
        """Return the body of an answer; any status but 200 is an error."""
        if reply.status != 200:
            raise refused(reply, self._clock, self._advice)
        return reply.body


def start_request(modes: Mapping[str, str]) -> dict[str, Any]:
    """Return the body that starts a pre-check of each task in its mode."""
    return {"jobs": [{"job_id": task, "precheck_mode": mode} for task, mode in modes.items()]}


def tasks_request(task_ids: Sequence[str]) -> dict[str, Any]:
    """Return the body that asks for the status or the details of tasks, all on one page."""
    return {"jobs": list(task_ids), "page_req": {"cur_page": 1, "per_page": len(task_ids)}}


def list_request(wanted: Mapping[str, Any], page: int, size: int) -> dict[str, Any]:
    """Return the body that asks for a page of the list, counted from 1."""
    return {**wanted, "cur_page": page, "per_page": size}
