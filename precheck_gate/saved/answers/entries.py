"""What a saved reply says of a task: what the live run would have made of the same reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.errors import BatchRefused, NotAnAnswer
from precheck_gate.model.snapshots import Snapshot, Trouble, TroubleKind
from precheck_gate.polling.watch import accusation, trouble_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from precheck_gate.saved.answers.index import Exchange

__all__ = ["Entries", "entries_of"]

Entries = tuple["Mapping[str, Snapshot | Trouble]", tuple[str, ...]]


def entries_of(exchange: Exchange, content: bytes) -> Entries:
    """Return what a reply says of each task that was asked for, and what is odd about it."""
    if exchange.status != 200:
        return _refused(exchange, content), ()
    try:
        answer = parse_answer(content, exchange.started)
    except NotAnAnswer as error:
        return dict.fromkeys(exchange.tasks, trouble_from(error)), ()
    missing = Trouble(
        TroubleKind.NOT_ANSWERED,
        "the service answered, but not for this task",
        hint="Check the task's ID; was its pre-check started?",
    )
    return dict.fromkeys(exchange.tasks, missing) | answer.entries, answer.remarks


def _refused(exchange: Exchange, content: bytes) -> dict[str, Snapshot | Trouble]:
    """Return what a reply means that is no answer, as the last one for these tasks."""
    # Only here, since with them comes all that speaks over the network.
    from precheck_gate.drs.http.messages import Reply
    from precheck_gate.drs.http.replies import refused, usual_advice
    from precheck_gate.runtime.clock import SystemClock

    headers = {"X-Request-Id": exchange.request_id} if exchange.request_id else {}
    error = refused(Reply(exchange.status, headers, content), SystemClock(), usual_advice)
    troubles: dict[str, Snapshot | Trouble] = dict.fromkeys(exchange.tasks, trouble_from(error))
    if isinstance(error, BatchRefused):
        # Whoever is named is at fault; where nobody is, the last that was asked of a batch.
        guilty = [task for task in exchange.tasks if task in error.culprits] or exchange.tasks
        troubles.update({task: accusation(task, error) for task in guilty})
    return troubles
