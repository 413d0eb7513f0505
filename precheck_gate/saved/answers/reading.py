"""Saved answers, read back to be judged: which of them tells of each task, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from precheck_gate.drs.api.v3_wire import contents_of, parse_answer
from precheck_gate.errors import NotAnAnswer, UsageError
from precheck_gate.model.snapshots import Observation, Snapshot, Trouble, TroubleKind
from precheck_gate.runtime.signals import Interrupts
from precheck_gate.safetext.cleaning import clean_line
from precheck_gate.saved.answers.entries import entries_of
from precheck_gate.saved.answers.files import AnswerFiles
from precheck_gate.saved.answers.history import History
from precheck_gate.saved.answers.index import INDEX

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence
    from pathlib import Path

    from precheck_gate.saved.answers.entries import Entries
    from precheck_gate.saved.answers.index import Exchange

__all__ = ["SavedAnswers"]


def _not_held(source: str) -> Trouble:
    return Trouble(
        TroubleKind.NOT_ANSWERED,
        f"none of the answers holds this task{f', which {source} names' if source else ''}",
        hint=f"Give the answer that holds it{f', or take it out of {source}' if source else ''}.",
    )


@dataclass(frozen=True, slots=True)
class _Choice:
    """The answer that tells of a task, and what speaks against it.

    Attributes:
        file: where it stands; None where there is none.
        exchange: what an index tells of it.
        before: what stands whatever the answer says.
        after: what stands where the answer itself is good.
    """

    file: Path | None
    exchange: Exchange | None = None
    before: Trouble | None = None
    after: Trouble | None = None

    def observe(self, task_id: str, entry: Snapshot | Trouble | None) -> Observation:
        if isinstance(entry, Snapshot):
            return Observation(task_id, entry, self.before or self.after)
        return Observation(task_id, None, self.before or entry or self.after)


@dataclass
class SavedAnswers:
    """Answers in files, read one at a time, so that memory holds one of them and an index.

    Args:
        paths: files with an answer each, or folders that `AnswerArchive` wrote.
        interrupts: a signal ends the reading: with `Interrupted` while it is found out what there
            is, and with the observations so far after that.

    Attributes:
        remarks: oddities that change no verdict.
        unreadable: what is no answer, so that nobody knows what it would have told.

    Raises:
        UsageError: a file or folder cannot be read, or is empty.
    """

    paths: Sequence[Path]
    interrupts: Interrupts = field(default_factory=Interrupts)
    remarks: list[str] = field(default_factory=list)
    unreadable: list[Trouble] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._files = AnswerFiles()
        self._histories, self._loose = _arrange(self.paths)
        # For each task the files that hold it and no index tells of; nearly always there is one.
        self._holders: dict[str, list[Path]] = {}
        self._held: dict[str, None] = {}
        self._malformed: dict[Path, str] = {}
        self._shortfalls: dict[Path, str] = {}
        self._places: dict[Path, int] = {}
        for history in self._histories:
            for exchange in history.given():
                self._scan_saved(history.folder, exchange)
        for file in self._loose:
            self._scan(file)

    @property
    def asked(self) -> list[str] | None:
        """The tasks that were asked for, where indexes tell it of every file; else None."""
        if self._loose:
            return None
        return list(dict.fromkeys(task for history in self._histories for task in history.tasks))

    @property
    def held(self) -> list[str]:
        """The tasks that the answers hold, in the order in which they stand there."""
        return list(self._held)

    @property
    def known(self) -> list[str]:
        """The tasks that indexes or answers tell of: all that can be judged."""
        named = [task for history in self._histories for task in history.tasks]
        return list(dict.fromkeys([*named, *self._held]))

    @property
    def troubles(self) -> list[Trouble]:
        """What is no answer, and what went wrong with the runs that saved the answers."""
        of_runs = (trouble for history in self._histories for trouble in history.troubles)
        return [*self.unreadable, *dict.fromkeys(of_runs)]

    @property
    def shortfalls(self) -> list[Trouble]:
        """The files without an index that hold fewer results than the service counts.

        Where nothing else says which tasks were asked for, some may be missing; an index says it.
        """
        return [
            Trouble(
                TroubleKind.UNFINISHED,
                f"{clean_line(str(file))}: {said}, so that tasks may be missing",
                hint="Name the tasks that were asked for with --task, or save the whole answer.",
            )
            for file, said in self._shortfalls.items()
        ]

    def observations(self, requested: Sequence[str], source: str = "") -> Iterator[Observation]:
        """Yield what the answers say of each requested task, file by file.

        A task of which no answer tells comes last; ``source`` is what names the tasks. ``remarks``
        is complete when the last one has been taken.
        """
        by_file: dict[Path, dict[str, _Choice]] = {}
        without: dict[str, _Choice] = {}
        for task_id in requested:
            choice = self._choose(task_id) or _Choice(None, before=_not_held(source))
            group = without if choice.file is None else by_file.setdefault(choice.file, {})
            group[task_id] = choice
        self._remark_on_histories(requested, by_file)
        for file, choices in sorted(by_file.items(), key=lambda one: self._place(one[0])):
            if self.interrupts.received is not None:
                return
            entries, remarks = self._entries(file, next(iter(choices.values())).exchange, choices)
            self.remarks += [f"{clean_line(str(file))}: {remark}" for remark in remarks]
            for task_id, choice in choices.items():
                yield choice.observe(task_id, entries.get(task_id))
        for task_id, choice in without.items():
            yield choice.observe(task_id, None)

    # Which answer tells of a task

    def _choose(self, task_id: str) -> _Choice | None:
        """Return the answer that tells of a task, if any, and what is wrong where several do."""
        sources = [one for history in self._histories if (one := history.source(task_id))]
        choices = [_Choice(file) for file in self._holders.get(task_id, [])]
        if sources:
            latest = max(sources, key=lambda source: source.at)
            file = latest.folder / latest.exchange.file if latest.exchange else None
            choices.insert(
                0, _Choice(file, latest.exchange, latest.verdict_of_run, latest.unfinished)
            )
        if not choices:
            return None
        first = choices[0]
        if len(choices) == 1 or self._agree(task_id, choices):
            return first
        names = [str(one.file or "the folder") for one in choices[:2]]
        contradiction = Trouble(
            TroubleKind.CONTRADICTORY,
            f"{names[0]} and {names[1]} say different things of this task, and which is the later"
            " one is not known",
            hint="Give only the latest, or a folder that --save-answers wrote.",
        )
        return _Choice(first.file, first.exchange, first.before, contradiction)

    def _agree(self, task_id: str, choices: Sequence[_Choice]) -> bool:
        said = []
        for choice in choices:
            entry = None
            if choice.file is not None:
                entry = self._entries(choice.file, choice.exchange, [task_id])[0].get(task_id)
            said.append(choice.observe(task_id, entry))
        return all(one == said[0] for one in said)

    def _entries(self, file: Path, exchange: Exchange | None, task_ids: Iterable[str]) -> Entries:
        """Return what a file says of its tasks; each gets the trouble if it cannot be read."""
        try:
            if exchange is not None:
                return entries_of(exchange, self._files.saved(file.parent, exchange))
            answer = parse_answer(self._files.loose(file))
        except NotAnAnswer as error:
            trouble = Trouble(TroubleKind.SERVICE, f"{file}: {error.message}", hint=error.hint)
            return dict.fromkeys(task_ids, trouble), ()
        return answer.entries, answer.remarks

    def _place(self, file: Path) -> int:
        return self._places.get(file, len(self._places))

    # What there is

    def _scan(self, file: Path) -> None:
        """Note which tasks a file holds, or why it is no answer."""
        self.interrupts.check()
        self._places.setdefault(file, len(self._places))
        try:
            contents = contents_of(self._files.loose(file))
            if contents.shortfall:
                self._shortfalls[file] = contents.shortfall
            for task_id in contents.tasks:
                self._holders.setdefault(task_id, []).append(file)
                self._held[task_id] = None
        except NotAnAnswer as error:
            self._not_to_be_read(file, error)

    def _scan_saved(self, folder: Path, exchange: Exchange) -> None:
        """Note which tasks an answer holds that an index tells of, and whether it is still there.

        One that is none is the trouble of those whose last answer it is.
        """
        self.interrupts.check()
        file = folder / exchange.file
        self._places.setdefault(file, len(self._places))
        try:
            content = self._files.saved(folder, exchange)
        except NotAnAnswer as error:
            self._not_to_be_read(file, error)
            return
        try:
            for named in contents_of(content).tasks:
                self._held[exchange.started.get(named, named)] = None
        except NotAnAnswer as error:
            self._malformed[file] = error.message

    def _not_to_be_read(self, file: Path, error: NotAnAnswer) -> None:
        message = f"{clean_line(str(file))}: {error.message}"
        hint = "Save the answer again, as the service sent it."
        self.unreadable.append(Trouble(TroubleKind.SERVICE, message, hint=hint))

    def _remark_on_histories(self, requested: Sequence[str], used: Container[Path]) -> None:
        for file, message in self._malformed.items():
            if file not in used:
                self.remarks.append(f"{clean_line(str(file))} is no answer: {message}")
        for history in self._histories:
            index = clean_line(str(history.folder / INDEX))
            later = [task for task in requested if history.has_later(task)]
            if later:
                self.remarks.append(
                    f"{index} tells of later answers, which were not given: for {len(later)} of "
                    f"{len(requested)} tasks"
                )


def _arrange(paths: Sequence[Path]) -> tuple[list[History], list[Path]]:
    """Return what indexes tell of, and the files that none tells of."""
    whole = [path for path in dict.fromkeys(paths) if path.is_dir()]
    histories = [History(folder) for folder in whole]
    for history in histories:
        if not history.tasks:
            raise UsageError(
                f"The folder {history.folder} has no answers with an {INDEX}.",
                hint="Give a folder that --save-answers wrote, or the files themselves.",
            )
    loose = []
    single = [path for path in paths if not path.is_dir()]
    for folder in dict.fromkeys(path.parent for path in single):
        names = {path.name for path in single if path.parent == folder}
        known = next((one for one in histories if one.folder == folder), None)
        if known is None:
            known = History(folder, frozenset(names))
            if names & known.exchanges.keys():
                histories.append(known)
        loose += [
            path for path in single if path.parent == folder and path.name not in known.exchanges
        ]
    return histories, loose
