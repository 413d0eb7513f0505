"""Run test cases: judge each as the gate would, and count which rules and waivers they cover."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from precheck_gate.catalog import advise, group_of
from precheck_gate.documents.yaml_document import Document, read_document
from precheck_gate.errors import UsageError
from precheck_gate.judgement.context import JudgementContext
from precheck_gate.judgement.run import RunJudge
from precheck_gate.judgement.task import judge_task
from precheck_gate.model.snapshots import Observation, Snapshot, Trouble, TroubleKind
from precheck_gate.policy.loading import (
    BUILTIN,
    PolicyOptions,
    builtin_policy,
    layers_of,
    load_policy,
    parse_policy,
)
from precheck_gate.policy.model import Patterns
from precheck_gate.policy_tests.case_files import read_case_file
from precheck_gate.policy_tests.matching import Mismatch, compare
from precheck_gate.safetext.cleaning import clean_line
from precheck_gate.saved.reports import identities, load_baseline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from precheck_gate.model.verdicts import Finding
    from precheck_gate.policy.model import Layer, Origin, Policy
    from precheck_gate.policy_tests.case_files import PolicyCase

# Without waivers, nothing depends on the day.
_ANY_DAY = date(2000, 1, 1)


class Outcome(StrEnum):
    """The outcome of a case."""

    PASSED = "passed"
    FAILED = "failed"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a case.

    Attributes:
        file: the case's file.
        name: the case's name; "" if the whole file cannot be used.
        line: the case's line; 0 for the whole file.
        outcome: whether it passed.
        lines: the differences, or why the case cannot be run.
    """

    file: str
    name: str
    line: int
    outcome: Outcome
    lines: tuple[str, ...] = ()


# Several paths may lead to the same file, so the first part is its real path.
_Place = tuple[str, int, str]


@dataclass
class Coverage:
    """Which rules and waivers the cases exercise, in profiles and under ``tasks:`` too.

    A rule is exercised if it decides on a finding, a waiver if it waives one. Those of the built-in
    presets do not count.
    """

    _known: dict[_Place, str] = field(default_factory=dict)
    _seen: set[_Place] = field(default_factory=set)
    _read: set[tuple[str, int]] = field(default_factory=set)

    def add(self, policy: Policy, document: Document | None, findings: Iterable[Finding]) -> None:
        """Add one case: its policy, the policy's text if the case file has it, and the findings."""
        files = policy.sources
        if document is not None:
            self._learn(document.file, document)
            files = files[1:]
        for file in files:
            if not file.startswith(BUILTIN):
                self._learn(file, None)
        rules = [*policy.rules, *(rule for _, layer in policy.tasks for rule in layer.rules)]
        places = {clean_line(str(rule.decision.origin)): rule.decision.origin for rule in rules}
        waivers = {waiver.id: waiver.origin for waiver in policy.waivers}
        for finding in findings:
            for origin in (places.get(finding.decided_by), waivers.get(finding.waived_by)):
                if origin is not None:
                    self._seen.add(_place(origin))

    @property
    def total(self) -> int:
        """How many rules and waivers there are."""
        return len(self._known)

    @property
    def exercised(self) -> int:
        """How many of them a case exercises."""
        return len(self._known.keys() & self._seen)

    @property
    def percent(self) -> float:
        """The share that is exercised; 100 if there are none."""
        return 100 * self.exercised / self.total if self.total else 100.0

    @property
    def missed(self) -> list[str]:
        """``file:line path`` of each that no case exercises, in the order of the files."""
        return [self._known[place] for place in sorted(self._known.keys() - self._seen)]

    def _learn(self, file: str, document: Document | None) -> None:
        key = os.path.realpath(file), id(document.value) if document else 0
        if key in self._read:
            return
        self._read.add(key)
        for layer in layers_of(document or read_document(Path(file), "policy")).values():
            for origin, about in _parts(layer):
                self._known.setdefault(_place(origin), f"{origin}{about}")


def _parts(layer: Layer) -> Iterator[tuple[Origin, str]]:
    """Yield the origin of each rule and waiver of a layer, and what to show beside it."""
    for rule in layer.rules:
        yield rule.decision.origin, ""
    for waiver in layer.waivers:
        yield waiver.origin, f" ({waiver.id})"
    for _, inner in layer.tasks:
        yield from _parts(inner)


def _place(origin: Origin) -> _Place:
    return os.path.realpath(origin.file), origin.line, origin.path


def run_file(path: Path, coverage: Coverage, *, outside: bool = False) -> list[Result]:
    """Judge every case of a file, and add it to ``coverage``.

    ``outside`` is whether a policy may extend a file outside of its repository.
    """
    try:
        cases = read_case_file(path)
    except UsageError as error:
        return [_unusable(error, str(path))]
    results = []
    for case in cases:
        try:
            mismatches = _run(case, coverage, outside=outside)
        except UsageError as error:
            results.append(_unusable(error, str(path), case.name, case.line))
            continue
        outcome = Outcome.FAILED if mismatches else Outcome.PASSED
        lines = tuple(line for mismatch in mismatches for line in mismatch.lines)
        results.append(Result(str(path), case.name, case.line, outcome, lines))
    return results


def _unusable(error: UsageError, file: str, name: str = "", line: int = 0) -> Result:
    lines = (*error.message.splitlines(), *error.hint.splitlines())
    return Result(file, name, line, Outcome.UNUSABLE, lines)


def _run(case: PolicyCase, coverage: Coverage, *, outside: bool) -> list[Mismatch]:
    try:
        policy = _policy(case, outside=outside)
    except UsageError as error:
        expected = case.expected.get("error")
        if expected is None:
            raise
        said = "\n".join(part for part in (error.message, error.hint) if part)
        want = [expected.want] if isinstance(expected.want, str) else expected.want
        if Patterns(want).match(said):
            return []
        return [Mismatch(expected, " or ".join(want), said.splitlines())]
    if "error" in case.expected:
        expected = case.expected["error"]
        return [Mismatch(expected, "policy error", ["no error"])]
    if policy.waivers and case.today is None:
        raise UsageError(
            f"The policy {policy.name} has waivers, so the verdict depends on the date.",
            hint="Set the date in the case or at the top of the file: now: 2027-01-31.",
        )
    context = JudgementContext(policy, case.today or _ANY_DAY, advise, group_of=group_of)
    context = replace(context, known=_known(case, context))
    requested, observations, troubles = _observed(case)
    judge = RunJudge(requested, policy, context.today, strict_waivers=case.strict_waivers)
    tasks = [judge_task(observation, context) for observation in observations]
    for task in tasks:
        judge.add(task)
    run = judge.finish(troubles=troubles)
    findings = [*run.findings, *(finding for task in tasks for finding in task.findings)]
    coverage.add(policy, case.policy if isinstance(case.policy, Document) else None, findings)
    return compare(case, run, tasks)


def _policy(case: PolicyCase, *, outside: bool) -> Policy:
    options = PolicyOptions(case.profile, case.today, outside)
    if isinstance(case.policy, Document):
        return parse_policy(case.policy, options)
    if isinstance(case.policy, Path):
        # Keep the path short: every message and every decided_by shows it.
        return load_policy(Path(os.path.normpath(case.policy)), options)
    if case.profile is not None:
        raise UsageError(f"The policy {case.policy} has no profiles.", hint="Remove profile.")
    return builtin_policy(case.policy)


def _known(case: PolicyCase, context: JudgementContext) -> frozenset[tuple[str, ...]]:
    if case.baseline is None:
        return frozenset()
    if isinstance(case.baseline, Path):
        return load_baseline(case.baseline)
    return identities(judge_task(Observation(one.task_id, one), context) for one in case.baseline)


def _observed(
    case: PolicyCase,
) -> tuple[Sequence[str], Iterable[Observation], Sequence[Trouble]]:
    """Return the requested tasks, their observations, and what is wrong with the answers."""
    if case.answers:
        from precheck_gate.saved.answers import SavedAnswers

        saved = SavedAnswers(case.answers)
        requested = case.requested or saved.tasks
        unlisted = [] if case.requested else saved.shortfalls
        return requested, saved.observations(requested), [*saved.troubles, *unlisted]
    held = {snapshot.task_id: snapshot for snapshot in case.snapshots}
    requested = case.requested or tuple(held)
    return requested, [_observe(task_id, held.get(task_id)) for task_id in requested], []


def _observe(task_id: str, snapshot: Snapshot | None) -> Observation:
    if snapshot is not None:
        return Observation(task_id, snapshot)
    missing = Trouble(TroubleKind.NOT_ANSWERED, "the case does not have this task")
    return Observation(task_id, trouble=missing)
