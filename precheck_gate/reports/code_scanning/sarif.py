"""SARIF 2.1.0: what speaks against the migration, at the line of the policy that decided.

Stays inside what GitHub's code scanning takes: one run, of which it keeps 5,000 results, 1 location
each, 20 tags a rule, 10 MB. What does not fit is left out, from the least on, and a notification
says how much that was.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import quote

from precheck_gate import __version__
from precheck_gate.exits import EXIT_CODE_MEANINGS, ExitCode
from precheck_gate.model.verdicts import Verdict
from precheck_gate.reports.code_scanning.base import ScanReporter, dump, told_of_the_rest
from precheck_gate.reports.code_scanning.sarif_rules import rule_for
from precheck_gate.safetext.cleaning import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precheck_gate.model.verdicts import RunFacts, RunVerdict
    from precheck_gate.reports.code_scanning.points import Point, Rank
    from precheck_gate.runtime.policy_places import Place, Places

__all__ = ["SarifReporter"]

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
HOME = "https://github.com/precheck-gate/precheck-gate"
MAX_RESULTS = 5_000
MAX_BYTES = 10_000_000
ROOM_AROUND = 100_000  # more than all that stands around rules and results
MAX_REMARKS = 50
MAX_REMARK = 500


class SarifReporter(ScanReporter):
    """Writes one run as SARIF to a stream.

    Args:
        out: the stream.
        max_results: how many results to write at most.
        max_bytes: how large the file may become.
    """

    def __init__(
        self, out: TextIO, *, max_results: int = MAX_RESULTS, max_bytes: int = MAX_BYTES
    ) -> None:
        super().__init__(out, max_results, max_bytes)

    def _write(self, run: RunVerdict, facts: RunFacts, places: Places) -> None:
        body = _Body(self._max_bytes - ROOM_AROUND)
        for point in self._points:
            # The first that does not fit ends it: what is left out is never worse than what is in.
            if not body.add(point, places.of(point.decided_by)):
                break
        driver = {
            "name": "precheck-gate",
            "version": __version__,
            "semanticVersion": __version__,
            "informationUri": HOME,
        }
        left_out = self._points.counts - body.counts
        notes = [*_cut(len(body.results), left_out), *_remarks(run)]
        head = {
            "automationDetails": {"id": _category(facts, places)},
            "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The repository."}}},
            "columnKind": "utf16CodeUnits",
            "invocations": [_invocation(run, facts, notes)],
            "properties": {
                "verdict": run.verdict.value,
                "advisory": facts.advisory,
                "policy": shorten(facts.policy, MAX_REMARK),
                "policySha256": facts.policy_digest,
            },
        }
        write = self._out.write
        write(f'{{\n"$schema": {dump(SCHEMA)},\n"version": "2.1.0",\n"runs": [{{\n')
        write(f'"tool": {{"driver": {dump(driver)[:-1]}, "rules": [')
        write(",".join(f"\n{rule}" for rule in body.rules.values()))
        write("\n]}},\n")
        for name, value in head.items():
            write(f"{dump(name)}: {dump(value)},\n")
        write('"results": [')
        write(",".join(f"\n{result}" for result in body.results))
        write("\n]\n}]\n}\n")


@dataclass
class _Body:
    """Rules and results as text, up to so many bytes."""

    room: int
    rules: dict[str, str] = field(default_factory=dict)
    results: list[str] = field(default_factory=list)
    indexes: dict[str, int] = field(default_factory=dict)
    counts: Counter[Rank] = field(default_factory=Counter)

    def add(self, point: Point, place: Place) -> bool:
        """Add a result, and the rule that it names; False when there is no room."""
        index = self.indexes.get(point.check, len(self.rules))
        rule = "" if index < len(self.rules) else dump(rule_for(point))
        result = dump(_result(point, index, place))
        size = sum(len(text.encode("utf-8")) + 2 for text in (rule, result) if text)
        if size > self.room:
            return False
        self.room -= size
        if rule:
            self.rules[point.check] = rule
            self.indexes[point.check] = index
        self.results.append(result)
        self.counts[point.rank] += 1
        return True


def _result(point: Point, index: int, place: Place) -> dict[str, Any]:
    physical = {
        "artifactLocation": {"uri": quote(place.path, safe="/"), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": place.line},
    }
    location: dict[str, Any] = {"physicalLocation": physical}
    if point.task_id:
        location["logicalLocations"] = [{"name": point.task_id, "kind": "resource"}]
    result: dict[str, Any] = {
        "ruleId": point.check,
        "ruleIndex": index,
        "level": "error" if point.rank.blocks else "warning",
        "message": {"text": _inert(point.text)},
        "locations": [location],
        "partialFingerprints": {
            # The one key that GitHub tells results apart by. It would fill in a hash of the
            # policy's line, which is the same for every task.
            "primaryLocationLineHash": f"{point.fingerprint}:{point.number}",
            "precheckGate/v1": f"{point.fingerprint}:{point.number}",
        },
    }
    if point.waiver:
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": point.waiver}
        ]
    if point.known:
        result["baselineState"] = "unchanged"
    return result


_LINK = re.compile(r"\](?=\()")
_PLACEHOLDER = re.compile(r"\{(?=[0-9])")


def _inert(text: str) -> str:
    """Return a message in which SARIF finds neither a link nor a placeholder."""
    return _PLACEHOLDER.sub("{ ", _LINK.sub("] ", text))


def _category(facts: RunFacts, places: Places) -> str:
    """Return what GitHub tells analyses of one commit apart by: up to the last slash."""
    name = facts.policy.partition(" (profile ")
    path = places.path(name[0]) or name[0].rpartition("/")[2]
    policy = shorten(path + name[1] + name[2], MAX_REMARK)
    return f"precheck-gate/{policy}/" if policy else "precheck-gate/"


def _invocation(run: RunVerdict, facts: RunFacts, notes: list[dict[str, Any]]) -> dict[str, Any]:
    unknown = run.verdict in (Verdict.INCOMPLETE, Verdict.ERROR)
    invocation: dict[str, Any] = {
        "executionSuccessful": not unknown and not facts.interrupted_by,
        "exitCode": facts.exit_code,
    }
    if facts.exit_code in set(ExitCode):
        invocation["exitCodeDescription"] = EXIT_CODE_MEANINGS[ExitCode(facts.exit_code)]
    if facts.interrupted_by:
        invocation["exitSignalName"] = facts.interrupted_by
    if notes:
        invocation["toolExecutionNotifications"] = notes
    return invocation


def _cut(written: int, left_out: Counter[Rank]) -> Iterator[dict[str, Any]]:
    if left_out:
        level = "error" if any(rank.blocks for rank in left_out) else "warning"
        yield _note(level, told_of_the_rest(written, left_out, "file"))


def _remarks(run: RunVerdict) -> Iterator[dict[str, Any]]:
    for remark in run.remarks[:MAX_REMARKS]:
        yield _note("note", _inert(shorten(remark, MAX_REMARK)))
    if len(run.remarks) > MAX_REMARKS:
        yield _note("note", f"{len(run.remarks) - MAX_REMARKS} more remarks; see the JSON report.")


def _note(level: str, text: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": text}}
