"""What changed between two reports, whether the later one is worse, and how to show it. Pure.

Worse means exactly this: a verdict (of the run or of a task) became more severe; a finding blocks
that did not block before, or is new; a task of the old report is missing in the new one, so that
its state is not known.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from precheck_gate.model.json_values import to_json
from precheck_gate.runtime.version import __version__
from precheck_gate.safetext.cleaning import count, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from precheck_gate.model.report import Report
    from precheck_gate.model.verdicts import Finding, TaskVerdict, Verdict

# What may change of a finding that stays the same one, by the names that people read.
_ASPECTS: dict[str, Callable[[Finding], str]] = {
    "effect": lambda finding: finding.effect.value,
    "status": lambda finding: finding.status,
    "reason": lambda finding: finding.failed_reason,
    "waived": lambda finding: finding.waived_by,
    "waived until": lambda finding: finding.waived_until,
}


def _kind(old: object, new: object) -> str:
    if old is None:
        return "appeared"
    return "gone" if new is None else "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """A finding that appeared (no ``old``), went (no ``new``) or changed (both)."""

    old: Finding | None
    new: Finding | None

    @property
    def finding(self) -> Finding:
        """The finding as it is now, or as it was where it went."""
        return cast("Finding", self.new or self.old)

    @property
    def aspects(self) -> dict[str, tuple[str, str]]:
        """What changed, by its name: before and after; nothing unless both are there."""
        if self.old is None or self.new is None:
            return {}
        pairs = {name: (of(self.old), of(self.new)) for name, of in _ASPECTS.items()}
        return {name: (old, new) for name, (old, new) in pairs.items() if old != new}

    @property
    def kind(self) -> str:
        """What happened to it: ``appeared``, ``gone`` or ``changed``."""
        return _kind(self.old, self.new)

    @property
    def blocks_newly(self) -> bool:
        """Whether it blocks, and did not."""
        blocked = self.old is not None and not self.old.verdict.green
        return self.new is not None and not self.new.verdict.green and not blocked


@dataclass(frozen=True, slots=True)
class TaskComparison:
    """One task in both reports; a verdict is None where the report does not have the task.

    ``task`` is "" for what concerns the run itself, whose verdicts are those of the runs.
    """

    task: str
    old: Verdict | None
    new: Verdict | None
    changes: tuple[Change, ...] = ()

    @property
    def kind(self) -> str:
        """What happened to the task: ``appeared``, ``gone`` or ``changed``."""
        return _kind(self.old, self.new)

    @property
    def unchanged(self) -> bool:
        """Whether there is nothing to show."""
        return self.old is self.new and not self.changes


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two reports, what changed between them, and why the later one is worse, if it is.

    Attributes:
        old: the old report.
        new: the new one.
        run: what concerns the run itself.
        tasks: the tasks that changed, in the order of the new report; those that are gone last.
        same: how many tasks did not change.
        worse: why the new report is worse; empty where it is not.
    """

    old: Report
    new: Report
    run: TaskComparison
    tasks: tuple[TaskComparison, ...]
    same: int
    worse: tuple[str, ...]


def compare_reports(old: Report, new: Report, *, ignore_gone: bool = False) -> Comparison:
    """Compare an earlier report with a later one.

    With ``ignore_gone``, a task that is gone is no reason to call the new one worse.
    """
    changes = tuple(_changes("", old.run.findings, new.run.findings))
    run = TaskComparison("", old.run.verdict, new.run.verdict, changes)
    before = {task.task_id: task for task in old.tasks}
    after = {task.task_id: task for task in new.tasks}
    tasks = [_task(name, before.get(name), after.get(name)) for name in {**after, **before}]
    return Comparison(
        old=old,
        new=new,
        run=run,
        tasks=tuple(task for task in tasks if not task.unchanged),
        same=sum(task.unchanged for task in tasks),
        worse=tuple(
            reason for one in (run, *tasks) for reason in _worse(one, ignore_gone=ignore_gone)
        ),
    )


def _task(name: str, old: TaskVerdict | None, new: TaskVerdict | None) -> TaskComparison:
    return TaskComparison(
        name,
        old.verdict if old else None,
        new.verdict if new else None,
        tuple(_changes(name, old.findings if old else (), new.findings if new else ())),
    )


def _changes(task: str, old: Iterable[Finding], new: Iterable[Finding]) -> Iterator[Change]:
    """Yield what changed among the findings of one task.

    First those of the same identity are put together, then, of the rest, those about the same item
    and sub-task: their status or reason changed. Items that pass on both sides, or on one and are
    absent on the other, are left out.
    """
    open_old, open_new = list(old), list(new)
    pairs: dict[int, Finding] = {}
    # The first four parts of an identity stay when status and reason change.
    for length in (6, 4):
        waiting: dict[tuple[str, ...], list[Finding]] = {}
        for finding in open_old:
            waiting.setdefault(finding.identity(task)[:length], []).append(finding)
        for index, finding in enumerate(open_new):
            like = waiting.get(finding.identity(task)[:length])
            if index not in pairs and like:
                pairs[index] = like.pop(0)
        open_old = [finding for left in waiting.values() for finding in left]
    for index, finding in enumerate(open_new):
        change = Change(pairs.get(index), finding)
        if change.aspects or (change.old is None and _speaks(finding)):
            yield change
    for finding in open_old:
        if _speaks(finding):
            yield Change(finding, None)


def _speaks(finding: Finding) -> bool:
    """Return whether a finding says anything: not of an item that is simply PASSED."""
    return finding.verdict.value != "passed" or finding.status not in ("", "PASSED")


def _worse(task: TaskComparison, *, ignore_gone: bool) -> Iterator[str]:
    who = f"task {task.task}" if task.task else "the run"
    if task.new is None:
        if not ignore_gone:
            yield f"{who} is gone"
        return
    if task.old is not None and task.new.severity > task.old.severity:
        yield f"{who} is {task.new.value}, was {task.old.value}"
    elif task.old is None and not task.new.green:
        yield f"{who} is new and {task.new.value}"
    for change in task.changes:
        if change.blocks_newly:
            yield f"{who}: {change.finding.title} blocks now"


# How it is shown: as text, as Markdown, and as JSON (``schemas/diff-1.json``)

# A comment in a review has its bounds; the whole is in the JSON.
MAX_TASKS = 100
MAX_CHANGES = 50
MAX_TEXT = 300

_SIGNS = {"appeared": "+", "gone": "-", "changed": "~"}
_KEYS = (
    *("message", "kind", "title", "verdict", "effect", "group", "status", "failed_reason"),
    *("sub_task", "decided_by", "waived_by", "waived_until"),
)


def _text(comparison: Comparison) -> str:
    lines = [_headline(comparison), *(f"  {reason}" for reason in comparison.worse)]
    for task in (comparison.run, *comparison.tasks):
        if not task.unchanged:
            lines += ["", _title(task, str)]
            lines += [f"  {_SIGNS[one.kind]} {_sentence(one, str)}" for one in task.changes]
    lines += ["", *_end(comparison, str)]
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
    same, *judged = _end(comparison, _code)
    lines += ["", same, "", *(f"* {line}" for line in judged)]
    return "\n".join(lines) + "\n"


def _json(comparison: Comparison) -> str:
    value = {
        "format": "precheck-gate/diff",
        "format_version": 1,
        "tool": {"name": "precheck-gate", "version": __version__},
        "worse": bool(comparison.worse),
        "reasons": comparison.worse,
        "old": _head(comparison.old),
        "new": _head(comparison.new),
        "same": comparison.same,
        "findings": _changes_of(comparison.run),
        "tasks": [
            {
                "task": task.task,
                "change": task.kind,
                "old_verdict": task.old.value if task.old is not None else None,
                "new_verdict": task.new.value if task.new is not None else None,
                "findings": _changes_of(task),
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
    old, new = comparison.old.run.verdict.value, comparison.new.run.verdict.value
    verdict = f"{old}, unchanged" if old == new else f"{old} → {new}"
    return f"{'WORSE' if comparison.worse else 'not worse'}: {verdict}"


def _title(task: TaskComparison, code: Callable[[str], str]) -> str:
    who = f"task {code(task.task)}" if task.task else "the run"
    old, new = (verdict.value if verdict else "" for verdict in (task.old, task.new))
    if not old:
        return f"{who}: new, {new}"
    if not new:
        return f"{who}: gone, was {old}"
    return f"{who}: {old if old == new else f'{old} → {new}'}"


def _sentence(change: Change, code: Callable[[str], str]) -> str:
    finding = change.finding
    message = shorten(finding.message or finding.title, MAX_TEXT)
    words = f"{finding.effect.value}: {code(message)}"
    if change.aspects:
        told = (
            f"{name} {code(old or '(none)')} → {code(new or '(none)')}"
            for name, (old, new) in change.aspects.items()
        )
        words += f" ({', '.join(told)})"
    elif finding.waived_by:
        words += f" (waived by {code(finding.waived_by)})"
    return words


def _end(comparison: Comparison, code: Callable[[str], str]) -> list[str]:
    """Return how many tasks are the same, and when and by which policy each report was judged."""
    return [
        f"{count(comparison.same, 'task')} did not change.",
        *(
            f"{name}: judged on {code(report.facts.judged_on or '(unknown)')}"
            f" by policy {code(report.facts.policy or '(none)')}"
            for name, report in (("old", comparison.old), ("new", comparison.new))
        ),
    ]


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


def _changes_of(task: TaskComparison) -> dict[str, list[Any]]:
    changes: dict[str, list[Any]] = {"appeared": [], "gone": [], "changed": []}
    for change in task.changes:
        value: dict[str, Any] = _short(change.finding)
        if change.kind == "changed":
            old, new = _short(change.old), _short(change.new)
            value = {"old": old, "new": new, "what": list(change.aspects)}
        changes[change.kind].append(value)
    return changes


def _short(finding: Finding | None) -> dict[str, str]:
    value = {"effect": finding.effect.value, **to_json(finding)} if finding else {}
    return {key: value[key] for key in _KEYS if key in value}


def _head(report: Report) -> dict[str, str]:
    facts = report.facts
    verdict = report.run.verdict.value
    return {"verdict": verdict, "judged_on": facts.judged_on, "policy": facts.policy}
