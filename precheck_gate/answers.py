"""Saved answers: written while polling, for audit; read back to be judged without the service.

A folder holds the body of each answer as it came (``0001.json``, or ``0002.http-400.txt`` for what
was no answer) and ``index.jsonl``, a line for each: when, for which tasks, and its digest. The
index gives answers for the same task an order; without one, two that differ are a contradiction.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from precheck_gate import strictjson
from precheck_gate.drs.wire import Answer, parse_answer
from precheck_gate.errors import NotAnAnswer, UsageError
from precheck_gate.model import Observation, Snapshot, Trouble, TroubleKind
from precheck_gate.text import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from precheck_gate.clock import Clock

__all__ = ["AnswerArchive", "SavedAnswers"]

INDEX = "index.jsonl"
MAX_BYTES = 32 * 1024 * 1024


class AnswerArchive:
    """Writes every answer to a folder as it comes; the first failure ends it and is remembered."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self.failure: str = ""
        self._number = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            numbers = [path.name.partition(".")[0] for path in folder.iterdir()]
            self._number = max((int(name) for name in numbers if name.isdecimal()), default=0)
        except OSError as error:
            self.failure = error.strerror or type(error).__name__

    def save(self, task_ids: Sequence[str], status: int, body: bytes, request_id: str) -> None:
        """Write one answer and its line in the index."""
        if self.failure:
            return
        self._number += 1
        suffix = "json" if status == 200 else f"http-{status}.txt"
        name = f"{self._number:04d}.{suffix}"
        line = {
            "file": name,
            "at": self._clock.now().isoformat(timespec="milliseconds"),
            "tasks": list(task_ids),
            "http_status": status,
            "request_id": request_id,
            "sha256": hashlib.sha256(body).hexdigest(),
        }
        try:
            (self._folder / name).write_bytes(body)
            with (self._folder / INDEX).open("a", encoding="utf-8", newline="\n") as index:
                index.write(json.dumps(line) + "\n")
        except OSError as error:
            self.failure = error.strerror or type(error).__name__


@dataclass(slots=True)
class _Source:
    """Where a task was found: the file's number, a fingerprint of what it says there."""

    number: int
    fingerprint: int


@dataclass
class SavedAnswers:
    """Answers in files, read one at a time, so that memory holds one of them and an index.

    Args:
        paths: files with an answer each, or folders that `AnswerArchive` wrote.

    Raises:
        UsageError: a file or folder cannot be read, or is empty.
    """

    paths: Sequence[Path]
    remarks: list[str] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._files: list[Path] = []
        for path in self.paths:
            self._files += _folder_files(path) if path.is_dir() else [path]
        self._indexed = {
            folder / entry.file: entry
            for folder in dict.fromkeys(file.parent for file in self._files)
            for entry in _index(folder)
        }
        self._sources: dict[str, _Source] = {}
        self._contradictory: dict[str, Trouble] = {}
        for number in range(len(self._files)):
            self._scan(number)

    @property
    def asked(self) -> list[str] | None:
        """The tasks that were asked for, where indexes tell it of every file; else None."""
        if not all(file in self._indexed for file in self._files):
            return None
        return list(dict.fromkeys(task for entry in self._indexed.values() for task in entry.tasks))

    @property
    def held(self) -> list[str]:
        """The tasks that the answers hold, in the order in which they stand there."""
        return list(self._sources)

    def observations(self, requested: Sequence[str]) -> Iterator[Observation]:
        """Yield what the answers say of each requested task, file by file.

        A task that no answer holds comes last, as not answered for.
        """
        wanted = set(requested)
        by_file: dict[int, set[str]] = {}
        for task_id, source in self._sources.items():
            if task_id in wanted:
                by_file.setdefault(source.number, set()).add(task_id)
        for number in sorted(by_file):
            answer = self._read(number)
            for task_id in answer.entries:
                if task_id in by_file[number]:
                    yield self._observe(task_id, answer, number)
                    wanted.discard(task_id)
        for task_id in requested:
            if task_id in wanted:
                yield Observation(
                    task_id,
                    trouble=Trouble(
                        TroubleKind.NOT_ANSWERED,
                        "none of the answers holds this task",
                        hint="Give the answer that holds it, or take it off the list.",
                    ),
                )

    def _observe(self, task_id: str, answer: Answer, number: int) -> Observation:
        entry = answer.entries[task_id]
        if hash(entry) != self._sources[task_id].fingerprint:
            changed = f"{self._files[number]} changed while it was read"
            return Observation(task_id, trouble=Trouble(TroubleKind.SERVICE, changed))
        snapshot = entry if isinstance(entry, Snapshot) else None
        trouble = entry if isinstance(entry, Trouble) else self._contradictory.get(task_id)
        return Observation(task_id, snapshot, trouble)

    def _scan(self, number: int) -> None:
        file = self._files[number]
        try:
            answer = self._read(number)
        except NotAnAnswer as error:
            message = f"{clean_line(str(file))}: {error.message}"
            hint = "Save the answer again, as the service sent it."
            self.troubles.append(Trouble(TroubleKind.SERVICE, message, hint=hint))
            return
        for remark in answer.remarks:
            self.remarks.append(f"{clean_line(str(file))}: {remark}")
        for task_id, entry in answer.entries.items():
            self._note(task_id, _Source(number, hash(entry)))

    def _note(self, task_id: str, source: _Source) -> None:
        before = self._sources.setdefault(task_id, source)
        if before is source:
            return
        one, other = self._files[before.number], self._files[source.number]
        if one in self._indexed and other in self._indexed:
            if self._indexed[other].order > self._indexed[one].order:
                self._sources[task_id] = source
        elif before.fingerprint != source.fingerprint:
            self._contradictory[task_id] = Trouble(
                TroubleKind.CONTRADICTORY,
                f"{one} and {other} say different things of this task, and which is the later one"
                " is not known",
                hint="Give only the latest, or a folder that --save-answers wrote.",
            )

    def _read(self, number: int) -> Answer:
        file = self._files[number]
        content = _content(file)
        if len(content) > MAX_BYTES:
            raise NotAnAnswer(f"it is larger than {MAX_BYTES // 1024 // 1024} MiB.")
        entry = self._indexed.get(file)
        if entry is not None and entry.sha256 != hashlib.sha256(content).hexdigest():
            raise NotAnAnswer(f"it is not the answer that {INDEX} beside it tells of.")
        return parse_answer(content)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(
            f"The answer {path} cannot be read: {reason}.",
            hint="Check the path and its permissions.",
        ) from None
    if not content.strip():
        raise UsageError(f"The answer {path} is empty.", hint="Save it again, or leave it out.")
    return content


def _folder_files(folder: Path) -> list[Path]:
    files = [folder / entry.file for entry in _index(folder) if entry.http_status == 200]
    if not files:
        raise UsageError(
            f"The folder {folder} has no answers with an {INDEX}.",
            hint="Give a folder that --save-answers wrote, or the files themselves.",
        )
    return files


@dataclass(frozen=True, slots=True)
class _Indexed:
    """A line of an index; ``order`` compares across folders, by the time and then the line."""

    file: str
    http_status: int
    sha256: str
    tasks: tuple[str, ...]
    order: tuple[str, int]


def _index(folder: Path) -> list[_Indexed]:
    """Return the lines of a folder's index; none where there is no index."""
    try:
        lines = (folder / INDEX).read_bytes().splitlines()
    except OSError:
        return []
    return [_index_line(folder, line, number) for number, line in enumerate(lines)]


def _index_line(folder: Path, line: bytes, number: int) -> _Indexed:
    try:
        entry = strictjson.loads(line)
        name, at, tasks = str(entry["file"]), str(entry["at"]), tuple(map(str, entry["tasks"]))
        if Path(name).name != name:
            raise ValueError("a file outside of the folder")
        return _Indexed(name, int(entry["http_status"]), str(entry["sha256"]), tasks, (at, number))
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            f"{folder / INDEX}, line {number + 1}, is not the index of saved answers.",
            hint="Give the files themselves from a folder without an index.",
        ) from None
