"""Connect a run with the service: rate limit, saved answers, names of tasks, and totals."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from precheck_gate.cli.options.service import open_access, open_transport
from precheck_gate.drs.api.auto import AutoClient
from precheck_gate.drs.api.v3 import DrsClient
from precheck_gate.drs.api.v5 import DrsV5Client
from precheck_gate.drs.http.transport import PacedSend
from precheck_gate.errors import ServiceError
from precheck_gate.safetext.cleaning import clean_line, hide_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from precheck_gate.cli.options.live import LiveOptions
    from precheck_gate.cli.options.service import ServiceSettings
    from precheck_gate.drs.api.auto import Service
    from precheck_gate.drs.api.v3_wire import Answer
    from precheck_gate.drs.http.messages import Reply
    from precheck_gate.gate import Gate
    from precheck_gate.model.snapshots import About
    from precheck_gate.model.verdicts import RunFacts
    from precheck_gate.polling.poller import Asker
    from precheck_gate.runtime.process import Clock, Runtime
    from precheck_gate.saved.archive import AnswerArchive

# A run waits no longer than this for names.
_NAMES_SECONDS = 5.0


@dataclass
class Connection:
    """Connects a run with the service; creating it sends no request.

    Attributes:
        client: the client for the chosen version of the API.
        archive: where answers are saved; None if they are not.
    """

    gate: Gate
    runtime: Runtime
    settings: ServiceSettings
    live: LiveOptions
    clock: Clock

    def __post_init__(self) -> None:
        transport = open_transport(
            self.settings.ca_bundle,
            self.runtime,
            self.gate.console,
            debug_http=self.live.debug_http,
        )
        self._send = PacedSend(transport.send, self.clock, self.live.max_rps)
        self._access = open_access(self.settings, self._send, self.runtime)
        self.archive: AnswerArchive | None = None
        if self.live.save_answers is not None:
            from precheck_gate.saved.archive import AnswerArchive

            self.archive = AnswerArchive(self.live.save_answers, self.clock)
        self.client = self._open_client()

    def _open_client(self) -> Service:
        v3 = DrsClient(
            self.settings.endpoint,
            self._access.project_id,
            self._access.send,
            self.clock,
            language=self.settings.language,
            on_reply=self._save if self.archive is not None else None,
            advice=self._access.advice,
        )
        v5 = DrsV5Client(
            self.settings.endpoint,
            self._access.project_id,
            self._access.send,
            self.clock,
            query_ids=dict(self.live.query_ids),
            language=self.settings.language,
            advice=self._access.advice,
        )
        auto = AutoClient(v3, v5, starts=self.live.start_precheck, on_v3_gone=self._v3_is_gone)
        clients: dict[str, Service] = {"v3": v3, "v5": v5, "auto": auto}
        return clients[self.live.api]

    def _v3_is_gone(self, text: str) -> None:
        self.gate.console.say(text)
        if self.archive is not None:
            # A folder without its answers does not say that the run ended, and so is not green.
            self.archive.failure = "API v5 is in use, whose answers cannot be saved"

    def _save(self, task_ids: Sequence[str], reply: Reply, started: Mapping[str, str]) -> None:
        if self.archive is not None:
            request_id = reply.headers.get("X-Request-Id", "")
            self.archive.save(task_ids, reply.status, reply.body, request_id, started)

    @property
    def known_project_id(self) -> str:
        """The project's ID; "" as long as IAM has not been asked for it."""
        return self._access.known_project_id

    def account(self, facts: RunFacts) -> RunFacts:
        """Return the facts of a run with the service, the project, and the totals of requests."""
        return replace(
            facts,
            endpoint=clean_line(hide_credentials(self.settings.endpoint)),
            project_id=clean_line(self._access.known_project_id),
            requests=self._access.requests,
            bytes_sent=self._send.bytes_sent,
            bytes_received=self._send.bytes_received,
        )


@dataclass
class NamedResults:
    """Returns results, and asks once for the names of the tasks that have one; an `Asker`.

    The request for names follows the first answer, so that an unreachable service gets none.

    Attributes:
        details: returns what is known of tasks.
        names: filled with the names.
        failure: why names are missing; it stops further requests for names.
    """

    asker: Asker
    details: Callable[[Sequence[str], float], dict[str, About]]
    clock: Clock
    names: dict[str, About]
    failure: str = ""
    _asked: set[str] = field(default_factory=set)

    def precheck_results(self, task_ids: Sequence[str], seconds: float) -> Answer:
        """Return the answer for these tasks."""
        end = self.clock.monotonic() + seconds
        answer = self.asker.precheck_results(task_ids, seconds)
        known = self._asked | self.names.keys()
        new = [task for task in task_ids if task in answer.entries and task not in known]
        left = end - self.clock.monotonic()
        if new and not self.failure and left >= 1.0:
            self._asked.update(new)
            try:
                found = self.details(new, min(_NAMES_SECONDS, left))
            except ServiceError as error:
                self.failure = error.message
            else:
                self.names.update({task: found[task] for task in new if task in found})
        return answer
