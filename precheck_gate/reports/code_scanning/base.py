"""What the reports for code scanning share: the worst findings of a run, within a bounded file."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TextIO

from precheck_gate.reports.code_scanning.points import Points, Rank
from precheck_gate.runtime.policy_places import Places

if TYPE_CHECKING:
    from collections import Counter

    from precheck_gate.model.verdicts import RunFacts, RunVerdict, TaskVerdict

__all__ = ["ScanReporter", "dump", "told_of_the_rest"]

dump = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


class ScanReporter(ABC):
    """Keeps the worst findings of a run until its end.

    Args:
        out: the stream.
        max_points: how many findings to keep at most.
        max_bytes: how large the file may become.
    """

    def __init__(self, out: TextIO, max_points: int, max_bytes: int) -> None:
        self._out = out
        self._points = Points(max_points)
        self._max_bytes = max_bytes

    def add_task(self, task: TaskVerdict) -> None:
        """Take the findings of one task."""
        self._points.add_task(task)

    def finish(self, run: RunVerdict, facts: RunFacts) -> None:
        """Write the whole report."""
        self._points.add_run(run)
        self._write(run, facts, Places(facts.policy))

    @abstractmethod
    def _write(self, run: RunVerdict, facts: RunFacts, places: Places) -> None:
        """Write what was kept, as far as there is room."""


def told_of_the_rest(written: int, left_out: Counter[Rank], what: str) -> str:
    """Return what to say where findings were left out of ``what``."""
    total = written + sum(left_out.values())
    parts = ", ".join(f"{left_out[rank]} {rank.value}" for rank in Rank if left_out[rank])
    return (
        f"{written} of {total} findings are in this {what}, the worst first; left out: {parts}."
        " The JSON report has them all."
    )
