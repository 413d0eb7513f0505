"""Saves the answers of a run: each as it comes, and at the end what the run made of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from precheck_gate.errors import reason_of
from precheck_gate.model.snapshots import Snapshot, Trouble, TroubleKind
from precheck_gate.saved.answers.hiding import without_secrets
from precheck_gate.saved.answers.index import INDEX, Began, Conclusion, Ended, Exchange, spell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from precheck_gate.drs.api.v3_wire import Answer
    from precheck_gate.model.snapshots import Observation
    from precheck_gate.polling.poller import Asker
    from precheck_gate.runtime.clock import Clock
    from precheck_gate.saved.answers.index import Line

__all__ = ["AnswerArchive", "KeptResults"]

_NOT_KEPT = Trouble(
    TroubleKind.NOT_ANSWERED,
    "the answer that the run went by was not saved",
    hint="Run the gate again; of API v5, no answers can be saved.",
)


class AnswerArchive:
    """Writes every answer to a folder as it comes; the first failure ends it and is remembered.

    Attributes:
        failure: why nothing can be saved any more; "" while all is well.
        latest: the file of the latest answer; "" where what came then was none.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self.failure = ""
        self.latest = ""
        self._number = 0
        self._rest_on: dict[str, str] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            numbers = [path.name.partition(".")[0] for path in folder.iterdir()]
            self._number = max((int(name) for name in numbers if name.isdecimal()), default=0)
        except OSError as error:
            self.failure = reason_of(error)

    def begin(self, task_ids: Sequence[str]) -> None:
        """Note that a run begins for these tasks; until `end` it has not said how it ended."""
        self._note(Began(self._now(), tuple(task_ids)))

    def save(
        self,
        task_ids: Sequence[str],
        status: int,
        body: bytes,
        request_id: str,
        started: Mapping[str, str] | None = None,
    ) -> None:
        """Write one answer and its line in the index; neither holds a secret.

        Args:
            task_ids: the tasks that were asked for.
            status: of HTTP.
            body: what came.
            request_id: as the service names it.
            started: the tasks whose pre-checks were started here, by the IDs of those pre-checks.
        """
        self.latest = ""
        if self.failure:
            return
        self._number += 1
        suffix = "json" if status == 200 else f"http-{status}.txt"
        name = f"{self._number:04d}.{suffix}"
        asked = frozenset(task_ids)
        own = {one: task for one, task in (started or {}).items() if task in asked}
        said = Exchange(self._now(), name, status, "", tuple(task_ids), request_id, own)
        exchange, content = without_secrets(said, body)
        try:
            # Never over the answer of another run, to which its index may refer.
            with (self._folder / name).open("xb") as file:
                file.write(content)
        except FileExistsError:
            self.failure = f"another run saved {name} meanwhile; give each run its own folder"
            return
        except OSError as error:
            self.failure = reason_of(error)
            return
        self._note(replace(exchange, sha256=hashlib.sha256(content).hexdigest()))
        self.latest = name if status == 200 else ""

    def rest(self, task_ids: Sequence[str], file: str) -> None:
        """Note that what is known of these tasks stands in this file; "" where in none."""
        self._rest_on.update(dict.fromkeys(task_ids, file))

    def end(self, observations: Sequence[Observation], troubles: Sequence[Trouble]) -> None:
        """Note what the run made of each task, and what went wrong with the run itself."""
        conclusions = {one.task_id: self._conclusion(one) for one in observations}
        self._note(Ended(self._now(), conclusions, tuple(troubles)))

    def _conclusion(self, observation: Observation) -> Conclusion:
        if observation.snapshot is None:
            return Conclusion("", observation.trouble)
        file = self._rest_on.get(observation.task_id, "")
        return Conclusion(file, observation.trouble or (None if file else _NOT_KEPT))

    def _note(self, line: Line) -> None:
        if self.failure:
            return
        try:
            with (self._folder / INDEX).open("a", encoding="utf-8", newline="\n") as index:
                index.write(spell(line))
        except OSError as error:
            self.failure = reason_of(error)

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="milliseconds")


@dataclass
class KeptResults:
    """Asks for results, and tells an archive upon which of its files each of them rests.

    It stands outside of whatever decides which results count, next to whoever takes them.

    Args:
        asker: whom to ask; each of its answers is saved.
        archive: where.
    """

    asker: Asker
    archive: AnswerArchive

    def precheck_results(self, task_ids: Sequence[str], seconds: float) -> Answer:
        """Return the answer for these tasks."""
        self.archive.latest = ""
        answer = self.asker.precheck_results(task_ids, seconds)
        seen = [task for task in task_ids if isinstance(answer.entries.get(task), Snapshot)]
        self.archive.rest(seen, self.archive.latest)
        return answer
