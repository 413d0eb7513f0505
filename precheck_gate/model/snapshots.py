"""What the service said, as values: items and snapshots."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

# The service's "UUID rule" is not RFC 4122: the last group ends in letters such as jb101.
_TASK_ID = re.compile(
    r"[0-9A-Za-z]{8}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{12}"
)


def is_task_id(text: str) -> bool:
    """Return whether ``text`` has the form of a DRS task ID (36 characters, 8-4-4-4-12)."""
    return _TASK_ID.fullmatch(text) is not None


class Status(Enum):
    """The status of an item. Whatever the service has not documented is ``UNKNOWN``."""

    PASSED = "PASSED"
    ALARM = "ALARM"
    FAILED = "FAILED"
    UNKNOWN = "unknown"

    # Members are compared by identity; hashing them so is ten times as fast.
    __hash__ = object.__hash__


_STATUSES = {status.value: status for status in Status}


def status_named(text: str) -> Status:
    """Return the status that the service spells so."""
    return _STATUSES.get(text, Status.UNKNOWN)


_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?) ?%?")


def percent_of(text: str) -> Decimal | None:
    """Return the share from 0 to 100 that the service spells so, or None."""
    match = _PERCENT.fullmatch(text)
    value = Decimal(match.group(1)) if match else None
    return value if value is not None and value <= 100 else None


@dataclass(frozen=True, slots=True)
class SubTask:
    """One entry of an item's ``failed_sub_jobs``; ``raw_status`` is its ``check_result``.

    ``own_error`` is as for an item.
    """

    id: str
    name: str
    status: Status
    raw_status: str
    own_error: str | None = None

    @property
    def unfinished(self) -> bool:
        """Whether the service sent no status: the check still runs."""
        return not self.raw_status


@dataclass(frozen=True, slots=True)
class Item:
    """One check of a pre-check, its texts exactly as the service sent them (untrusted).

    ``raw_status`` is the service's word for the status, or its JSON form when it was no string; it
    is "" where the service sent none: an empty text, null, or no such field. Other absent texts are
    "", too. ``skipped`` is True only where the service says so with the JSON value true
    (``is_skipped``, v5): somebody switched the check off in DRS; so is ``skippable``
    (``is_support_skip``): somebody could. ``own_error`` is the code of an error that the service
    reports beside PASSED, "" for one without a code, None without an error.
    """

    name: str
    group: str
    status: Status
    raw_status: str
    failed_reason: str = ""
    data: str = ""
    raw_error: str = ""
    sub_tasks: tuple[SubTask, ...] = ()
    skipped: bool = False
    skippable: bool = False
    own_error: str | None = None

    @property
    def unfinished(self) -> bool:
        """Whether the service sent no status: the check still runs."""
        return not self.raw_status


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the service said of one task at one moment.

    ``progress`` is in percent, 0 to 100, or None when the service's word could not be understood;
    ``ready`` is True only where the service sent the JSON value ``true``. ``raw_progress`` and
    ``raw_result`` are the JSON forms of what it sent, "" when it sent nothing.
    """

    task_id: str
    progress: Decimal | None
    raw_progress: str
    ready: bool
    raw_result: str
    items: tuple[Item, ...]
    direction: str = ""
    passed_rate: str = ""
    instance_id: str = ""

    @property
    def complete(self) -> bool:
        """Whether the pre-check has reached exactly 100 %."""
        return self.progress == 100

    @property
    def unfinished(self) -> bool:
        """Whether an item or a sub-task has no status, whatever the progress says."""
        return any(
            item.unfinished or any(sub.unfinished for sub in item.sub_tasks) for item in self.items
        )


class TroubleKind(Enum):
    """Why there is no snapshot of a task that could be judged."""

    NOT_ANSWERED = "not_answered"
    TASK_ERROR = "task_error"
    CONTRADICTORY = "contradictory"
    MALFORMED = "malformed"
    SERVICE = "service"
    STALE = "stale"
    OUTDATED = "outdated"
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a task could not be judged: what happened, the service's code if any, what to do."""

    kind: TroubleKind
    message: str
    code: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What a task is to people (untrusted): its name, status, engine and kind; "" if unknown."""

    name: str = ""
    status: str = ""
    engine: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """The last that is known of a requested task: a snapshot, a trouble, both or neither.

    Both: a snapshot was seen once, and the trouble says why it no longer counts. ``timeline`` has
    (seconds since the run began, percent) for each step of progress that was seen; ``about`` is
    what people call the task, as far as it is known; ``age`` is how many seconds old the snapshot
    was at the end of the run, None offline.
    """

    task_id: str
    snapshot: Snapshot | None = None
    trouble: Trouble | None = None
    timeline: tuple[tuple[float, float], ...] = ()
    about: About = About()
    age: float | None = None
