"""Find and read files with test cases of policies; every expectation keeps its line."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from precheck_gate.documents import validation
from precheck_gate.documents.strict_json import compact
from precheck_gate.documents.yaml_document import Document, read_document, spell_path
from precheck_gate.errors import DocumentError, Problem, UsageError
from precheck_gate.model.snapshots import Item, Snapshot, SubTask, status_named
from precheck_gate.policy.loading import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from precheck_gate.documents.yaml_document import ValuePath

SCHEMA = "policy-test-1"
WHAT = "policy test"
_INPUTS = ("answers", "tasks", "items")


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expected value, and its place in the file."""

    path: str
    line: int
    want: Any


@dataclass(frozen=True, slots=True)
class PolicyCase:
    """One case.

    Attributes:
        policy: ``builtin:…``, a file, or the policy itself with its places in the case file.
        answers: files with saved answers; empty if ``snapshots`` are given.
        snapshots: the tasks with what DRS says of them.
        requested: the tasks to judge; None for all.
        baseline: an earlier report, or snapshots to make one of.
        strict_waivers: whether expired and unused waivers block.
        expected: single expectations by name: ``verdict``, ``exit_code``, ``error``, ``exactly``.
        tasks: expected verdicts by the ID or glob of their tasks.
        waivers: expected states by waiver ID.
        findings: findings that must be there.
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


def holds_cases(name: str) -> bool:
    """Return whether a file of this name holds cases.

    The names: ``test_*``, ``*_test`` and ``*.test``, each with ``.yaml``, ``.yml`` or ``.json``.
    """
    stem, ending = os.path.splitext(name)  # noqa: PTH122  # a name, no path
    if ending not in (".yaml", ".yml", ".json") or name.startswith("."):
        return False
    return stem.startswith("test_") or stem.endswith(("_test", ".test"))


def find_case_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files with cases: each path that is a file, and those below each folder.

    Raises:
        UsageError: a path does not exist, or a folder has no such file.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not path.is_dir():
            if not path.exists():
                raise UsageError(f"There is no {path}.", hint="Check the path.")
            found[path] = None
            continue
        inside = sorted(_walk(path))
        if not inside:
            raise UsageError(
                f"The folder {path} has no policy tests.",
                hint="Name them test_*.yaml, *_test.yaml or *.test.yaml (or .yml, .json).",
            )
        found.update(dict.fromkeys(inside))
    return list(found)


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files with cases below ``folder``, except in hidden and linked folders."""
    for name, folders, files in os.walk(folder):
        folders[:] = [one for one in folders if not one.startswith(".")]
        yield from (Path(name, file) for file in files if holds_cases(file))


def read_case_file(path: Path) -> list[PolicyCase]:
    """Read the cases of a file.

    Raises:
        UsageError: the file cannot be read.
        DocumentError: the file is not valid; every problem is listed.
    """
    document = read_document(path, WHAT)
    validation.check(document, SCHEMA, WHAT)
    reader = _Reader(document, path.parent)
    cases = list(map(reader.case, range(len(document.value["cases"]))))
    if reader.problems:
        reader.problems.sort(key=lambda problem: (problem.line, problem.column))
        raise DocumentError(f"The {WHAT} {document.file} cannot be used.", reader.problems)
    return cases


class _Reader:
    """Reads the cases of one validated document; collects the problems that no schema sees."""

    def __init__(self, document: Document, folder: Path) -> None:
        self._document = document
        self._folder = folder
        self.problems: list[Problem] = []
        self._names: dict[str, ValuePath] = {}

    def case(self, index: int) -> PolicyCase:
        value: dict[str, Any] = self._document.value["cases"][index]
        path: ValuePath = ("cases", index)
        self._unique(self._names, value["name"], (*path, "name"), "name")
        given = [key for key in _INPUTS if key in value]
        if len(given) != 1 and "error" not in value["expect"]:
            hint = f"it has {' and '.join(given) or 'none of them'}"
            self._problem(f"the case needs one of {', '.join(_INPUTS)}", path, hint)
        expect, at = value["expect"], (*path, "expect")
        if "error" in expect and len(expect) > 1:
            self._problem("error excludes all other expectations", at)
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
        self, value: dict[str, Any], path: ValuePath
    ) -> tuple[str | Path | Document, str | None]:
        top = self._document.value
        where: ValuePath = (*path, "policy") if "policy" in value else ("policy",)
        policy = value.get("policy", top.get("policy"))
        profile = value.get("profile", None if "policy" in value else top.get("profile"))
        if policy is None:
            self._problem("the case has no policy", path, "set it here or at the top of the file")
            return "builtin:default", profile
        if isinstance(policy, str):
            return (policy if policy.startswith("builtin:") else self._folder / policy), profile
        return self._inner(policy, where), profile

    def _inner(self, value: dict[str, Any], path: ValuePath) -> Document:
        """Return a part of the file as a document of its own that keeps its places."""
        whole, depth = self._document, len(path)
        values = {key[depth:]: at for key, at in whole.values.items() if key[:depth] == path}
        keys = {key[depth:]: at for key, at in whole.keys.items() if key[:depth] == path}
        return Document(whole.file, value, whole.lines, values, keys)

    def _today(self, value: dict[str, Any], path: ValuePath) -> date | None:
        where: ValuePath = (*path, "now") if "now" in value else ("now",)
        said = value.get("now", self._document.value.get("now"))
        try:
            return None if said is None else date.fromisoformat(said)
        except ValueError:
            self._problem(f"{said} is not a date", where)
            return None

    def _baseline(
        self, value: dict[str, Any], path: ValuePath
    ) -> Path | tuple[Snapshot, ...] | None:
        baseline = value.get("baseline")
        if isinstance(baseline, str):
            return self._folder / baseline
        return None if baseline is None else self._snapshots(baseline, (*path, "baseline"))

    def _snapshots(self, value: dict[str, Any], path: ValuePath) -> tuple[Snapshot, ...]:
        if "items" in value:
            return (_snapshot("task-1", {"items": value["items"]}),)
        made: list[Snapshot] = []
        ids: dict[str, ValuePath] = {}
        for index, task in enumerate(value.get("tasks", ())):
            for task_id in _ids(task, index):
                where = (*path, "tasks", index)
                if self._unique(ids, task_id, where, "task"):
                    made.append(_snapshot(task_id, task))
        return tuple(made)

    def _unique(self, seen: dict[str, ValuePath], name: str, path: ValuePath, what: str) -> bool:
        first = seen.setdefault(name, path)
        if first != path:
            line = self._document.place(first).line
            self._problem(f"duplicate {what} {name!r}", path, f"first in line {line}")
        return first == path

    def _expectations(
        self, expect: dict[str, Any], path: ValuePath, key: str
    ) -> dict[str, Expectation]:
        return {
            name: self._expectation(want, (*path, key, name))
            for name, want in expect.get(key, {}).items()
        }

    def _expectation(self, want: Any, path: ValuePath) -> Expectation:
        # The path within the case, which is short: expect.findings[0].
        return Expectation(spell_path(path[2:]), self._document.place(path, key=True).line, want)

    def _problem(self, message: str, path: ValuePath, hint: str = "") -> None:
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
