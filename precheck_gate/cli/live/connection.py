"""The way to the service for one run: paced, its answers kept, and an account of what went over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from precheck_gate.cli.options.service import open_access, open_transport
from precheck_gate.safetext.cleaning import clean_line, hide_credentials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from precheck_gate.cli.options.live import LiveOptions
    from precheck_gate.cli.options.service import ServiceSettings
    from precheck_gate.drs.api.auto import Service
    from precheck_gate.drs.http.messages import Reply
    from precheck_gate.gate import Gate
    from precheck_gate.model.snapshots import Observation, Trouble
    from precheck_gate.model.verdicts import RunFacts
    from precheck_gate.runtime.clock import Clock
    from precheck_gate.runtime.process import Runtime
    from precheck_gate.saved.archive import AnswerArchive

__all__ = ["Connection"]


@dataclass
class Connection:
    """Connects a run with the service; nothing is asked yet.

    Args:
        gate: told of what goes wrong beside the asking.
        runtime: the world outside.
        settings: which service, and who asks.
        live: which version of the API, how fast, and where to keep answers.
        clock: the time.

    Attributes:
        client: who speaks to the service, in whichever version of its API.
    """

    gate: Gate
    runtime: Runtime
    settings: ServiceSettings
    live: LiveOptions
    clock: Clock

    def __post_init__(self) -> None:
        from precheck_gate.drs.http.transport import PacedSend

        transport = open_transport(
            self.settings.ca_bundle,
            self.runtime,
            self.gate.console,
            debug_http=self.live.debug_http,
        )
        self._send = PacedSend(transport.send, self.clock, self.live.max_rps)
        self._access = open_access(self.settings, self._send, self.runtime)
        self._archive = self._open_archive()
        self.client = self._client()

    def _open_archive(self) -> AnswerArchive | None:
        if self.live.save_answers is None:
            return None
        from precheck_gate.saved.archive import AnswerArchive

        return AnswerArchive(self.live.save_answers, self.clock)

    def _client(self) -> Service:
        from precheck_gate.drs.api.auto import AutoClient
        from precheck_gate.drs.api.v3 import DrsClient
        from precheck_gate.drs.api.v5 import DrsV5Client

        v3 = DrsClient(
            self.settings.endpoint,
            self._access.project_id,
            self._access.send,
            self.clock,
            language=self.settings.language,
            on_reply=self._save if self._archive is not None else None,
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
        starts = self.live.start_precheck
        either = AutoClient(v3, v5, starts=starts, tell=self._v3_is_gone)
        clients: dict[str, Service] = {"v3": v3, "v5": v5, "auto": either}
        return clients[self.live.api]

    def _v3_is_gone(self, text: str) -> None:
        self.gate.console.say(text)
        if self._archive is not None:
            # A folder without its answers does not say that the run ended, and so is not green.
            self._archive.failure = "API v5 is in use, whose answers cannot be saved"

    # What is kept

    def _save(self, task_ids: Sequence[str], reply: Reply, started: Mapping[str, str]) -> None:
        if self._archive is not None:
            request_id = reply.headers.get("X-Request-Id", "")
            self._archive.save(task_ids, reply.status, reply.body, request_id, started)

    def begin(self, task_ids: Sequence[str]) -> None:
        """Note for whom the answers are that come from now on."""
        if self._archive is not None:
            self._archive.begin(task_ids)

    def end(
        self,
        observations: Sequence[Observation],
        troubles: Sequence[Trouble],
        remarks: Sequence[str],
    ) -> None:
        """Save what the run concluded, so that it can be judged again."""
        if self._archive is not None:
            self._archive.end(observations, troubles, remarks)

    def lost_answers(self) -> str:
        """Return why answers could not be kept; "" where all were that were to be."""
        if self._archive is None or not self._archive.failure:
            return ""
        return (
            f"the answers could not be saved to {self.live.save_answers}: {self._archive.failure}"
        )

    @property
    def known_project_id(self) -> str:
        """The project's ID; "" as long as IAM has not been asked for it."""
        return self._access.known_project_id

    def account(self, facts: RunFacts) -> RunFacts:
        """Return the facts of a run with what was asked and what went over the wire."""
        return replace(
            facts,
            endpoint=clean_line(hide_credentials(self.settings.endpoint)),
            project_id=clean_line(self._access.known_project_id),
            requests=self._access.requests,
            bytes_sent=self._send.bytes_sent,
            bytes_received=self._send.bytes_received,
        )
