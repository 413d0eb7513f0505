"""The file that says what a run concluded: ``run.jsonl``, one JSON object a line.

A run writes ``began``, a line for each answer, and at its end a line for each task and ``ended``.
A run without that last line did not end, so that none of its tasks is green. Several runs may
follow each other in one file.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from precheck_gate.documents import strict_json
from precheck_gate.errors import UsageError, unreadable
from precheck_gate.model.json_values import from_json, to_json
from precheck_gate.model.snapshots import Observation, Trouble, TroubleKind
from precheck_gate.runtime.reading import read_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUN_FILE = "run.jsonl"
OLD_INDEX = "index.jsonl"
VERSION = 1
MAX_BYTES = 512 * 1024 * 1024
_BODY = re.compile(r"[0-9]{4,}\.(json|http-[0-9]+\.txt)")


def is_archived(name: str) -> bool:
    """Return whether a run gives this name to a file in its folder of saved answers."""
    return name == RUN_FILE or _BODY.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Began:
    """The run began; ``run`` identifies its lines if several runs share the file."""

    run: str
    version: int
    at: str
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SavedBody:
    """The service answered for some tasks, and the body is in a file.

    ``started`` are the tasks whose pre-checks the run started, by the IDs of those pre-checks: the
    answer may name a task by either.
    """

    run: str
    file: str
    at: str
    tasks: tuple[str, ...]
    http_status: int
    sha256: str
    request_id: str = ""
    started: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Concluded:
    """What the run knew of one task at its end."""

    run: str
    task: Observation


@dataclass(frozen=True, slots=True)
class Ended:
    """The run came to its end; ``seal`` is the digest of its other lines and of this one."""

    run: str
    at: str
    troubles: tuple[Trouble, ...] = ()
    remarks: tuple[str, ...] = ()
    seal: str = ""

    def sealed(self, lines: hashlib._Hash) -> Ended:
        """Return the line with its seal, for the digest of the lines before it."""
        digest = lines.copy()
        digest.update(spell(replace(self, seal="")).encode())
        return replace(self, seal=digest.hexdigest())


Line = Began | SavedBody | Concluded | Ended
_KINDS: dict[str, type[Line]] = {
    "began": Began,
    "answer": SavedBody,
    "task": Concluded,
    "ended": Ended,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def spell(line: Line) -> str:
    """Return a line of the file."""
    return json.dumps({"kind": _NAMES[type(line)], **to_json(line)}) + "\n"


_UNFINISHED = Trouble(
    TroubleKind.UNFINISHED,
    "the run that saved these answers did not end, or could not save what it concluded",
    hint="Wait for its end if it is still running. If it was killed, run the gate again.",
)


class SavedRun:
    """One run, read from its lines.

    Attributes:
        tasks: the tasks that it was asked for.
        at: when it wrote its last line with a time.
        bodies: the answers that it saved, by the names of their files, in the order they came.
        end: its troubles and remarks; None for a run that did not end.
    """

    def __init__(self, began: Began, text: bytes) -> None:
        if began.version != VERSION:
            raise _OtherVersion
        self.tasks, self.at = began.tasks, began.at
        self.bodies: dict[str, SavedBody] = {}
        self.end: Ended | None = None
        self._known: dict[str, Observation] = {}
        self._open = set(began.tasks)
        if len(self._open) < len(self.tasks):
            raise ValueError("a task is named twice")
        self._digest = hashlib.sha256(text)

    def add(self, line: Line, text: bytes) -> None:
        """Take the next line.

        Raises:
            ValueError: no run writes such a line here.
        """
        match line:
            case SavedBody() if self.end is None and self._open.issuperset(line.tasks):
                if _BODY.fullmatch(line.file) is None or line.file in self.bodies:
                    raise ValueError("no name of an answer, or one that was given before")
                self.bodies[line.file] = line
                self.at = line.at
            case Concluded(task=known) if known.task_id in self._open:
                if known.snapshot is not None and known.snapshot.task_id != known.task_id:
                    raise ValueError("the result of another task")
                self._open.remove(known.task_id)
                self._known[known.task_id] = known
            case Ended() if not self._open and line.sealed(self._digest) == line:
                self.end = line
                self.at = line.at
            case _:
                raise ValueError("a line that no run writes here")
        self._digest.update(text)

    def known(self, task: str) -> Observation:
        """Return what the run concluded about a task; incomplete where it did not end."""
        return self._known[task] if self.end else Observation(task, None, _UNFINISHED)


def latest(runs: Sequence[SavedRun]) -> dict[str, SavedRun]:
    """Return for each task the last of some runs that was asked for it."""
    return {task: run for run in runs for task in run.tasks}


def bodies_of(runs: Sequence[SavedRun]) -> list[SavedBody]:
    """Return the answers that runs saved, each file once, in the order they came."""
    bodies: dict[str, SavedBody] = {}
    for body in (body for run in runs for body in run.bodies.values()):
        bodies.pop(body.file, None)
        bodies[body.file] = body
    return list(bodies.values())


class _OtherVersion(ValueError):
    pass


def read_runs(folder: Path) -> list[SavedRun]:
    """Return the runs that saved answers to a folder, in order; none where there is no file.

    Raises:
        UsageError: the file cannot be read, is damaged, or is of another version.
    """
    path = folder / RUN_FILE
    try:
        content = read_file(path, MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        # What it says is not known, and it may speak against the answers beside it.
        raise unreadable("The file", path, error) from None
    runs: dict[str, SavedRun] = {}
    for number, text in enumerate(content.removesuffix(b"\n").split(b"\n"), start=1):
        try:
            _take(runs, text)
        except _OtherVersion:
            raise UsageError(
                f"{path} was written by another version of precheck-gate.",
                hint="Evaluate it with that version, or run the gate again.",
            ) from None
        except (ValueError, LookupError, TypeError, AttributeError):
            raise UsageError(
                f"{path} is damaged or was changed: line {number} is not what a run writes.",
                hint="Run the gate again. To judge single answers, copy them to another folder.",
            ) from None
    return list(runs.values())


def _take(runs: dict[str, SavedRun], text: bytes) -> None:
    value = strict_json.loads(text)
    line = from_json(_KINDS[value.pop("kind")], value)
    if not isinstance(line, Began):
        runs[line.run].add(line, text + b"\n")
    elif line.run in runs:
        raise ValueError("a run that begins twice")
    else:
        runs[line.run] = SavedRun(line, text + b"\n")
