"""SARIF 2.1.0: what blocks or warns, at the line of the policy that decided.

Stays inside the limits of GitHub's code scanning: one run, of which it keeps 5,000 results,
1 location each, 20 tags a rule, 10 MB. The least severe results are left out if there is no room,
and a notification says how many. The rules are the catalogue's entries for the items.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import quote

from precheck_gate import catalog
from precheck_gate.errors import EXIT_CODE_MEANINGS, ExitCode
from precheck_gate.model.verdicts import Verdict
from precheck_gate.reports.code_scanning import ScanReporter, cut_note, dump, sentence
from precheck_gate.runtime.version import __version__
from precheck_gate.safetext.cleaning import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precheck_gate.catalog import Entry
    from precheck_gate.model.verdicts import RunFacts, RunVerdict
    from precheck_gate.reports.code_scanning import Rank, ScanFinding
    from precheck_gate.runtime.policy_locations import Location, Locator

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
HOME = "https://github.com/precheck-gate/precheck-gate"
MAX_RESULTS = 5_000
MAX_BYTES = 10_000_000
ROOM_AROUND = 100_000  # for everything but rules and results
MAX_REMARKS = 50
MAX_REMARK = 500
MAX_TAGS = 20
MAX_DESCRIPTION = 1_000  # GitHub cuts the descriptions of a rule here
TAG = "drs-pre-check"


class SarifReporter(ScanReporter):
    """Writes one run as SARIF to a stream."""

    def __init__(
        self, out: TextIO, *, max_results: int = MAX_RESULTS, max_bytes: int = MAX_BYTES
    ) -> None:
        super().__init__(out, max_results, max_bytes)

    def _write(self, run: RunVerdict, facts: RunFacts, locator: Locator) -> None:
        body = _Body(self._max_bytes - ROOM_AROUND)
        for found in self._worst_first():
            # Stop at the first that does not fit: nothing left out is worse than what is in.
            if not body.add(found, locator.locate(found.finding.decided_by)):
                break
        driver = {
            "name": "precheck-gate",
            "version": __version__,
            "semanticVersion": __version__,
            "informationUri": HOME,
        }
        left_out = self._counts - body.counts
        notes = [*_cut(len(body.results), left_out), *_remarks(run)]
        head = {
            "automationDetails": {"id": _category(facts, locator)},
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

    def add(self, found: ScanFinding, location: Location) -> bool:
        """Add a result, and the rule that it names; return False if there is no room."""
        index = self.indexes.get(found.check, len(self.rules))
        rule = "" if index < len(self.rules) else dump(_rule_for(found))
        result = dump(_result(found, index, location))
        size = sum(len(text.encode("utf-8")) + 2 for text in (rule, result) if text)
        if size > self.room:
            return False
        self.room -= size
        if rule:
            self.rules[found.check] = rule
            self.indexes[found.check] = index
        self.results.append(result)
        self.counts[found.rank] += 1
        return True


def _result(found: ScanFinding, index: int, at: Location) -> dict[str, Any]:
    physical = {
        "artifactLocation": {"uri": quote(at.path, safe="/"), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": at.line},
    }
    location: dict[str, Any] = {"physicalLocation": physical}
    if found.task_id:
        location["logicalLocations"] = [{"name": found.task_id, "kind": "resource"}]
    result: dict[str, Any] = {
        "ruleId": found.check,
        "ruleIndex": index,
        "level": "error" if found.rank.blocks else "warning",
        "message": {"text": _inert(found.text)},
        "locations": [location],
        "partialFingerprints": {
            # The one key by which GitHub distinguishes results. It would fill in a hash of the
            # policy's line, which is the same for every task.
            "primaryLocationLineHash": f"{found.fingerprint}:{found.number}",
            "precheckGate/v1": f"{found.fingerprint}:{found.number}",
        },
    }
    if found.waiver:
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": found.waiver}
        ]
    if found.finding.known:
        result["baselineState"] = "unchanged"
    return result


_LINK = re.compile(r"\](?=\()")
_PLACEHOLDER = re.compile(r"\{(?=[0-9])")


def _inert(text: str) -> str:
    """Return a message in which SARIF finds neither a link nor a placeholder."""
    return _PLACEHOLDER.sub("{ ", _LINK.sub("] ", text))


def _category(facts: RunFacts, locator: Locator) -> str:
    """Return the category that GitHub reads up to the last slash: one for each policy."""
    name = facts.policy.partition(" (profile ")
    path = locator.path(name[0]) or name[0].rpartition("/")[2]
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
        yield _note(level, cut_note(written, left_out, "file"))


def _remarks(run: RunVerdict) -> Iterator[dict[str, Any]]:
    for remark in run.remarks[:MAX_REMARKS]:
        yield _note("note", _inert(shorten(remark, MAX_REMARK)))
    if len(run.remarks) > MAX_REMARKS:
        yield _note("note", f"{len(run.remarks) - MAX_REMARKS} more remarks; see the JSON report.")


def _note(level: str, text: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": text}}


# Rules: one for each item that a result names

_OWN = {
    "result": (
        "The task as a whole",
        "DRS must report that the task may start, and must not contradict itself.",
    ),
    "judged": ("Every task is judged", "No requested task may be left out."),
    "waivers": ("Waivers are valid", "No waiver may be expired or unused."),
    "limits.max_warnings": ("Warnings of the run", "The limit on all warnings of the run."),
    "max_warnings_per_task": ("Warnings of a task", "The limit on the warnings of one task."),
    "min_passed_rate": ("Share of PASSED items", "The minimum share of items that are PASSED."),
}
_OWN_OTHER = ("The run can be judged", "There must be a reliable answer to judge.")


def _rule_for(found: ScanFinding) -> dict[str, Any]:
    """Return the reporting descriptor of a finding's check."""
    if not found.of_an_item:
        title, checks = _OWN.get(found.check.partition("/")[2], _OWN_OTHER)
        help_text = f"{checks} Decided by the gate itself: each result says what to do."
        return _rule(found.check, title, checks, {"text": help_text}, [])
    entry = catalog.load().entry(found.finding.title)
    if entry is None:
        group = found.finding.group
        step = shorten(catalog.unknown_next_step(found.finding.title, group), MAX_DESCRIPTION)
        title = f"Pre-check item {found.check}"
        about = f"{title}, which the catalogue does not know."
        return _rule(found.check, title, about, {"text": step}, [group])
    rule = _rule(
        found.check,
        entry.title,
        f"{entry.checks} {entry.matters}",
        _help(entry),
        [entry.group, *entry.engines],
    )
    url = next((source.url for source in entry.sources if source.url.startswith("https://")), "")
    return rule | ({"helpUri": url} if url else {})


def _rule(
    check: str, title: str, about: str, help_: dict[str, str], tags: list[str]
) -> dict[str, Any]:
    known = dict.fromkeys([TAG, *(tag for tag in tags if tag)])
    return {
        "id": check,
        "shortDescription": {"text": sentence(shorten(title, MAX_DESCRIPTION))},
        "fullDescription": {"text": sentence(shorten(about, MAX_DESCRIPTION))},
        "help": help_,
        "properties": {"tags": list(known)[:MAX_TAGS]},
    }


def _help(entry: Entry) -> dict[str, str]:
    places = (
        ("On the source", entry.on_source),
        ("On the destination", entry.on_destination),
        ("In the DRS task", entry.in_task),
    )
    remedies = [place for place in places if place[1]] or [("In the DRS console", entry.next_step)]
    plain = [entry.checks, entry.matters, *(f"{where}: {what}" for where, what in remedies)]
    lines = [f"{entry.checks}\n\n{entry.matters}\n"]
    lines += [f"**{where}:** {what}\n" for where, what in remedies]
    lines += [f"* [{one.title}]({one.url})" for one in entry.sources if one.url]
    return {"text": " ".join(plain), "markdown": "\n".join(lines)}
