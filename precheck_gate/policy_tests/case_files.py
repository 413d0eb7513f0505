"""Files with test cases of policies, read into values; every expectation keeps its line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from precheck_gate.documents import validation
from precheck_gate.documents.strict_json import compact
from precheck_gate.documents.yaml_document import Document, read_document
from precheck_gate.errors import DocumentError, Problem
from precheck_gate.model.snapshots import Item, Snapshot, SubTask, status_named
from precheck_gate.policy.reading import listed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from precheck_gate.documents.yaml_document import Path_

__all__ = ["CaseFile", "Expectation", "PolicyCase", "read_case_file"]

SCHEMA = "policy-test-1"
WHAT = "policy test"
_INPUTS = ("answers", "tasks", "items")


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that has to come out: where it stands in the file, and its value."""

    path: str
    line: int
    want: Any


@dataclass(frozen=True, slots=True)
class PolicyCase:
    """One case.

    Attributes:
        name: what has to hold.
        line: where it stands.
        policy: ``builtin:…``, a file, or the policy itself with the places of the case file.
        profile: the profile to put on top; None for none.
        today: the day of the judgement; None where the case names none.
        answers: files with saved answers; empty where ``snapshots`` are given.
        snapshots: what DRS says of the tasks.
        requested: the tasks asked for; None for all that are there.
        baseline: an earlier report, or snapshots to make one of; None for none.
        strict_waivers: whether waivers that expired or waived nothing block.
        expected: single expectations by name: ``verdict``, ``exit_code``, ``error``, ``exactly``.
        tasks: expected verdicts by the ID or glob of their tasks.
        waivers: expected states by the ID of their waivers.
        findings: findings that have to be there.
    """

    name: str
    line: int
    policy: str | Path | Document
    profile: str | None
    today: date | None
    answers: tuple[Path, ...]
    snapshots: tuple[Snapshot, ...]
    requested: tuple[str, ...] | None
    baseline: Path | tuple[Snapshot, ...] | None
    strict_waivers: bool
    expected: dict[str, Expectation]
    tasks: dict[str, Expectation]
    waivers: dict[str, Expectation]
    findings: tuple[Expectation, ...]


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A file with its cases, in order."""

    name: str
    cases: tuple[PolicyCase, ...]


def read_case_file(path: Path) -> CaseFile:
    """Read a file of cases.

    Raises:
        UsageError: it cannot be read.
        DocumentError: it is not YAML or JSON, or no such file; every problem is listed.
    """
    document = read_document(path, WHAT)
    validation.check(document, SCHEMA, WHAT)
    reader = _Reader(document, path.parent)
    cases = tuple(map(reader.case, range(len(document.value["cases"]))))
    if reader.problems:
        reader.problems.sort(key=lambda problem: (problem.line, problem.column))
        raise DocumentError(f"The {WHAT} {document.file} cannot be used.", reader.problems)
    return CaseFile(document.file, cases)


class _Reader:
    """Reads the cases of one validated document; collects what the schema cannot see."""

    def __init__(self, document: Document, folder: Path) -> None:
        self._document = document
        self._folder = folder
        self.problems: list[Problem] = []
        self._names: dict[str, Path_] = {}

    def case(self, index: int) -> PolicyCase:
        value: dict[str, Any] = self._document.value["cases"][index]
        path: Path_ = ("cases", index)
        self._unique(self._names, value["name"], (*path, "name"), "name")
        given = [key for key in _INPUTS if key in value]
        if len(given) != 1 and "error" not in value["expect"]:
            said = " and ".join(given) or "nothing to judge"
            hint = "give one of answers, tasks and items"
            self._problem(f"the case has {said}", path, hint)
        expect, at = value["expect"], (*path, "expect")
        if "error" in expect and len(expect) > 1:
            self._problem("a policy that is refused judges nothing: expect only the error", at)
        policy, profile = self._policy(value, path)
        return PolicyCase(
            name=value["name"],
            line=self._document.place(path).line,
            policy=policy,
            profile=profile,
            today=self._today(value, path),
            answers=tuple(self._folder / one for one in listed(value.get("answers", []))),
            snapshots=self._snapshots(value, path),
            requested=tuple(value["requested"]) if "requested" in value else None,
            baseline=self._baseline(value, path),
            strict_waivers=value.get("strict_waivers", False),
            expected={
                key: self._expectation(expect[key], (*at, key))
                for key in ("verdict", "exit_code", "error", "exactly")
                if key in expect
            },
            tasks=self._expectations(expect, at, "tasks"),
            waivers=self._expectations(expect, at, "waivers"),
            findings=tuple(
                self._expectation(one, (*at, "findings", number))
                for number, one in enumerate(expect.get("findings", ()))
            ),
        )

    def _policy(
        self, value: dict[str, Any], path: Path_
    ) -> tuple[str | Path | Document, str | None]:
        top = self._document.value
        where: Path_ = (*path, "policy") if "policy" in value else ("policy",)
        policy = value.get("policy", top.get("policy"))
        profile = value.get("profile", None if "policy" in value else top.get("profile"))
        if policy is None:
            self._problem("the case has no policy", path, "name one here or at the top of the file")
            return "builtin:default", profile
        if isinstance(policy, str):
            return (policy if policy.startswith("builtin:") else self._folder / policy), profile
        return self._inner(policy, where), profile

    def _inner(self, value: dict[str, Any], path: Path_) -> Document:
        """Return a part of the file as a document of its own, its places those in the file."""
        whole, depth = self._document, len(path)
        values = {key[depth:]: at for key, at in whole.values.items() if key[:depth] == path}
        keys = {key[depth:]: at for key, at in whole.keys.items() if key[:depth] == path}
        return Document(whole.file, value, whole.lines, values, keys)

    def _today(self, value: dict[str, Any], path: Path_) -> date | None:
        where: Path_ = (*path, "now") if "now" in value else ("now",)
        said = value.get("now", self._document.value.get("now"))
        try:
            return None if said is None else date.fromisoformat(said)
        except ValueError:
            self._problem(f"{said} is not a date", where)
            return None

    def _baseline(self, value: dict[str, Any], path: Path_) -> Path | tuple[Snapshot, ...] | None:
        baseline = value.get("baseline")
        if isinstance(baseline, str):
            return self._folder / baseline
        return None if baseline is None else self._snapshots(baseline, (*path, "baseline"))

    def _snapshots(self, value: dict[str, Any], path: Path_) -> tuple[Snapshot, ...]:
        if "items" in value:
            return (_snapshot("task-1", {"items": value["items"]}),)
        made: list[Snapshot] = []
        ids: dict[str, Path_] = {}
        for index, task in enumerate(value.get("tasks", ())):
            for task_id in _ids(task, index):
                where = (*path, "tasks", index)
                if self._unique(ids, task_id, where, "task"):
                    made.append(_snapshot(task_id, task))
        return tuple(made)

    def _unique(self, seen: dict[str, Path_], name: str, path: Path_, what: str) -> bool:
        first = seen.setdefault(name, path)
        if first != path:
            line = self._document.place(first).line
            self._problem(f"the {what} {name!r} stands twice", path, f"first in line {line}")
        return first == path

    def _expectations(
        self, expect: dict[str, Any], path: Path_, key: str
    ) -> dict[str, Expectation]:
        return {
            name: self._expectation(want, (*path, key, name))
            for name, want in expect.get(key, {}).items()
        }

    def _expectation(self, want: Any, path: Path_) -> Expectation:
        # Within its case, so that the words stay short: expect.findings[0].
        steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path[2:]]
        place = self._document.keys.get(path) or self._document.place(path)
        return Expectation("".join(steps)[1:], place.line, want)

    def _problem(self, message: str, path: Path_, hint: str = "") -> None:
        problem = self._document.problem(message, path, hint=hint)
        if problem not in self.problems:
            self.problems.append(problem)


def _ids(task: dict[str, Any], index: int) -> Iterator[str]:
    name, repeat = task.get("id", f"task-{index + 1}"), task.get("repeat")
    if repeat is None:
        yield name
    else:
        yield from (f"{name}-{number}" for number in range(1, repeat + 1))


def _snapshot(task_id: str, task: dict[str, Any]) -> Snapshot:
    progress, result = task.get("progress", "100%"), task.get("result", True)
    return Snapshot(
        task_id=task_id,
        progress=Decimal(str(progress).removesuffix("%")),
        raw_progress=compact(progress),
        ready=result is True,
        raw_result=compact(result),
        items=tuple(_items(task.get("items", []))),
        direction=task.get("direction", ""),
        passed_rate=task.get("passed_rate", ""),
    )


def _items(items: dict[str, str] | list[dict[str, Any]]) -> Iterator[Item]:
    if isinstance(items, dict):
        items = [{"item": name, "status": status} for name, status in items.items()]
    for one in items:
        yield Item(
            name=one["item"],
            group=one.get("group", ""),
            status=status_named(one["status"]),
            raw_status=one["status"],
            failed_reason=one.get("failed_reason", ""),
            data=one.get("data", ""),
            raw_error=one.get("raw_error", ""),
            skipped=one.get("skipped", False),
            sub_tasks=tuple(
                SubTask(
                    id=sub.get("id", ""),
                    name=sub.get("name", ""),
                    status=status_named(sub["status"]),
                    raw_status=sub["status"],
                )
                for sub in one.get("sub_tasks", ())
            ),
        )
