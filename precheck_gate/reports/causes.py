"""What the findings of many tasks have in common: one cause, how many tasks, the next step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from precheck_gate.model.verdicts import Effect, FindingKind, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from precheck_gate.model.verdicts import Finding, RunVerdict, TaskVerdict

__all__ = ["Cause", "Causes", "follows_from_items"]

# Beyond these, causes are only counted, and tasks are only numbers.
MAX_CAUSES = 2_000
MAX_TASKS_NAMED = 12


@dataclass(slots=True)
class Cause:
    """The same thing found in one task or in many.

    Attributes:
        example: the first such finding.
        tasks: how many tasks have it; 0 for what concerns the run.
        named: the first of them.
        known: in how many tasks the baseline had it already.
        waived: in how many tasks a waiver softened it.
        varied: whether the messages differ from task to task.
    """

    example: Finding
    tasks: int = 0
    named: list[str] = field(default_factory=list)
    known: int = 0
    waived: int = 0
    varied: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        """What two findings have in common that are of the same cause."""
        return _key(self.example)

    @property
    def of_the_run(self) -> bool:
        """Whether it concerns the run as a whole."""
        return self.example.kind is FindingKind.RUN

    @property
    def of_an_item(self) -> bool:
        """Whether it is about an item or one of its sub-tasks."""
        return self.example.kind not in (FindingKind.RUN, FindingKind.TASK)


def follows_from_items(finding: Finding) -> bool:
    """Return whether items that block explain this: "result: false" is not a cause of its own.

    An error of the service, or a pre-check that has not ended, is one, whatever the items say.
    """
    own = finding.kind is FindingKind.TASK and finding.title == "result"
    return own and finding.verdict is Verdict.BLOCKED


class Causes:
    """Adds up what blocks and what warns over the tasks of a run.

    Args:
        exact: whether only findings of the very same words are one cause.
        accepted: whether to add up as well what the policy allows and DRS does not call passed.
        bound: of how many causes at most.
    """

    def __init__(
        self, *, exact: bool = False, accepted: bool = False, bound: int = MAX_CAUSES
    ) -> None:
        self._exact = exact
        self._accepted = accepted
        self._bound = bound
        self._causes: dict[tuple[str, ...], Cause] = {}
        self.left_out = 0
        """How many findings are of causes beyond the bound."""

    def add(self, task: TaskVerdict) -> None:
        """Take what speaks against one task."""
        against = [finding for finding in task.findings if self._counts(finding)]
        items_block = any(
            finding.kind is not FindingKind.TASK and finding.effect is Effect.BLOCK
            for finding in against
        )
        seen: set[tuple[str, ...]] = set()
        for finding in against:
            if not (items_block and follows_from_items(finding)):
                self._add(finding, task.task_id, seen)

    def _counts(self, finding: Finding) -> bool:
        if finding.verdict is not Verdict.PASSED:
            return True
        return self._accepted and finding.status not in ("", "PASSED")

    def _add(self, finding: Finding, task_id: str, seen: set[tuple[str, ...]]) -> None:
        key = (*_key(finding), finding.message) if self._exact else _key(finding)
        cause = self._causes.get(key)
        if cause is None:
            if len(self._causes) >= self._bound:
                self.left_out += 1
                return
            cause = self._causes[key] = Cause(finding)
        cause.varied = cause.varied or finding.message != cause.example.message
        if key in seen:
            return
        seen.add(key)
        cause.tasks += 1
        cause.known += finding.known
        cause.waived += bool(finding.waived_by)
        if len(cause.named) < MAX_TASKS_NAMED:
            cause.named.append(task_id)

    def against(self, run: RunVerdict, effect: Effect) -> list[Cause]:
        """Return the causes of an effect: the run's own first, then those of the most tasks."""
        own: Iterable[Cause] = map(Cause, run.findings)
        found = [cause for cause in (*own, *self._causes.values()) if _effect(cause) is effect]
        return sorted(found, key=lambda cause: (not cause.of_the_run, -cause.tasks))


def _effect(cause: Cause) -> Effect:
    return cause.example.effect


def _key(finding: Finding) -> tuple[str, ...]:
    own = finding.decided_by if finding.kind is FindingKind.TASK else finding.group
    what = (finding.kind.value, finding.title, finding.status, finding.failed_reason)
    return (finding.verdict.value, *what, own)  # in the page's script too: causeKey
