"""The second key: a plain check that every green must pass besides the judgement. Pure.

It shares no code with the judgement: it reads only the requested task IDs, what the service sent
for each, the findings, and the exit code. A disagreement is a bug and ends in exit code 70.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.model.snapshots import Observation
    from precheck_gate.model.verdicts import Finding, RunVerdict
    from precheck_gate.policy.model import Policy


GREEN = ("passed", "passed_with_warnings")


class SecondKey:
    """Checks a run; ``max_age`` is the greatest age of an answer in seconds, None offline."""

    def __init__(self, requested: Sequence[str], policy: Policy, max_age: float | None) -> None:
        self._open, self._policy, self._max_age = dict.fromkeys(requested), policy, max_age
        self._objections: list[str] = []
        if not requested or len(self._open) < len(requested):
            self._objections.append("no task was requested, or one twice")
        if len(policy.digest) != 64:
            self._objections.append("the policy has no digest")

    def see(self, seen: Observation, findings: Sequence[Finding]) -> None:
        """Take what is known of one task, and the findings about it."""
        task, snapshot = seen.task_id, seen.snapshot
        requested = self._open.pop(task, "no") is None
        if snapshot is None or seen.trouble is not None or not requested:
            self._objections.append(f"task {task} has no result, was not requested, or came twice")
            return
        fresh = self._max_age is None or (seen.age is not None and seen.age <= self._max_age)
        for true, objection in (
            (snapshot.task_id == task, "has the result of another task"),
            (_is_100(snapshot.raw_progress), "is not at 100 %"),
            (snapshot.raw_result == "true", "has a result that is not true"),
            (snapshot.items or self._may_be_empty(task), "has no items"),
            (len(findings) > len(snapshot.items), "has items that were not judged"),
            (all(one.verdict.value in GREEN for one in findings), "has a finding that blocks"),
            (fresh, "has an answer that is too old"),
        ):
            if not true:
                self._objections.append(f"task {task} {objection}")

    def objections(self, run: RunVerdict, code: int, *, advisory: bool) -> list[str]:
        """Return the objections to this verdict and exit code; empty if there are none."""
        verdicts = [run.verdict.value, *(one.verdict.value for one in run.findings)]
        if verdicts[0] not in GREEN and (code or (advisory and verdicts[0] == "blocked")):
            return []
        unseen = [f"task {task} was not judged" for task in self._open]
        red = [f"the run is {word}" for word in verdicts if word not in GREEN]
        return self._objections + unseen + red

    def _may_be_empty(self, task: str) -> bool:
        layers = [one for ids, one in self._policy.tasks if any(_fits(task, t) for t in ids.texts)]
        said = [one.allow_empty for one in (self._policy, *layers) if one.allow_empty is not None]
        return bool(said) and said[-1].value is True


def _fits(task: str, pattern: str) -> bool:
    return pattern == task or fnmatchcase(task, pattern)


def _is_100(raw: str) -> bool:
    try:
        return Decimal(raw.strip('"').removesuffix("%").removesuffix(" ")) == 100
    except InvalidOperation:
        return False
