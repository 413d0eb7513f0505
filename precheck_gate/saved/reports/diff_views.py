"""A comparison of two reports as text, as Markdown and as JSON (``schemas/diff-1.json``)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from precheck_gate.runtime.version import __version__
from precheck_gate.safetext.cleaning import count, shorten

if TYPE_CHECKING:
    from collections.abc import Callable

    from precheck_gate.saved.reports.comparison import Change, Comparison, TaskComparison

__all__ = ["VIEWS"]

# A comment in a review has its bounds; the whole is in the JSON.
MAX_TASKS = 100
MAX_CHANGES = 50
MAX_TEXT = 300

_SIGNS = {"appeared": "+", "gone": "-", "changed": "~"}
_KEYS = (
    *("kind", "title", "verdict", "message", "effect", "group", "status", "failed_reason"),
    *("sub_task", "decided_by", "waived_by", "waived_until"),
)


def _text(comparison: Comparison) -> str:
    lines = [_headline(comparison), *(f"  {reason}" for reason in comparison.worse)]
    for task in (comparison.run, *comparison.tasks):
        if not task.unchanged:
            lines += ["", _title(task, str)]
            lines += [f"  {_SIGNS[one.kind]} {_sentence(one, str)}" for one in task.changes]
    lines += ["", _same(comparison), *_judged(comparison, str)]
    return "\n".join(lines) + "\n"


def _markdown(comparison: Comparison) -> str:
    lines = [f"## {_headline(comparison)}", ""]
    lines += [f"* {_code(reason)}" for reason in comparison.worse[:MAX_CHANGES]]
    lines += _left_out(len(comparison.worse), MAX_CHANGES, "reasons")
    for task in (comparison.run, *comparison.tasks[:MAX_TASKS]):
        if not task.unchanged:
            lines += ["", f"### {_title(task, _code)}", ""]
            shown = task.changes[:MAX_CHANGES]
            lines += [f"* **{one.kind}** {_sentence(one, _code)}" for one in shown]
            lines += _left_out(len(task.changes), MAX_CHANGES, "findings")
    lines += _left_out(len(comparison.tasks), MAX_TASKS, "tasks")
    lines += ["", _same(comparison), "", *(f"* {line}" for line in _judged(comparison, _code))]
    return "\n".join(lines) + "\n"


def _json(comparison: Comparison) -> str:
    value = {
        "format": "precheck-gate/diff",
        "format_version": 1,
        "tool": {"name": "precheck-gate", "version": __version__},
        "worse": bool(comparison.worse),
        "reasons": comparison.worse,
        "old": comparison.old,
        "new": comparison.new,
        "same": comparison.same,
        "findings": _changes(comparison.run),
        "tasks": [
            {
                "task": task.task,
                "change": "appeared" if task.appeared else "gone" if task.gone else "changed",
                "old_verdict": task.old.value if task.old is not None else None,
                "new_verdict": task.new.value if task.new is not None else None,
                "findings": _changes(task),
            }
            for task in comparison.tasks
        ],
    }
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


VIEWS: dict[str, Callable[[Comparison], str]] = {
    "text": _text,
    "markdown": _markdown,
    "json": _json,
}


def _headline(comparison: Comparison) -> str:
    old, new = comparison.old["verdict"], comparison.new["verdict"]
    verdict = f"{old}, as before" if old == new else f"{old} → {new}"
    return f"{'WORSE' if comparison.worse else 'not worse'}: {verdict}"


def _title(task: TaskComparison, code: Callable[[str], str]) -> str:
    who = f"task {code(task.task)}" if task.task else "the run"
    if task.old is None:
        return f"{who}: new, {task.new.value if task.new is not None else ''}"
    if task.new is None:
        return f"{who}: gone, it was {task.old.value}"
    same = task.old is task.new
    return f"{who}: {task.old.value if same else f'{task.old.value} → {task.new.value}'}"


def _sentence(change: Change, code: Callable[[str], str]) -> str:
    finding = change.finding
    message = shorten(finding.get("message", "") or finding["title"], MAX_TEXT)
    words = f"{finding['effect']}: {code(message)}"
    if change.aspects:
        told = (
            f"{name} {code(old or '(none)')} → {code(new or '(none)')}"
            for name, (old, new) in change.aspects.items()
        )
        words += f" ({', '.join(told)})"
    elif waived := finding.get("waived_by", ""):
        words += f" (waived by {code(waived)})"
    return words


def _judged(comparison: Comparison, code: Callable[[str], str]) -> list[str]:
    """Return by what and as of when each was judged, since a change may come from there."""
    return [
        f"{name}: judged on {code(head['judged_on'] or '(unknown)')}"
        f" by the policy {code(head['policy'] or '(none)')}"
        for name, head in (("old", comparison.old), ("new", comparison.new))
    ]


def _same(comparison: Comparison) -> str:
    return f"{count(comparison.same, 'task')} did not change."


def _left_out(number: int, most: int, what: str) -> list[str]:
    return [f"* … and {number - most} more {what}"] if number > most else []


def _code(text: str) -> str:
    """Return ``text`` as code, in which no Markdown, HTML, mention or address comes to life.

    The text is one line; a fence longer than any run of backticks in it cannot be left.
    """
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{text or ' '}{pad}{fence}"


def _changes(task: TaskComparison) -> dict[str, list[Any]]:
    return {
        "appeared": [_short(change.new) for change in task.of("appeared")],
        "gone": [_short(change.old) for change in task.of("gone")],
        "changed": [
            {"old": _short(change.old), "new": _short(change.new), "what": list(change.aspects)}
            for change in task.of("changed")
        ],
    }


def _short(finding: dict[str, Any] | None) -> dict[str, str]:
    finding = finding or {}
    return {"message": ""} | {key: finding[key] for key in _KEYS if key in finding}
