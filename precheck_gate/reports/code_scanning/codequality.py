"""GitLab's code quality JSON: what speaks against the migration, at the policy's line.

A merge request shows it beside the changed lines. GitLab has no place for remarks: what had to be
left out is told in an entry of its own.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TextIO

from precheck_gate.reports.code_scanning.base import ScanReporter, dump, told_of_the_rest
from precheck_gate.reports.code_scanning.points import Rank

if TYPE_CHECKING:
    from precheck_gate.model.verdicts import RunFacts, RunVerdict
    from precheck_gate.reports.code_scanning.points import Point
    from precheck_gate.runtime.policy_places import Place, Places

__all__ = ["CodeQualityReporter"]

# GitLab documents no bound; a merge request with more than this shows nothing that helps.
MAX_ENTRIES = 5_000
MAX_BYTES = 10_000_000
ROOM_AROUND = 2_000

_SEVERITIES = {
    Rank.ERROR: "critical",
    Rank.INCOMPLETE: "critical",
    Rank.BLOCKED: "blocker",
    Rank.WARNING: "minor",
    Rank.WAIVED: "info",
}


class CodeQualityReporter(ScanReporter):
    """Writes one run as a list of code quality violations to a stream.

    Args:
        out: the stream.
        max_entries: how many findings to write at most.
        max_bytes: how large the file may become.
    """

    def __init__(
        self, out: TextIO, *, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES
    ) -> None:
        super().__init__(out, max_entries, max_bytes)

    def _write(self, run: RunVerdict, facts: RunFacts, places: Places) -> None:  # noqa: ARG002
        room = self._max_bytes - ROOM_AROUND
        written: Counter[Rank] = Counter()
        entries: list[str] = []
        for point in self._points:
            text = dump(_entry(point, places.of(point.decided_by)))
            room -= len(text.encode("utf-8")) + 2
            if room < 0:
                break
            entries.append(text)
            written[point.rank] += 1
        left_out = self._points.counts - written
        if left_out:
            entries.append(dump(_cut(len(entries), left_out, places.of(""))))
        self._out.write("[" + ",".join(f"\n{entry}" for entry in entries) + "\n]\n")


def _entry(point: Point, place: Place) -> dict[str, Any]:
    number = f"-{point.number}" if point.number > 1 else ""
    return _violation(
        point.text, point.check, f"{point.fingerprint}{number}", _SEVERITIES[point.rank], place
    )


def _cut(written: int, left_out: Counter[Rank], place: Place) -> dict[str, Any]:
    text = told_of_the_rest(written, left_out, "report")
    worst = next(rank for rank in Rank if left_out[rank])
    return _violation(text, "precheck-gate/left-out", "left-out", _SEVERITIES[worst], place)


def _violation(
    description: str, check: str, fingerprint: str, severity: str, place: Place
) -> dict[str, Any]:
    return {
        "description": description,
        "check_name": check,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": place.path, "lines": {"begin": place.line}},
    }
