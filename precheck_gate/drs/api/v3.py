"""The calls of DRS v3: each asks once, and brings an answer or a named error.

Nothing is repeated here: whoever asks decides about that, and can say so.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from precheck_gate.drs.api import v3_tasks, v3_wire
from precheck_gate.drs.http.replies import answer_in, usual_advice
from precheck_gate.errors import BatchRefused, TimeOver, UnnamedResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from precheck_gate.drs.http.messages import Reply
    from precheck_gate.model.snapshots import About, Trouble
    from precheck_gate.runtime.clock import Clock

__all__ = ["DrsClient", "Post"]

# In a request; the service's own advice.
MAX_TASKS = 10


class Post(Protocol):
    """What sends a request: `HttpTransport.post`, or a fake."""

    def __call__(  # noqa: D102
        self, url: str, body: bytes, headers: Mapping[str, str], seconds: float
    ) -> Reply: ...


class DrsClient:
    """Asks one project's DRS for pre-check results.

    Args:
        endpoint: base URL, checked.
        project_id: whose tasks are asked for, or what finds that out within so many seconds.
        post: what sends a request.
        clock: for ``Retry-After`` dates.
        language: of the service's messages, ``en-us`` or ``zh-cn``.
        on_reply: told of each reply with results, whatever it is, with the tasks that were asked
            for, and with the tasks of the pre-checks that were started here, by the latter's IDs.
        advice: what to do about a 401 or a 403.
    """

    def __init__(
        self,
        endpoint: str,
        project_id: str | Callable[[float], str],
        post: Post,
        clock: Clock,
        *,
        language: str = "en-us",
        on_reply: Callable[[Sequence[str], Reply, Mapping[str, str]], None] | None = None,
        advice: Callable[[int], str] | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._project_id = project_id
        self._advice = advice or usual_advice
        self._post = post
        self._clock = clock
        self._headers = {"X-Language": language}
        self._on_reply = on_reply
        self.requests = 0
        self._started: dict[str, str] = {}
        # The IDs that results or starts have borne, and the tasks whose last start gave a new one.
        self._seen: set[str] = set()
        self._new: set[str] = set()

    def requests_for(self, tasks: int) -> int:
        """Return how many requests it takes to ask for the results of so many tasks."""
        return -(-tasks // MAX_TASKS)

    def precheck_results(self, task_ids: Sequence[str], seconds: float) -> v3_wire.Answer:
        """Ask for the results of at most 10 tasks.

        Args:
            task_ids: not empty, unique.
            seconds: the time in which the whole answer has to be here.

        Raises:
            TransientFault: the fault may pass: network, 408, 429, 5xx, no answer (`NotAnAnswer`).
            AccessRefused: 401 or 403.
            BatchRefused: 400, or a result that names no task: asking for parts of the batch tells
                whose it is.
            ServiceError: anything else that is no answer, redirects included.
        """
        reply = self._call(
            "batch-precheck-result",
            v3_wire.results_request(list(task_ids)),
            seconds,
            lambda reply: self._on_reply and self._on_reply(task_ids, reply, self._started),
        )
        try:
            answer = v3_wire.parse_answer(reply.body, self._started)
        except UnnamedResult as error:
            raise BatchRefused(error.message, hint=error.hint, code=error.code) from None
        self._seen.update(answer.entries)
        # An ID that was there before the start would let the old result prove itself.
        return replace(answer, own=answer.own & self._new)

    def start(self, modes: Mapping[str, str], seconds: float) -> dict[str, str | Trouble]:
        """Start the pre-checks of at most 10 tasks, each in its mode.

        Returns:
            For each task that the service answered for the ID of the pre-check that was started,
            "" where it named none, or why none was.

        Raises:
            ServiceError: as with `precheck_results`.
        """
        reply = self._call("batch-precheck", v3_tasks.start_request(modes), seconds)
        outcome = v3_tasks.parse_started(reply.body)
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
        """Return the status of each of at most 10 tasks, as far as the service tells it.

        Raises:
            ServiceError: as with `precheck_results`.
        """
        body = v3_tasks.tasks_request(list(task_ids))
        return v3_tasks.parse_statuses(self._call("batch-status", body, seconds).body)

    def details(self, task_ids: Sequence[str], seconds: float) -> dict[str, About]:
        """Return what people call each of at most 10 tasks, as far as the service tells it.

        Raises:
            ServiceError: as with `precheck_results`.
        """
        body = v3_tasks.tasks_request(list(task_ids))
        return v3_tasks.parse_details(self._call("batch-detail", body, seconds).body)

    def task_page(
        self, wanted: Mapping[str, Any], page: int, size: int, seconds: float
    ) -> v3_tasks.TaskPage:
        """Return one page of the project's tasks; ``wanted`` narrows them down on the service.

        Raises:
            ServiceError: as with `precheck_results`.
        """
        body = v3_tasks.list_request(wanted, page, size)
        return v3_tasks.parse_page(self._call("", body, seconds).body)

    def _call(
        self,
        name: str,
        document: Mapping[str, Any],
        seconds: float,
        on_reply: Callable[[Reply], object] | None = None,
    ) -> Reply:
        """Send one call to the project's tasks, and return the reply if it is 200."""
        end = self._clock.monotonic() + seconds
        project = (
            self._project_id if isinstance(self._project_id, str) else self._project_id(seconds)
        )
        path = f"jobs/{name}" if name else "jobs"
        url = f"{self._endpoint}/v3/{quote(project, safe='')}/{path}"
        self.requests += 1
        body = json.dumps(document).encode()
        left = end - self._clock.monotonic()
        if left <= 0:
            raise TimeOver("The time for a request went by while the project was looked up.")
        reply = self._post(url, body, self._headers, left)
        if on_reply is not None:
            on_reply(reply)
        return answer_in(reply, self._clock, self._advice)
