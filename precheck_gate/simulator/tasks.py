"""Simulated tasks, and their state at a moment. Pure: no clock, no I/O."""

from __future__ import annotations

import copy
import math
from bisect import bisect_right
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time in seconds; ``start`` belongs to it, ``end`` does not."""

    start: float = 0.0
    end: float = math.inf

    def covers(self, moment: float) -> bool:
        """Return whether ``moment`` lies in it."""
        return self.start <= moment < self.end


ALWAYS = Window()


@dataclass(frozen=True, slots=True)
class Milestone:
    """The progress at a moment: a percentage, or (``percent`` None) a raw value to send."""

    at: float
    percent: float | None
    raw: Any = None


@dataclass(frozen=True, slots=True)
class SimulatedItem:
    """One item of a pre-check in the service's own fields; ``zh`` are its Chinese texts."""

    fields: Mapping[str, Any]
    zh: Mapping[str, str] = field(default_factory=dict)

    def wire(self, language: str) -> dict[str, Any]:
        """Return the item as the service sends it."""
        texts = self.zh if language == "zh-cn" else {}
        return copy.deepcopy({**self.fields, **texts})


@dataclass(frozen=True, slots=True)
class TaskError:
    """An error on the task's entry, while ``window`` lasts."""

    code: str
    message: str
    window: Window = ALWAYS


class Doubled(Enum):
    """How the second entry of a task compares to the first."""

    SAME = "same"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class SimulatedTask:
    """One task of a scenario. All moments count in seconds from its pre-check's start.

    ``origin`` holds the entry's fields that are not derived (``rds_instance_id``,
    ``job_direction``); ``answers_as`` is the ID that its results bear, None for none;
    ``precheck_id`` is the pre-check's own ID, "" to have one made at each start. ``later`` are the
    pre-checks that are started after the first, the last of them again and again; after a start,
    the results of the one before are shown for ``lag`` seconds on.
    """

    id: str
    name: str = ""
    items: tuple[SimulatedItem, ...] = ()
    points: tuple[Milestone, ...] = (Milestone(0.0, 100.0),)
    result: Any = AUTO
    origin: Mapping[str, Any] = field(default_factory=dict)
    answers_as: str | None = None
    precheck_id: str = ""
    error: TaskError | None = None
    missing: Window | None = None
    doubled: Doubled | None = None
    started: bool = True
    fields: Mapping[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    status: str = "CONFIGURATION"
    engine: str = "mysql"
    kind: str = "migration"
    tags: Mapping[str, str] = field(default_factory=dict)
    start_error: TaskError | None = None
    lag: float = 0.0
    later: tuple[SimulatedTask, ...] = ()

    @property
    def end(self) -> float:
        """The moment from which its progress no longer changes."""
        return self.points[-1].at

    def run(self, number: int) -> SimulatedTask:
        """Return the task as its pre-check of that number has it, the first being 0."""
        return self if not number or not self.later else self.later[:number][-1]


def progress(task: SimulatedTask, seconds: float) -> Milestone:
    """Return the progress ``seconds`` after the pre-check's start.

    Between two percentages it rises evenly; a fall, and a change from or to a raw value, happens
    at the later point. Before the first point, the first point holds.
    """
    index = max(0, bisect_right(task.points, seconds, key=lambda point: point.at) - 1)
    here = task.points[index]
    following = task.points[index + 1] if index + 1 < len(task.points) else None
    if here.percent is None or following is None or following.percent is None:
        return here
    rise = following.percent - here.percent
    if rise <= 0 or seconds <= here.at:
        return here
    share = (seconds - here.at) / (following.at - here.at)
    return Milestone(seconds, min(here.percent + share * rise, following.percent))


def entries(
    task: SimulatedTask, seconds: float, *, language: str = "en-us"
) -> list[dict[str, Any]]:
    """Return the task's entries in ``results``: one, none while it is missing, two if doubled.

    Args:
        task: the simulated task.
        seconds: how long ago its pre-check was started.
        language: the request's ``X-Language``.
    """
    if task.missing is not None and task.missing.covers(seconds):
        return []
    entry = _entry(task, seconds, language)
    if task.doubled is None:
        return [entry]
    twin = copy.deepcopy(entry)
    if task.doubled is Doubled.DIFFERENT:
        twin["result"] = entry.get("result") is not True
    return [entry, twin]


def _entry(task: SimulatedTask, seconds: float, language: str) -> dict[str, Any]:
    if task.error is not None and task.error.window.covers(seconds):
        # (unverified) that an entry with an error carries nothing else.
        entry: dict[str, Any] = {
            "precheck_id": task.answers_as,
            "error_code": task.error.code,
            "error_msg": task.error.message,
        }
    else:
        entry = _outcome(task, seconds, language)
    if task.answers_as is None:
        del entry["precheck_id"]
    entry.update(copy.deepcopy(dict(task.fields)))
    return {name: value for name, value in entry.items() if name not in task.without}


def _outcome(task: SimulatedTask, seconds: float, language: str) -> dict[str, Any]:
    point = progress(task, seconds)
    # A raw value stands in for the end: everything else then looks finished, which is the
    # hardest case for a reader of the answer.
    percent = 100.0 if point.percent is None else point.percent
    complete = percent == 100
    # (unverified) what an answer holds before the end: here the share of items that the progress
    # stands for, and `result` false.
    shown = task.items if complete else task.items[: int(len(task.items) * percent / 100)]
    result: Any = False
    if complete:
        failed = any(item.fields.get("result") == "FAILED" for item in task.items)
        result = not failed if task.result == AUTO else task.result
    return {
        "result": copy.deepcopy(result),
        "process": f"{int(percent)}%" if point.percent is not None else copy.deepcopy(point.raw),
        "precheck_id": task.answers_as,
        "total_passed_rate": _passed_rate(shown, len(task.items)),
        **copy.deepcopy(dict(task.origin)),
        "precheck_result": [item.wire(language) for item in shown],
    }


def _passed_rate(shown: tuple[SimulatedItem, ...], total: int) -> str:
    # The documented answer with two ALARMs says 100%: an ALARM does not lower the rate.
    passed = sum(item.fields.get("result") in ("PASSED", "ALARM") for item in shown)
    return f"{100 * passed // total if total else 0}%"
