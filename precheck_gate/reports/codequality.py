"""GitLab's code quality JSON: what blocks or warns, at the line of the policy that decided.

A merge request shows it beside the changed lines. GitLab has no place for remarks, so an entry of
its own says what was left out.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TextIO

from precheck_gate.reports.code_scanning import Rank, ScanReporter, cut_note, dump

if TYPE_CHECKING:
    from precheck_gate.model.verdicts import RunFacts, RunVerdict
    from precheck_gate.runtime.policy_locations import Location, Locator

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
    """Writes one run as a list of code quality violations to a stream."""

    def __init__(
        self, out: TextIO, *, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES
    ) -> None:
        super().__init__(out, max_entries, max_bytes)

    def _write(self, run: RunVerdict, facts: RunFacts, locator: Locator) -> None:  # noqa: ARG002
        room = self._max_bytes - ROOM_AROUND
        written: Counter[Rank] = Counter()
        entries: list[str] = []
        for found in self._worst_first():
            number = f"-{found.number}" if found.number > 1 else ""
            location = locator.locate(found.finding.decided_by)
            entry = dump(
                _entry(
                    found.text, found.check, f"{found.fingerprint}{number}", found.rank, location
                )
            )
            room -= len(entry.encode("utf-8")) + 2
            if room < 0:
                break
            entries.append(entry)
            written[found.rank] += 1
        if left_out := self._counts - written:
            text = cut_note(len(entries), left_out, "report")
            worst = next(rank for rank in Rank if left_out[rank])
            cut = _entry(text, "precheck-gate/left-out", "left-out", worst, locator.locate(""))
            entries.append(dump(cut))
        self._out.write("[" + ",".join(f"\n{entry}" for entry in entries) + "\n]\n")


def _entry(
    description: str, check: str, fingerprint: str, rank: Rank, location: Location
) -> dict[str, Any]:
    return {
        "description": description,
        "check_name": check,
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[rank],
        "location": {"path": location.path, "lines": {"begin": location.line}},
    }
