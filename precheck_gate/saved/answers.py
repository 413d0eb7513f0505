"""Saved answers, read back to be judged: what a run concluded, and answers in single files.

In a folder that ``run --save-answers`` wrote, what the run concluded counts; the bodies beside it
must only be unchanged. A file that is named alone is judged for what it holds, and what the run
that saved it found wrong with a task still applies.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from precheck_gate.drs.api.v3_wire import contents_of, parse_answer
from precheck_gate.errors import NotAnAnswer, UsageError, unreadable
from precheck_gate.model.snapshots import Observation, Snapshot, Trouble, TroubleKind
from precheck_gate.runtime.process import Interrupts
from precheck_gate.runtime.reading import TooLarge, read_file
from precheck_gate.safetext.cleaning import clean_line
from precheck_gate.saved.run_file import (
    OLD_INDEX,
    RUN_FILE,
    bodies_of,
    is_archived,
    latest,
    read_runs,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from precheck_gate.saved.run_file import Ended, SavedBody, SavedRun

_T = TypeVar("_T")
MAX_BYTES = 32 * 1024 * 1024


@dataclass(slots=True)
class _File:
    """A file with an answer; ``body`` is what its run says of it, None without a run.

    ``sha256`` is the digest that it must have: from its run, or from the first time it was read.
    """

    path: Path
    body: SavedBody | None = None
    sha256: str = ""

    def __str__(self) -> str:
        return clean_line(str(self.path))

    def read(self) -> bytes:
        """Return the content.

        Raises:
            UsageError: it cannot be read, or is empty.
            NotAnAnswer: it is too large, or not what it was.
        """
        try:
            content = read_file(self.path, MAX_BYTES, keep=True)
        except TooLarge as error:
            raise NotAnAnswer(f"{error.strerror}.") from None
        except OSError as error:
            raise unreadable("The answer", self.path, error) from None
        digest = hashlib.sha256(content).hexdigest()
        if self.body is not None and digest != self.body.sha256:
            raise NotAnAnswer(f"it was changed: {RUN_FILE} beside it lists another content.")
        if not content.strip() and self.body is None:
            raise UsageError(
                f"The answer {self.path} is empty.", hint="Save it again, or leave it out."
            )
        self.sha256 = self.sha256 or digest
        if digest != self.sha256:
            raise NotAnAnswer("it changed while it was read.", hint="Run evaluate again.")
        return content


@dataclass(frozen=True, slots=True)
class _Source:
    """The source of a task: a run, a file, or a file and what its run found wrong with the task."""

    file: _File | None = None
    run: SavedRun | None = None

    def observe(self, task_id: str, entry: Snapshot | Trouble | None) -> Observation:
        known = self.run.known(task_id) if self.run else None
        if known and (self.file is None or not (known.snapshot or known.trouble)):
            return known
        trouble = known.trouble if known else None
        if isinstance(entry, Snapshot):
            return Observation(task_id, entry, trouble)
        missing = Trouble(
            TroubleKind.NOT_ANSWERED,
            "the service answered, but not for this task",
            hint="Check the task's ID; was its pre-check started?",
        )
        return Observation(task_id, None, trouble or entry or missing)


@dataclass
class SavedAnswers:
    """Saved answers. Files are read one at a time, so that memory holds one of them.

    Args:
        paths: files with an answer each, or folders that `AnswerArchive` wrote.
        interrupts: a signal ends the reading: with `Interrupted` while it is found out what there
            is, and with the observations so far after that.

    Attributes:
        remarks: oddities that change no verdict.
        unreadable: files that are no answers, so that their content is unknown.

    Raises:
        UsageError: a file or folder cannot be read, is empty, or is damaged.
    """

    paths: Sequence[Path]
    interrupts: Interrupts = field(default_factory=Interrupts)
    remarks: list[str] = field(default_factory=list)
    unreadable: list[Trouble] = field(default_factory=list)

    def __post_init__(self) -> None:
        # For each task that runs were asked for the latest of them, and the sources of the task:
        # nothing, where single files were named and none of them is about it.
        self._of_runs: dict[str, tuple[SavedRun, _Source | None]] = {}
        # For each task the files without a run that hold it; nearly always there is one.
        self._holders: dict[str, list[_File]] = {}
        self._held: dict[str, None] = {}
        self._shortfalls: dict[Path, str] = {}
        self._loose = False
        files: dict[Path, list[Path]] = {}
        for path in dict.fromkeys(self.paths):
            if path.is_dir():
                self._take_folder(path)
            else:
                files.setdefault(path.parent, []).append(path)
        for folder, paths in files.items():
            self._take_files(folder, paths)

    @property
    def listed(self) -> bool:
        """Whether runs say which tasks were asked for, for every file."""
        return not self._loose

    @property
    def tasks(self) -> list[str]:
        """The tasks that runs were asked for, and those that the answers hold beside them."""
        return list(self._of_runs if self.listed else {**self._of_runs, **self._held})

    @property
    def held(self) -> list[str]:
        """The tasks in the answers, in their order."""
        return list(self._held)

    @property
    def troubles(self) -> list[Trouble]:
        """What is no answer, and what went wrong with the runs that decide."""
        of_runs = (trouble for end in self._ends() for trouble in end.troubles)
        return [*self.unreadable, *dict.fromkeys(of_runs)]

    @property
    def shortfalls(self) -> list[Trouble]:
        """The files without a run that hold fewer results than the service counts.

        Where nothing else says which tasks were asked for, some may be missing.
        """
        return [
            Trouble(
                TroubleKind.UNFINISHED,
                f"{clean_line(str(file))}: {said}, so that tasks may be missing",
                hint="Name the tasks that were asked for with --task, or save the whole answer.",
            )
            for file, said in self._shortfalls.items()
        ]

    def observations(self, requested: Sequence[str], named_by: str = "") -> Iterator[Observation]:
        """Yield what is known of each requested task, file by file.

        ``named_by`` is what names the tasks, for messages. ``remarks`` is complete when the last
        observation has been taken.
        """
        self.remarks += dict.fromkeys(remark for end in self._ends() for remark in end.remarks)
        by_file: dict[int, tuple[_File | None, list[str]]] = {}
        for task_id in requested:
            file = sources[0].file if (sources := self._sources(task_id)) else None
            by_file.setdefault(id(file), (file, []))[1].append(task_id)
        for file, task_ids in by_file.values():
            if self.interrupts.received is not None:
                return
            entries = self._entries(file, task_ids, self.remarks)
            for task_id in task_ids:
                yield self._observe(task_id, entries.get(task_id), named_by)

    def _observe(
        self, task_id: str, entry: Snapshot | Trouble | None, named_by: str
    ) -> Observation:
        sources = self._sources(task_id)
        if not sources:
            return Observation(task_id, None, _not_held(named_by))
        observation = sources[0].observe(task_id, entry)
        for other in sources[1:]:
            entry = self._entries(other.file, [task_id], []).get(task_id)
            again = other.observe(task_id, entry)
            if (again.snapshot, again.trouble) != (observation.snapshot, observation.trouble):
                # A contradiction blocks, which may be less than the trouble of either file.
                trouble = observation.trouble or again.trouble
                trouble = trouble or _contradiction(sources[0], other)
                return replace(observation, trouble=trouble)
        return observation

    def _sources(self, task_id: str) -> list[_Source]:
        """Return the sources of a task, the deciding one first."""
        _, of_run = self._of_runs.get(task_id, (None, None))
        holders = [_Source(file) for file in self._holders.get(task_id, [])]
        return [of_run, *holders] if of_run else holders

    def _entries(
        self, file: _File | None, task_ids: Sequence[str], remarks: list[str]
    ) -> Mapping[str, Snapshot | Trouble]:
        """Return what a file says of its tasks; each gets the trouble if it cannot be read."""
        if file is None:
            return {}
        try:
            answer = parse_answer(file.read(), file.body.started if file.body else None)
        except NotAnAnswer as error:
            trouble = Trouble(TroubleKind.SERVICE, f"{file}: {error.message}", hint=error.hint)
            return dict.fromkeys(task_ids, trouble)
        remarks += [f"{file}: {remark}" for remark in answer.remarks]
        return answer.entries

    def _ends(self) -> list[Ended]:
        """Return how the runs ended that decide."""
        runs = dict.fromkeys(run for run, _ in self._of_runs.values())
        return [run.end for run in runs if run.end]

    # What there is

    def _take_folder(self, folder: Path) -> None:
        _refuse_old(folder)
        runs = read_runs(folder)
        if not runs:
            raise UsageError(
                f"The folder {folder} has no answers that a run saved: there is no {RUN_FILE}.",
                hint="Give a folder that --save-answers wrote, or the files themselves.",
            )
        for body in bodies_of(runs):
            if body.http_status == 200:
                self._read(_File(folder / body.file, body), bytes)
        for task, run in latest(runs).items():
            self._take(task, run, _Source(run=run))
            self._held[task] = None

    def _take_files(self, folder: Path, paths: Sequence[Path]) -> None:
        """Take single files: those that a run saved with its word, all others for what they are."""
        runs, left = read_runs(folder), {path.name: path for path in paths}
        bodies = bodies_of(runs)
        last = {task: body for body in bodies for task in body.tasks}
        given: dict[str, _File] = {}
        for body in bodies:
            if body.file in left:
                file = _File(left.pop(body.file), body)
                self._read(file, bytes)
                given |= dict.fromkeys(body.tasks, file)
        self._held |= dict.fromkeys(given)
        if given:
            for task, run in latest(runs).items():
                self._take(task, run, _Source(given[task], run) if task in given else None)
        later = sum(file.body is not last[task] for task, file in given.items())
        if later:
            self.remarks.append(
                f"{clean_line(str(folder / RUN_FILE))} lists later answers for {later} of "
                f"{len(given)} tasks, which were not given"
            )
        for path in left.values():
            if is_archived(path.name):
                _refuse_old(folder)
                if runs:
                    raise UsageError(
                        f"{path} is not listed in {RUN_FILE} beside it.",
                        hint="Copy it to another folder to judge it for what it holds.",
                    )
            self._scan(_File(path))

    def _take(self, task: str, run: SavedRun, source: _Source | None) -> None:
        """Take what a folder has of a task, unless another folder has a later run about it."""
        if task not in self._of_runs or run.at > self._of_runs[task][0].at:
            self._of_runs[task] = run, source

    def _scan(self, file: _File) -> None:
        """Note which tasks a file without a run holds, or why it is no answer."""
        self._loose = True
        contents = self._read(file, contents_of)
        if contents is None:
            return
        if contents.shortfall:
            self._shortfalls[file.path] = contents.shortfall
        for task_id in contents.tasks:
            self._holders.setdefault(task_id, []).append(file)
            self._held[task_id] = None

    def _read(self, file: _File, parse: Callable[[bytes], _T]) -> _T | None:
        """Return what a file holds; None where it is no answer."""
        self.interrupts.check()
        try:
            return parse(file.read())
        except NotAnAnswer as error:
            hint = "Save the answer again, as the service sent it."
            trouble = Trouble(TroubleKind.SERVICE, f"{file}: {error.message}", hint=hint)
            self.unreadable.append(trouble)
            return None


def _refuse_old(folder: Path) -> None:
    # Even beside a later run, which may not have been asked for all of its tasks.
    if (folder / OLD_INDEX).exists():
        raise UsageError(
            f"Answers in {folder} were saved by an earlier version of precheck-gate.",
            hint="Run the gate again, with a new folder. To judge single answers, copy them to "
            "another folder.",
        )


def _not_held(named_by: str) -> Trouble:
    which, otherwise = (f", which {named_by} names", f", or take it out of {named_by}")
    return Trouble(
        TroubleKind.NOT_ANSWERED,
        f"none of the answers contains this task{which if named_by else ''}",
        hint=f"Give the answer that contains it{otherwise if named_by else ''}.",
    )


def _contradiction(one: _Source, other: _Source) -> Trouble:
    return Trouble(
        TroubleKind.CONTRADICTORY,
        f"{one.file or 'the folder'} and {other.file} contradict each other about this task, and "
        "it is not known which is later",
        hint="Give only the latest, or a folder that --save-answers wrote.",
    )
