"""What the index of a folder tells of each task: by which answer it goes, and what speaks against.

A run that came to its end has told what it made of each task, and is taken at its word. Of any
other, the last line about a task decides, whatever it is, and green it is not: what came over the
network and was no answer stands in no index, and no pre-check that was started does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from precheck_gate.model.snapshots import Trouble, TroubleKind
from precheck_gate.saved.run_file import INDEX, Began, Ended, Exchange, read_index

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["History", "Source"]

_UNFINISHED = Trouble(
    TroubleKind.UNFINISHED,
    "the run that saved these answers did not tell how it ended",
    hint="Is it still going on? If it was killed, run the gate again.",
)

_UNTOLD = Trouble(
    TroubleKind.UNFINISHED,
    f"{INDEX} does not tell how the run ended, nor whether it started pre-checks: the answers may "
    "not be all that it knew",
    hint="Run the gate again; or name the files, to have them judged for what they are.",
)


@dataclass(frozen=True, slots=True)
class Source:
    """By what a task is to be judged.

    Attributes:
        at: when that was known, as the index spells it.
        folder: where the answer is.
        exchange: the answer; None where the run had none that counted.
        verdict_of_run: what the run had against it; what the answer itself says comes after.
        unfinished: what is against it while the answer itself tells nothing worse.
    """

    at: str
    folder: Path
    exchange: Exchange | None
    verdict_of_run: Trouble | None = None
    unfinished: Trouble | None = None


@dataclass(slots=True)
class _Standing:
    """How it stands with one task; ``given`` is the last of the answers that may be looked at."""

    given: Exchange | None = None
    last: Exchange | None = None
    at: str = ""
    running: bool = False
    ended: Ended | None = None


@dataclass
class History:
    """What one folder tells.

    Args:
        folder: the folder.
        only: the names of the files that may be looked at; None for all.

    Raises:
        UsageError: its index is none.
    """

    folder: Path
    only: frozenset[str] | None = None
    exchanges: dict[str, Exchange] = field(default_factory=dict)
    _standings: dict[str, _Standing] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for line in read_index(self.folder):
            if isinstance(line, Exchange):
                self.exchanges[line.file] = line
            for task in line.tasks:
                standing = self._standings.setdefault(task, _Standing())
                standing.at = line.at
                if isinstance(line, Ended):
                    standing.ended = line
                    continue
                # Whoever goes on after an end, or begins anew, has not told yet how it ends.
                standing.running |= isinstance(line, Began) or standing.ended is not None
                standing.ended = None
                if isinstance(line, Exchange):
                    standing.last = line
                    if self.only is None or line.file in self.only:
                        standing.given = line

    @property
    def tasks(self) -> list[str]:
        """The tasks that were asked for, in the order in which the index names them."""
        return list(self._standings)

    @property
    def troubles(self) -> list[Trouble]:
        """What went wrong with the runs that the tasks are judged by."""
        runs = {id(one.ended): one.ended for one in self._standings.values() if one.ended}
        return [trouble for ended in runs.values() for trouble in ended.troubles]

    def given(self) -> list[Exchange]:
        """Return the answers with results, of those that may be looked at."""
        return [
            one
            for one in self.exchanges.values()
            if one.status == 200 and (self.only is None or one.file in self.only)
        ]

    def has_later(self, task: str) -> bool:
        """Return whether an answer about a task came after those that may be looked at."""
        standing = self._standings.get(task, _Standing())
        return standing.given is not None and standing.given is not standing.last

    def source(self, task: str) -> Source | None:
        """Return by what a task is to be judged; None where the folder does not know it."""
        standing = self._standings.get(task)
        if standing is None or (self.only is not None and standing.given is None):
            return None
        if standing.ended is None:
            # An index of the older form has no word of any run.
            untold = _UNTOLD if self.only is None else None
            unfinished = _UNFINISHED if standing.running else untold
            return Source(standing.at, self.folder, standing.given, unfinished=unfinished)
        conclusion = standing.ended.conclusions[task]
        exchange = standing.given
        if self.only is None:
            exchange = self.exchanges[conclusion.file] if conclusion.file else None
        return Source(standing.at, self.folder, exchange, conclusion.trouble)
