"""What in a policy is allowed and probably not meant: warnings, each with its place and why. Pure.

A warning is never a false alarm: where it says "never", no answer of the service, on that day and
with any profile of the file, makes it otherwise. The converse does not hold. Names that the
catalogue does not know may be right all the same, and the warning says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from precheck_gate.model.snapshots import Status
from precheck_gate.model.verdicts import Effect
from precheck_gate.policy.globs import can_be_task_id, is_glob, may_meet
from precheck_gate.policy.linting.covering import match_covers, may_be_in_doubt
from precheck_gate.policy.linting.effectless import why_effectless
from precheck_gate.policy.model import Patterns
from precheck_gate.policy.reading import LayerReader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from precheck_gate.documents.yaml_document import Document, Path_
    from precheck_gate.errors import Problem
    from precheck_gate.policy.linting.names import KnownNames
    from precheck_gate.policy.model import Layer, Match, Policy, Rule, Waiver

__all__ = ["LintKind", "LintWarning", "lint"]

DIRECTIONS = ("up", "down", "non-dbs")
_CONTRADICTION = (
    "it cannot make such a task green: with result: false DRS will not start it, and result: true"
    " beside a FAILED item is a contradiction, which blocks and which only a waiver lifts. It"
    " matters only for items that were skipped in DRS, and for sub-tasks."
)


class LintKind(Enum):
    """What sort of thing is probably not meant."""

    SHADOWED = "shadowed"
    NEVER_MATCHES = "never-matches"
    NO_EFFECT = "no-effect"
    UNKNOWN_NAME = "unknown-name"
    FAILED_ALLOWED = "failed-allowed"


@dataclass(frozen=True, slots=True)
class LintWarning:
    """One warning: of which sort, what and where, and why it matters."""

    kind: LintKind
    problem: Problem
    reason: str


def lint(
    document: Document, effective: Mapping[str, Policy], names: KnownNames, today: date
) -> list[LintWarning]:
    """Return what is probably not meant in a policy's file, in the order of the file.

    Args:
        document: the file, valid. What it extends is not looked at for its own sake.
        effective: the policy that it makes, by profile; "" for the one without a profile.
        names: the names of items and groups that are known.
        today: the day by which waivers expire, in UTC.
    """
    linter = _Linter(document, names, today)
    reader = LayerReader(document)
    linter.layer(reader.top(), (), list(effective.values()))
    for name in reader.profiles:
        layer = reader.profile(name)
        if layer is not None:
            linter.layer(layer, ("profiles", name), [effective[name]])
    return sorted(linter.warnings, key=lambda one: (one.problem.line, one.problem.column))


@dataclass
class _Linter:
    document: Document
    names: KnownNames
    today: date
    warnings: list[LintWarning] = field(default_factory=list)

    def layer(
        self, layer: Layer, path: Path_, policies: Sequence[Policy], task: Patterns | None = None
    ) -> None:
        """Look at one layer; ``policies`` are those in which it holds, ``task`` its key."""
        self._statuses(layer, path)
        for index, rule in enumerate(layer.rules):
            here = (*path, "rules", index)
            self._shadowed(layer.rules[:index], rule, here)
            self._failed(rule, here)
            self._match(rule.match, (*here, "match"), task)
        for index, required in enumerate(layer.required):
            here = (*path, "required_items", index)
            named = (*here, "item") if (*here, "item") in self.document.values else here
            self._known(Patterns([required.item]), named, "item", exact=True)
            self._tasks(required.task, here, task)
            self._directions(required.direction, here)
        for index, waiver in enumerate(layer.waivers):
            here = (*path, "waivers", index)
            self._match(waiver.match, (*here, "match"), task)
            self._waiver(layer.waivers[:index], waiver, here, policies)
        for never in layer.never_waive:
            self._known(never.items, (*path, "never_waive", "items"), "item")
            self._known(never.groups, (*path, "never_waive", "groups"), "group")
        for patterns, inner in layer.tasks:
            here = (*path, "tasks", *patterns.texts)
            if not can_be_task_id(patterns.texts[0]):
                self._no_task(here, patterns.texts[0], key=True)
            self.layer(inner, here, policies, patterns)

    def _warn(
        self,
        kind: LintKind,
        path: Path_,
        message: str,
        reason: str,
        *,
        hint: str = "",
        key: bool = False,
    ) -> None:
        problem = self.document.problem(message, path, key=key, hint=hint)
        self.warnings.append(LintWarning(kind, problem, reason))

    def _statuses(self, layer: Layer, path: Path_) -> None:
        decision = layer.statuses.get(Status.FAILED)
        if decision is not None and decision.effect is not Effect.BLOCK:
            where = (*path, "statuses", "FAILED")
            message = f"this turns FAILED into {decision.effect.value}"
            self._warn(LintKind.FAILED_ALLOWED, where, message, _CONTRADICTION)

    def _failed(self, rule: Rule, path: Path_) -> None:
        effect, statuses = rule.decision.effect, rule.match.status
        named = statuses is not None and Status.FAILED in statuses
        # A rule without a status that warns was probably written for ALARM, and does no harm.
        if (named and effect is not Effect.BLOCK) or (statuses is None and effect is Effect.ALLOW):
            message = f"the rule turns FAILED into {effect.value}"
            hint = "" if named else "name the status that is meant, such as status: ALARM"
            where = (*path, "effect")
            self._warn(LintKind.FAILED_ALLOWED, where, message, _CONTRADICTION, hint=hint)

    def _shadowed(self, earlier: Sequence[Rule], rule: Rule, path: Path_) -> None:
        for before in earlier:
            # Where DRS left out what both look at, the stricter one decides.
            stricter = rule.decision.effect.strictness > before.decision.effect.strictness
            if stricter and may_be_in_doubt(before.match):
                continue
            if match_covers(before.match, rule.match):
                origin = before.decision.origin
                message = f"the rule never decides: {origin.path} in line {origin.line} does"
                reason = (
                    "the first rule that matches decides, and that one matches whenever this one"
                    " does; put the narrower one first."
                )
                self._warn(LintKind.SHADOWED, path, message, reason)
                return

    def _match(self, match: Match, path: Path_, layer_task: Patterns | None) -> None:
        self._known(match.item, (*path, "item"), "item")
        self._known(match.group, (*path, "group"), "group")
        self._tasks(match.task, path, layer_task)
        self._directions(match.direction, path)

    def _tasks(self, task: Patterns | None, path: Path_, layer_task: Patterns | None) -> None:
        where = (*path, "task")
        for index, pattern in enumerate(task.texts if task else ()):
            if not can_be_task_id(pattern):
                self._no_task(self._nth(where, index), pattern)
        if not may_meet(task, layer_task):
            message = "it never matches: the layer that it stands in is for other tasks"
            reason = "no task matches both this and the key under tasks:."
            self._warn(LintKind.NEVER_MATCHES, where, message, reason)

    def _no_task(self, path: Path_, pattern: str, *, key: bool = False) -> None:
        message = f"{pattern!r} matches no task's ID"
        reason = (
            "an ID has 36 characters, such as 140b5236-88ad-43c8-811c-1268453jb101, and is"
            " compared as it is written; the names of tasks are not looked at."
        )
        self._warn(LintKind.NEVER_MATCHES, path, message, reason, key=key)

    def _directions(self, direction: Patterns | None, path: Path_) -> None:
        for index, pattern in enumerate(direction.texts if direction else ()):
            if not any(map(Patterns([pattern]).match, DIRECTIONS)):
                message = f"{pattern!r} matches no direction"
                reason = f"DRS documents {', '.join(DIRECTIONS)}, in just these letters."
                where = self._nth((*path, "direction"), index)
                hint = self.names.near(pattern, DIRECTIONS)
                self._warn(LintKind.NEVER_MATCHES, where, message, reason, hint=hint)

    def _known(
        self, patterns: Patterns | None, path: Path_, what: str, *, exact: bool = False
    ) -> None:
        known = self.names.items if what == "item" else self.names.groups
        for index, pattern in enumerate(patterns.texts if patterns else ()):
            glob = is_glob(pattern) and not exact
            if pattern in known or (glob and any(map(Patterns([pattern]).match, known))):
                continue
            message = f"the catalogue knows no {what} {pattern!r}"
            reason = "DRS documents no complete list: keep the name if DRS sent it to you."
            if glob:
                message = f"{pattern!r} matches no {what} that the catalogue knows"
            elif is_glob(pattern):
                reason = "a required item is named exactly: a glob is not looked at as one here."
            where = self._nth(path, index)
            hint = self.names.near(pattern, known)
            self._warn(LintKind.UNKNOWN_NAME, where, message, reason, hint=hint)

    def _nth(self, path: Path_, index: int) -> Path_:
        """Return the place of the n-th pattern: in a list, or the only one itself."""
        return (*path, index) if (*path, index) in self.document.values else path

    def _waiver(
        self, earlier: Sequence[Waiver], waiver: Waiver, path: Path_, policies: Sequence[Policy]
    ) -> None:
        found = why_effectless(waiver, earlier, policies, self.today)
        if found is not None:
            message, reason = found
            self._warn(LintKind.NO_EFFECT, path, f"the waiver {waiver.id} {message}", reason)
