"""Progress while the gate waits: lines for a log here, a live table for a terminal in `live`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from precheck_gate.polling.events import Asked, Event, Faulted, Remarked, TaskChanged, Waiting
from precheck_gate.safetext.cleaning import clean_line, count, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from precheck_gate.model.snapshots import About
    from precheck_gate.runtime.console import Console
    from precheck_gate.runtime.process import Clock

__all__ = ["NoProgress", "PlainProgress", "Progress", "minutes"]

# With more tasks than this, a log shows the end of each, not every step.
MANY_TASKS = 20
HEARTBEAT = 30.0


class Progress(Protocol):
    """Shows events; ``heartbeat`` is the longest time between two of them, in seconds."""

    heartbeat: float

    def notify(self, event: Event) -> None:
        """Show an event, if it matters."""

    def close(self) -> None:
        """Leave the terminal clean; may be called again."""


class NoProgress:
    """Shows nothing."""

    heartbeat = HEARTBEAT

    def notify(self, event: Event) -> None:
        """Ignore the event."""

    def close(self) -> None:
        """Do nothing."""


class PlainProgress:
    """Prints a line for each change, and at least one a minute."""

    heartbeat = HEARTBEAT

    def __init__(
        self,
        console: Console,
        clock: Clock,
        total: int,
        *,
        verbose: bool = False,
        names: Mapping[str, About] | None = None,
    ) -> None:
        self._console = console
        self._clock = clock
        self._verbose = verbose
        self._names = names if names is not None else {}
        self._many = total > MANY_TASKS
        self._started = clock.monotonic()
        self._last = self._started

    def notify(self, event: Event) -> None:
        """Print a line, if the event matters."""
        match event:
            case TaskChanged(snapshot=snapshot, trouble=trouble):
                ended = snapshot is not None and snapshot.complete
                if not self._many or self._verbose or ended or trouble is not None:
                    self._say(f"{self._spelled(event.task_id)}  {_describe(event)}")
            case Faulted(message=message, delay=float(delay)):
                pause = f"{delay:.0f} s" if delay >= 1 else "less than 1 s"
                self._say(f"{message.rstrip('.')}. Retrying in {pause}.")
            case Faulted(message=message):
                self._say(f"giving up: {message}")
            case Remarked(text=text):
                self._say(f"note: {text}")
            case Waiting():
                if self._verbose or self._clock.monotonic() - self._last >= HEARTBEAT:
                    self._say(
                        f"{event.done} of {event.total} done, next poll in {event.delay:.0f} s, "
                        f"timeout in {minutes(event.left)}"
                    )
            case Asked(task_ids=task_ids):
                if self._verbose:
                    self._say(f"polling {', '.join(task_ids)}")

    def _spelled(self, task_id: str) -> str:
        about = self._names.get(task_id)
        return f"{task_id} ({shorten(about.name, 60)})" if about and about.name else task_id

    def _say(self, text: str) -> None:
        now = self._clock.monotonic()
        self._last = now
        self._console.say(f"[{minutes(now - self._started)}] {clean_line(shorten(text, 500))}")

    def close(self) -> None:
        """Do nothing: lines stay."""


def minutes(seconds: float) -> str:
    """Return a duration as minutes and seconds: ``04:07``."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:02d}:{rest:02d}"


def _describe(event: TaskChanged) -> str:
    if event.trouble is not None:
        code = f" ({event.trouble.code})" if event.trouble.code else ""
        return f"{event.trouble.message}{code}"
    snapshot = event.snapshot
    if snapshot is None:
        return "no answer yet"
    if snapshot.progress is None:
        return f"progress {snapshot.raw_progress or '(none)'} is not a percentage"
    result = f", result {snapshot.raw_result or '(none)'}" if snapshot.complete else ""
    unfinished = sum(item.unfinished for item in snapshot.items)
    still = f", {unfinished} without a status yet" if unfinished else ""
    return f"{snapshot.progress} %, {count(len(snapshot.items), 'item')}{still}{result}"
