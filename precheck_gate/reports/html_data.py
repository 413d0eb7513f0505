"""The data of the HTML page: the findings as its script reads them, equal texts and rows once.

The tasks of a large run have mostly the same findings, so that half a million of them shrink to
some rows and numbers. The tables have a bound: what lies beyond it is written in full.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from precheck_gate import catalog
from precheck_gate.model.verdicts import FindingKind
from precheck_gate.reports import evidence
from precheck_gate.safetext.cleaning import clean, shorten

if TYPE_CHECKING:
    from precheck_gate.model.verdicts import Finding, TaskVerdict

# The order of a row. The script reads it from the page's data.
FIELDS = (
    *("kind", "verdict", "title", "message", "group", "status", "failed_reason", "raw_error"),
    *("sub_task", "code", "decided_by", "reason", "next_step"),
    *("waived_by", "waived_until", "waiver_reason", "known", "data", "trace"),
)
_TEXTS = FIELDS[2:16]
_TABLED = FIELDS.index("data")

MAX_TEXT = 300
MAX_TABLE = 50_000
MAX_PAIRS = 100
MAX_VALUES = 500
MAX_VALUE = 4_000
MAX_RAW = 64_000

Ref = int | str


def script_json(value: Any) -> str:
    """Return JSON that stays data inside of a script element, whatever its texts are."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


class Compactor:
    """Turns tasks into short rows, and keeps the tables to which the rows refer."""

    def __init__(self) -> None:
        self._texts: dict[str, int] = {"": 0}
        self._rows: dict[tuple[Any, ...], int] = {}
        self._titles: dict[str, None] = {}
        self._reasons: dict[str, None] = {}

    def task(self, task: TaskVerdict) -> list[Any]:
        """Return one task as a list, in the order that the script reads."""
        return [
            task.task_id,
            task.verdict.value,
            *(task.progress, task.result, task.direction, task.passed_rate, task.instance_id),
            task.timeline,
            [self._finding(finding) for finding in task.findings],
            *(task.name, task.engine),
        ]

    def tables(self) -> dict[str, Any]:
        """Return the tables, with the catalogue's entries for the items seen."""
        known = catalog.load()
        return {
            "fields": FIELDS,
            "texts": list(self._texts),
            "rows": list(self._rows),
            "items": {
                title: _entry(entry)
                for title in self._titles
                if (entry := known.entry(title)) is not None
            },
            "reasons": {
                code: reason.meaning
                for code in self._reasons
                if (reason := known.for_reason(code)) is not None
            },
        }

    def _finding(self, finding: Finding) -> int | list[Any]:
        if finding.kind is not FindingKind.TASK and len(self._titles) < MAX_TABLE:
            self._titles[finding.title] = None
            self._reasons[finding.failed_reason] = None
        row: list[Any] = [
            self._text(finding.kind.value),
            self._text(finding.verdict.value),
            *(self._text(getattr(finding, name)) for name in _TEXTS),
            int(finding.known),
            evidence_pairs(finding.data),
            [self._text(step) for step in finding.trace],
        ]
        while not row[-1]:
            row.pop()
        if any(isinstance(value, str) for value in row) or len(row) > _TABLED:
            return row
        key = tuple(row)
        found = self._rows.get(key)
        if found is None:
            if len(self._rows) >= MAX_TABLE:
                return row
            found = self._rows[key] = len(self._rows)
        return found

    def _text(self, text: str) -> Ref:
        found = self._texts.get(text)
        if found is None:
            if len(text) > MAX_TEXT or len(self._texts) >= MAX_TABLE:
                return text
            found = self._texts[text] = len(self._texts)
        return found


def _entry(entry: catalog.Entry) -> dict[str, Any]:
    return {
        "title": entry.title,
        "checks": entry.checks,
        "matters": entry.matters,
        "remedies": [
            [place, text]
            for place, text in (
                ("source", entry.on_source),
                ("destination", entry.on_destination),
                ("task", entry.in_task),
            )
            if text
        ],
        "first": entry.first.value,
        "inferred": int(entry.mapping is catalog.Basis.INFERRED),
        "sources": [[source.title, source.url] for source in entry.sources],
    }


def evidence_pairs(data: str) -> str | list[list[Any]]:
    """Return evidence as ``[[key, [text, ...]], ...]`` if it decodes, else as its own text."""
    found = [[_safe(key), _bounded(texts)] for key, texts in evidence.pairs(data)]
    if not found:
        return shorten(data, MAX_RAW)
    if len(found) > MAX_PAIRS:
        more = f"{len(found) - MAX_PAIRS} more keys"
        found = [*found[:MAX_PAIRS], ["…", [more]]]
    return found


def _bounded(texts: list[str]) -> list[str]:
    more = [f"… and {len(texts) - MAX_VALUES} more"] if len(texts) > MAX_VALUES else []
    return [*map(_safe, texts[:MAX_VALUES]), *more]


def _safe(text: str) -> str:
    # Decoding may bring back what was escaped: every text is made harmless again.
    return clean(shorten(text.strip(), MAX_VALUE))
