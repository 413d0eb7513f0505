"""Find what is valid in a policy but probably a mistake. Pure.

A warning is never a false alarm: "never" holds for every answer of the service on that day and for
every profile of the file. Mistakes may be missed. An item or group that the catalogue does not know
may still be right, and the warning says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from typing import TYPE_CHECKING

from precheck_gate.model.snapshots import Status
from precheck_gate.model.verdicts import Effect
from precheck_gate.policy.globs import can_be_task_id, covers, is_glob, may_meet
from precheck_gate.policy.model import LEFT_OUT, Fit, Patterns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from precheck_gate.catalog import Catalog
    from precheck_gate.documents.yaml_document import Document, ValuePath
    from precheck_gate.errors import Problem
    from precheck_gate.policy.loading import PolicyFiles
    from precheck_gate.policy.model import Layer, Match, Origin, Policy, Required, Rule, Waiver

DIRECTIONS = ("up", "down", "non-dbs")
_CONTRADICTION = (
    "this cannot make such a task pass: DRS does not start a task with result: false, and"
    " result: true beside a FAILED item is a contradiction, which blocks unless a waiver allows it."
    " It affects only items that were skipped in DRS, and sub-tasks."
)
_PASSED = frozenset({Status.PASSED})
_KEYS = ("item", "group", "failed_reason", "task", "direction")


class LintKind(Enum):
    """The kind of probable mistake."""

    SHADOWED = "shadowed"
    NEVER_MATCHES = "never-matches"
    NO_EFFECT = "no-effect"
    UNKNOWN_NAME = "unknown-name"
    FAILED_ALLOWED = "failed-allowed"


@dataclass(frozen=True, slots=True)
class LintWarning:
    """One probable mistake, and why it matters."""

    kind: LintKind
    problem: Problem
    reason: str


@dataclass(frozen=True, slots=True)
class KnownNames:
    """The names in the catalogue."""

    items: tuple[str, ...]
    groups: tuple[str, ...]

    @classmethod
    def of(cls, catalog: Catalog) -> KnownNames:
        """Return the names of a catalogue."""
        groups = sorted({entry.group for entry in catalog.items.values() if entry.group})
        return cls(tuple(catalog.items), tuple(groups))


def suggest(pattern: str, known: Sequence[str]) -> str:
    """Return a hint with the name that was probably meant, or "" if none is close."""
    folded = {name.casefold(): name for name in known}
    if is_glob(pattern):
        alike = Patterns([pattern.casefold()])
        found = next((name for fold, name in folded.items() if alike.match(fold)), None)
        if found is not None:
            return f"patterns are case-sensitive; in another case it would match {found!r}"
    close = get_close_matches(pattern.casefold().strip("*?"), folded, n=1)
    return f"did you mean {folded[close[0]]!r}?" if close else ""


def lint(files: PolicyFiles, names: KnownNames, today: date) -> list[LintWarning]:
    """Return the probable mistakes in a policy's file, in the order of the file.

    Args:
        files: the policy. The files that it extends are not checked.
        names: the known items and groups.
        today: the date for the waivers, in UTC.

    Raises:
        DocumentError: the policy is not valid.
    """
    linter = _Linter(files.document, names, today)
    effective = {name: files.policy(name) for name in ["", *files.profiles]}
    for name, layer in files.layers.items():
        path = ("profiles", name) if name else ()
        linter.layer(layer, path, [effective[name]] if name else list(effective.values()))
    return sorted(linter.warnings, key=lambda one: (one.problem.line, one.problem.column))


class _Linter:
    def __init__(self, document: Document, names: KnownNames, today: date) -> None:
        self.warnings: list[LintWarning] = []
        self._document = document
        self._names = names
        self._today = today

    def layer(
        self,
        layer: Layer,
        path: ValuePath,
        policies: Sequence[Policy],
        task: Patterns | None = None,
    ) -> None:
        """Check one layer; ``policies`` contain it, ``task`` is its key under ``tasks:``."""
        failed = layer.statuses.get(Status.FAILED)
        if failed is not None and failed.effect is not Effect.BLOCK:
            where = (*path, "statuses", "FAILED")
            message = f"this turns FAILED into {failed.effect.value}"
            self._warn(LintKind.FAILED_ALLOWED, where, message, _CONTRADICTION)
        for index, rule in enumerate(layer.rules):
            here = (*path, "rules", index)
            self._shadowed(layer.rules[:index], rule, here)
            self._failed(rule, (*here, "effect"))
            self._match(rule.match, (*here, "match"), task)
        for index, required in enumerate(layer.required):
            here = (*path, "required_items", index)
            named = (*here, "item") if (*here, "item") in self._document.values else here
            self._known(Patterns([required.item]), named, "item", exact=True)
            self._tasks(required.task, here, task)
            self._directions(required.direction, here)
        for index, waiver in enumerate(layer.waivers):
            here = (*path, "waivers", index)
            self._match(waiver.match, (*here, "match"), task)
            useless = why_effectless(waiver, layer.waivers[:index], policies, self._today)
            if useless is not None:
                message = f"waiver {waiver.id} {useless[0]}"
                self._warn(LintKind.NO_EFFECT, here, message, useless[1])
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
        path: ValuePath,
        message: str,
        reason: str,
        *,
        hint: str = "",
        key: bool = False,
    ) -> None:
        problem = self._document.problem(message, path, key=key, hint=hint)
        self.warnings.append(LintWarning(kind, problem, reason))

    def _failed(self, rule: Rule, path: ValuePath) -> None:
        effect, statuses = rule.decision.effect, rule.match.status
        named = statuses is not None and Status.FAILED in statuses
        # A rule without a status that warns was probably written for ALARM, and does no harm.
        if (named and effect is not Effect.BLOCK) or (statuses is None and effect is Effect.ALLOW):
            message = f"the rule turns FAILED into {effect.value}"
            hint = "" if named else "add the status that you mean, such as status: ALARM"
            self._warn(LintKind.FAILED_ALLOWED, path, message, _CONTRADICTION, hint=hint)

    def _shadowed(self, earlier: Sequence[Rule], rule: Rule, path: ValuePath) -> None:
        for before in earlier:
            # If DRS left out what both look at, the stricter one decides.
            stricter = rule.decision.effect.strictness > before.decision.effect.strictness
            if stricter and may_be_in_doubt(before.match):
                continue
            if match_covers(before.match, rule.match):
                origin = before.decision.origin
                message = f"the rule has no effect: {origin.path} in line {origin.line} decides"
                reason = (
                    "the first rule that matches decides, and that rule matches whenever this one"
                    " does. Put the narrower rule first."
                )
                self._warn(LintKind.SHADOWED, path, message, reason)
                return

    def _match(self, match: Match, path: ValuePath, layer_task: Patterns | None) -> None:
        self._known(match.item, (*path, "item"), "item")
        self._known(match.group, (*path, "group"), "group")
        self._tasks(match.task, path, layer_task)
        self._directions(match.direction, path)

    def _tasks(self, task: Patterns | None, path: ValuePath, layer_task: Patterns | None) -> None:
        where = (*path, "task")
        for index, pattern in enumerate(task.texts if task else ()):
            if not can_be_task_id(pattern):
                self._no_task(self._nth(where, index), pattern)
        if not may_meet(task, layer_task):
            message = "this never matches: the enclosing key of tasks: is for other tasks"
            reason = "no task matches both this and the key under tasks:."
            self._warn(LintKind.NEVER_MATCHES, where, message, reason)

    def _no_task(self, path: ValuePath, pattern: str, *, key: bool = False) -> None:
        message = f"{pattern!r} cannot match a task ID"
        reason = (
            "a task ID has 36 characters, such as 140b5236-88ad-43c8-811c-1268453jb101, and is"
            " case-sensitive. Task names are not compared."
        )
        self._warn(LintKind.NEVER_MATCHES, path, message, reason, key=key)

    def _directions(self, direction: Patterns | None, path: ValuePath) -> None:
        for index, pattern in enumerate(direction.texts if direction else ()):
            if not any(map(Patterns([pattern]).match, DIRECTIONS)):
                message = f"{pattern!r} matches no direction"
                reason = f"DRS documents {', '.join(DIRECTIONS)}, in lower case."
                where = self._nth((*path, "direction"), index)
                hint = suggest(pattern, DIRECTIONS)
                self._warn(LintKind.NEVER_MATCHES, where, message, reason, hint=hint)

    def _known(
        self, patterns: Patterns | None, path: ValuePath, what: str, *, exact: bool = False
    ) -> None:
        known = self._names.items if what == "item" else self._names.groups
        for index, pattern in enumerate(patterns.texts if patterns else ()):
            glob = is_glob(pattern) and not exact
            if pattern in known or (glob and any(map(Patterns([pattern]).match, known))):
                continue
            message = f"the catalogue has no {what} {pattern!r}"
            reason = "DRS documents no complete list. Keep the name if DRS reported it."
            if glob:
                message = f"{pattern!r} matches no {what} in the catalogue"
            elif is_glob(pattern):
                reason = "a required item needs its exact name; globs do not work here."
            where = self._nth(path, index)
            self._warn(LintKind.UNKNOWN_NAME, where, message, reason, hint=suggest(pattern, known))

    def _nth(self, path: ValuePath, index: int) -> ValuePath:
        """Return the path of the n-th pattern: in a list, or the only one itself."""
        return (*path, index) if (*path, index) in self._document.values else path


def match_covers(wide: Match, narrow: Match) -> bool:
    """Return whether ``wide`` matches all that ``narrow`` does; True is certain, False is not.

    If DRS left something out, ``wide`` may match at least what ``narrow`` may match.
    """
    if wide.status is not None and (narrow.status is None or not narrow.status <= wide.status):
        return False
    # The item itself has no sub-task, so that not even * matches it.
    if wide.sub_task is not None and narrow.sub_task is None:
        return False
    return all(covers(getattr(wide, key), getattr(narrow, key)) for key in (*_KEYS, "sub_task"))


def may_be_in_doubt(match: Match) -> bool:
    """Return whether DRS can leave out so much of an item that the match is unknown."""
    parts = [getattr(match, key) for key in LEFT_OUT]
    return any(part is not None and part.fit("") is Fit.UNKNOWN for part in parts)


def matches_may_meet(one: Match, other: Match) -> bool:
    """Return whether an item can match one and perhaps the other; False is certain."""
    if one.status is not None and other.status is not None and not one.status & other.status:
        return False
    return all(may_meet(getattr(one, key), getattr(other, key)) for key in _KEYS)


def why_effectless(
    waiver: Waiver, earlier: Sequence[Waiver], policies: Sequence[Policy], today: date
) -> tuple[str, str] | None:
    """Return what makes a waiver useless, and why; None if it may have an effect.

    Args:
        waiver: the waiver to check.
        earlier: the waivers before it.
        policies: those that contain it, one for each profile.
        today: the date, in UTC.
    """
    if today > waiver.expires:
        return f"expired on {waiver.expires}", "remove it, or agree on a new date."
    origins = [_forbidden(policy, waiver.match) for policy in policies]
    if origins and all(origins):
        return "has no effect: never_waive covers all that it matches", f"see {origins[0]}."
    for before in earlier:
        if match_covers(before.match, waiver.match) and _outlasts(before, waiver):
            message = f"has no effect: {before.id} in line {before.origin.line} applies instead"
            return message, (
                "the first waiver that matches applies, and that one matches whenever this one"
                " does, and is valid for at least as long."
            )
    if any(_may_block(policy, waiver.match) for policy in policies):
        return None
    return "has no effect: the policy blocks nothing that it matches", (
        "a waiver turns a block into a warning, or allows the contradiction of a FAILED item. Here"
        " the rules and statuses already allow or warn, and it is not for FAILED items."
    )


def _outlasts(long: Waiver, short: Waiver) -> bool:
    """Return whether one waiver is valid on every day on which the other is."""
    begins = long.since is None or (short.since is not None and long.since <= short.since)
    return begins and long.expires >= short.expires


def _forbidden(policy: Policy, match: Match) -> Origin | None:
    """Return a place that forbids waiving all that is matched, if there is one."""
    for never in policy.never_waive:
        if (never.items and match.item and covers(never.items, match.item)) or (
            never.groups and match.group and covers(never.groups, match.group)
        ):
            return never.origin
    return None


def _may_block(policy: Policy, match: Match) -> bool:
    """Return whether something that is matched may be blocked, by a contradiction too."""
    # A FAILED item in a task that DRS calls ready blocks whatever a rule says, unlike sub-tasks.
    if match.sub_task is None and (match.status is None or Status.FAILED in match.status):
        return True
    if any(_layer_may_block(layer, match) for _, layer in policy.tasks):
        return True
    if _required_may_block(policy.required, match):
        return True
    for rule in policy.rules:
        if matches_may_meet(rule.match, match):
            if rule.decision.effect is Effect.BLOCK:
                return True
            if match_covers(rule.match, match):
                return False
    return _falls_back_to_block(policy, match)


def _layer_may_block(layer: Layer, match: Match) -> bool:
    return (
        _required_may_block(layer.required, match)
        or any(
            rule.decision.effect is Effect.BLOCK and matches_may_meet(rule.match, match)
            for rule in layer.rules
        )
        or _falls_back_to_block(layer, match)
    )


def _required_may_block(required: Iterable[Required], match: Match) -> bool:
    # Sub-tasks are never required, and an item that is PASSED satisfies a requirement.
    if match.sub_task is not None or match.status == _PASSED:
        return False
    return any(
        may_meet(match.item, Patterns([one.item]))
        and may_meet(match.task, one.task)
        and may_meet(match.direction, one.direction)
        for one in required
    )


def _falls_back_to_block(layer: Layer, match: Match) -> bool:
    wanted = match.status or frozenset(Status)
    statuses, skipped = layer.statuses, layer.skipped
    if any(statuses[one].effect is Effect.BLOCK for one in wanted if one in statuses):
        return True
    return skipped is not None and skipped.effect is Effect.BLOCK and wanted != _PASSED
