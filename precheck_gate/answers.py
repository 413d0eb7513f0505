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
from precheck_gate.drs.wire import Answer, answered_tasks, parse_answer
from precheck_gate.errors import NotAnAnswer, UsageError, reason_of, unreadable
from precheck_gate.interrupts import Interrupts
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
            self.failure = reason_of(error)

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
            self.failure = reason_of(error)


@dataclass
class SavedAnswers:
    """Answers in files, read one at a time, so that memory holds one of them and an index.

    Args:
        paths: files with an answer each, or folders that `AnswerArchive` wrote.
        interrupts: a signal ends the reading: with `Interrupted` while it is found out what there
            is, and with the observations so far after that.

    Raises:
        UsageError: a file or folder cannot be read, or is empty.
    """

    paths: Sequence[Path]
    interrupts: Interrupts = field(default_factory=Interrupts)
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
        # For each task the files that hold it; nearly always there is one.
        self._holders: dict[str, list[int]] = {}
        self._piped: dict[Path, bytes] = {}
        self._digests: list[bytes] = []
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
        return list(self._holders)

    def observations(self, requested: Sequence[str]) -> Iterator[Observation]:
        """Yield what the answers say of each requested task, file by file.

        A task that no answer holds comes last, as not answered for. ``remarks`` is complete when
        the last one has been taken.
        """
        wanted = set(requested)
        chosen = {task: self._choose(task, files) for task, files in self._holders.items()}
        by_file: dict[int, set[str]] = {}
        for task_id, (number, _) in chosen.items():
            if task_id in wanted:
                by_file.setdefault(number, set()).add(task_id)
        for number, tasks in sorted(by_file.items()):
            if self.interrupts.received is not None:
                return
            answer = self._parse(number)
            file = clean_line(str(self._files[number]))
            self.remarks += [f"{file}: {remark}" for remark in answer.remarks]
            for task_id, entry in answer.entries.items():
                if task_id in tasks:
                    yield _observation(task_id, entry, chosen[task_id][1])
        for task_id in requested:
            if task_id not in chosen:
                yield Observation(task_id, trouble=_NOT_HELD)

    def _choose(self, task_id: str, holders: list[int]) -> tuple[int, Trouble | None]:
        """Return the file that tells of a task, and what is wrong where several do."""
        if len(holders) == 1:
            return holders[0], None
        known = [self._indexed.get(self._files[number]) for number in holders]
        if all(known):
            orders = [
                (entry.order, number) for entry, number in zip(known, holders, strict=True) if entry
            ]
            return max(orders)[1], None
        entries = [self._parse(number).entries[task_id] for number in holders]
        if all(entry == entries[0] for entry in entries):
            return holders[0], None
        one, other = (self._files[number] for number in holders[:2])
        return holders[0], Trouble(
            TroubleKind.CONTRADICTORY,
            f"{one} and {other} say different things of this task, and which is the later one"
            " is not known",
            hint="Give only the latest, or a folder that --save-answers wrote.",
        )

    def _scan(self, number: int) -> None:
        """Note which tasks a file holds, or why it is no answer."""
        self.interrupts.check()
        file = self._files[number]
        self._digests.append(b"")
        try:
            content = self._read(file)
            self._digests[number] = hashlib.sha256(content).digest()
            for task_id in answered_tasks(content):
                self._holders.setdefault(task_id, []).append(number)
        except NotAnAnswer as error:
            message = f"{clean_line(str(file))}: {error.message}"
            hint = "Save the answer again, as the service sent it."
            self.troubles.append(Trouble(TroubleKind.SERVICE, message, hint=hint))

    def _parse(self, number: int) -> Answer:
        file = self._files[number]
        content = self._read(file)
        if hashlib.sha256(content).digest() != self._digests[number]:
            raise NotAnAnswer(f"{file} changed while it was read.", hint="Run evaluate again.")
        return parse_answer(content)

    def _read(self, file: Path) -> bytes:
        content = self._content(file)
        if len(content) > MAX_BYTES:
            raise NotAnAnswer(f"it is larger than {MAX_BYTES // 1024 // 1024} MiB.")
        entry = self._indexed.get(file)
        if entry is not None and entry.sha256 != hashlib.sha256(content).hexdigest():
            raise NotAnAnswer(f"it is not the answer that {INDEX} beside it tells of.")
        return content

    def _content(self, file: Path) -> bytes:
        """Return a file's content; that of a pipe is kept, since it comes only once."""
        if file in self._piped:
            return self._piped[file]
        content = _read_file(file, self.interrupts)
        if not file.is_file():
            self._piped[file] = content
        return content


_NOT_HELD = Trouble(
    TroubleKind.NOT_ANSWERED,
    "none of the answers holds this task",
    hint="Give the answer that holds it, or take it off the list.",
)


def _observation(
    task_id: str, entry: Snapshot | Trouble, contradiction: Trouble | None
) -> Observation:
    if isinstance(entry, Trouble):
        return Observation(task_id, trouble=entry)
    return Observation(task_id, entry, contradiction)


def _read_file(path: Path, interrupts: Interrupts) -> bytes:
    try:
        with interrupts.waiting(), path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise unreadable("The answer", path, error) from None
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
