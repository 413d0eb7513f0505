"""What people call the tasks, asked for beside their results; not to be had is no fault."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from precheck_gate.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from precheck_gate.drs.api.v3_wire import Answer
    from precheck_gate.model.snapshots import About
    from precheck_gate.polling.poller import Asker
    from precheck_gate.runtime.clock import Clock

__all__ = ["NamedResults"]

# Names are worth a short wait, never the run.
_SECONDS = 5.0


@dataclass
class NamedResults:
    """Asks for results, and once for the names of the tasks that were answered for.

    The names come after the first answer: a service that is out of reach is not asked for them.

    Args:
        asker: whom to ask for results.
        details: whom to ask for names.
        clock: the time.
        names: what is known; filled as it comes.
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
        new = [
            task
            for task in task_ids
            if task in answer.entries and task not in self._asked and task not in self.names
        ]
        left = end - self.clock.monotonic()
        if new and not self.failure and left >= 1.0:
            self._asked.update(new)
            try:
                told = self.details(new, min(_SECONDS, left))
            except ServiceError as error:
                self.failure = error.message
            else:
                self.names.update({task: told[task] for task in new if task in told})
        return answer
