"""Judges the cases of a file as the gate would, and says of each whether it came out right."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from precheck_gate.catalog.advice import group_of
from precheck_gate.documents.yaml_document import Document
from precheck_gate.errors import UsageError
from precheck_gate.judgement.context import JudgementContext
from precheck_gate.judgement.run import RunJudge
from precheck_gate.judgement.task import judge_task
from precheck_gate.model.snapshots import Observation, Snapshot, Trouble, TroubleKind
from precheck_gate.policy import PolicyOptions, builtin_policy, load_policy, parse_policy
from precheck_gate.policy.model import Patterns
from precheck_gate.policy_tests.matching import Mismatch, compare
from precheck_gate.saved.reports import identities, load_baseline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from precheck_gate.policy.model import Policy
    from precheck_gate.policy_tests.case_files import CaseFile, PolicyCase
    from precheck_gate.policy_tests.coverage import Coverage

__all__ = ["Outcome", "Result", "run_cases"]

# Without waivers, nothing depends on the day.
_ANY_DAY = date(2000, 1, 1)


class Outcome(Enum):
    """What became of a case."""

    PASSED = "passed"
    FAILED = "failed"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class Result:
    """A case and what became of it.

    Attributes:
        file: the file that it stands in.
        name: its name; "" where the whole file cannot be used.
        line: where it stands; 0 for the whole file.
        outcome: what became of it.
        lines: what to tell: the differences, or why it could not be judged.
    """

    file: str
    name: str
    line: int
    outcome: Outcome
    lines: tuple[str, ...] = ()


def run_cases(file: CaseFile, coverage: Coverage, *, outside: bool = False) -> list[Result]:
    """Judge every case of a file.

    Args:
        file: the cases.
        coverage: learns what the cases exercise.
        outside: whether a policy may extend a file outside of its repository.
    """
    results = []
    for case in file.cases:
        try:
            mismatches = _run(case, coverage, outside=outside)
        except UsageError as error:
            hint = [error.hint] if error.hint else []
            lines = (*error.message.splitlines(), *hint)
            results.append(Result(file.name, case.name, case.line, Outcome.UNUSABLE, lines))
            continue
        outcome = Outcome.FAILED if mismatches else Outcome.PASSED
        told = tuple(line for mismatch in mismatches for line in mismatch.lines)
        results.append(Result(file.name, case.name, case.line, outcome, told))
    return results


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
        got = tuple(said.splitlines())
        return [Mismatch(expected.path, expected.line, " or ".join(want), got)]
    if "error" in case.expected:
        expected = case.expected["error"]
        return [Mismatch(expected.path, expected.line, "the policy is refused", ("it is not",))]
    if policy.waivers and case.today is None:
        raise UsageError(
            f"The policy {policy.name} has waivers, so that its verdict depends on the day.",
            hint="Name the day in the case, or at the top of the file: now: 2027-01-31.",
        )
    context = JudgementContext(policy, case.today or _ANY_DAY, _no_advice, group_of=group_of)
    context = JudgementContext(
        policy, context.today, _no_advice, known=_known(case, context), group_of=group_of
    )
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
        # As short as it can be, since every message and every decided_by shows it.
        return load_policy(Path(os.path.normpath(case.policy)), options)
    if case.profile is not None:
        raise UsageError(f"The policy {case.policy} has no profiles.", hint="Leave profile out.")
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
    """Return the tasks asked for, what is known of them, and what is wrong with the answers."""
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
    missing = Trouble(TroubleKind.NOT_ANSWERED, "the case says nothing of this task")
    return Observation(task_id, trouble=missing)


def _no_advice(item: str, group: str, failed_reason: str) -> str:  # noqa: ARG001
    """Stand in for the catalogue: no case asks for the next step."""
    return ""
