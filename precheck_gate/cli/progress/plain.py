"""Progress as a log has it: one line for each change, and a sign of life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from precheck_gate.polling.events import Asked, Event, Faulted, Remarked, TaskChanged, Waiting
from precheck_gate.safetext.cleaning import clean_line, count, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from precheck_gate.model.snapshots import About
    from precheck_gate.runtime.clock import Clock
    from precheck_gate.runtime.console import Console

__all__ = ["NoProgress", "PlainProgress", "Progress", "minutes"]

# Of more tasks than this only the ends are told, not every step.
MANY_TASKS = 20
HEARTBEAT = 30.0


class Progress(Protocol):
    """Who shows what happens; ``heartbeat`` is the longest time that it wants to be left alone."""

    heartbeat: float

    def notify(self, event: Event) -> None:
        """Take note of an event."""
        ...

    def close(self) -> None:
        """Leave the terminal clean; may be called again."""
        ...


class NoProgress:
    """Says nothing."""

    heartbeat = HEARTBEAT

    def notify(self, event: Event) -> None:
        """Take note of an event."""

    def close(self) -> None:
        """Leave the terminal clean."""


class PlainProgress:
    """One line for each change, and a sign of life at least once a minute."""

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
        """Print a line if the event is worth one."""
        match event:
            case TaskChanged():
                if self._is_told(event):
                    self._say(f"{self._who(event.task_id)}  {_describe(event)}")
            case Faulted(message=message, delay=float(delay)):
                pause = f"{delay:.0f} s" if delay >= 1 else "less than 1 s"
                self._say(f"{message.rstrip('.')}. Asking again in {pause}.")
            case Faulted(message=message):
                self._say(f"giving up: {message}")
            case Remarked(text=text):
                self._say(f"note: {text}")
            case Waiting():
                self._wait(event)
            case Asked(task_ids=task_ids):
                if self._verbose:
                    self._say(f"asking for {', '.join(task_ids)}")

    def _who(self, task_id: str) -> str:
        about = self._names.get(task_id)
        return f"{task_id} ({shorten(about.name, 60)})" if about and about.name else task_id

    def _is_told(self, event: TaskChanged) -> bool:
        ended = event.snapshot is not None and event.snapshot.complete
        return not self._many or self._verbose or ended or event.trouble is not None

    def _wait(self, event: Waiting) -> None:
        if self._verbose or self._clock.monotonic() - self._last >= HEARTBEAT:
            self._say(_describe_wait(event))

    def _say(self, text: str) -> None:
        now = self._clock.monotonic()
        self._last = now
        self._console.say(f"[{minutes(now - self._started)}] {clean_line(shorten(text, 500))}")

    def close(self) -> None:
        """Leave the terminal clean."""


def minutes(seconds: float) -> str:
    """Return a length of time as minutes and seconds: ``04:07``."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:02d}:{rest:02d}"


def _describe(event: TaskChanged) -> str:
    if event.trouble is not None:
        code = f" ({event.trouble.code})" if event.trouble.code else ""
        return f"{event.trouble.message}{code}"
    snapshot = event.snapshot
    if snapshot is None:
        return "not seen yet"
    if snapshot.progress is None:
        return f"progress {snapshot.raw_progress or '(none)'} is not a percentage"
    ends = f", result {snapshot.raw_result or '(none)'}" if snapshot.complete else ""
    open_items = sum(item.unfinished for item in snapshot.items)
    still = f", {open_items} without a status yet" if open_items else ""
    return f"{snapshot.progress} %, {count(len(snapshot.items), 'item')}{still}{ends}"


def _describe_wait(event: Waiting) -> str:
    return (
        f"{event.done} of {event.total} done, next question in {event.delay:.0f} s, "
        f"{minutes(event.left)} left"
    )
