"""From a validated document to layers; every value keeps the line that it came from."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from precheck_gate.documents.yaml_document import spell_path
from precheck_gate.errors import DocumentError, Problem
from precheck_gate.model.snapshots import Status
from precheck_gate.model.verdicts import Effect
from precheck_gate.policy.model import (
    Decision,
    Layer,
    Limits,
    Match,
    NeverWaive,
    Origin,
    Patterns,
    Placed,
    Required,
    Rule,
    Waiver,
)

if TYPE_CHECKING:
    from precheck_gate.documents.yaml_document import Document, Path_

__all__ = ["LayerReader", "listed"]

_PATTERN_KEYS = ("item", "group", "failed_reason", "task", "direction", "sub_task")


class LayerReader:
    """Reads the layers of one document; collects what the schema cannot see.

    Args:
        document: validated against the schema of policies.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self.problems: list[Problem] = []

    def top(self) -> Layer:
        """Return the layer that the file itself is."""
        return self._layer(self._document.value, ())

    def profile(self, name: str) -> Layer | None:
        """Return the layer of a profile, or None where the file has none of that name."""
        profiles = self._document.value.get("profiles") or {}
        return self._layer(profiles[name], ("profiles", name)) if name in profiles else None

    @property
    def profiles(self) -> list[str]:
        """The names of the profiles of this file."""
        return list(self._document.value.get("profiles") or {})

    def check(self) -> None:
        """Read every layer, and raise what the schema could not see.

        Raises:
            DocumentError: a date that does not exist, a waiver that ends before it begins, a
                waiver's ID twice.
        """
        ids: dict[str, Waiver] = {}
        for layer in [self.top(), *map(self.profile, self.profiles)]:
            for waiver in layer.waivers if layer else ():
                self._check_waiver(waiver, ids)
        if self.problems:
            self.problems.sort(key=lambda problem: (problem.line, problem.column))
            what = f"The policy {self._document.file} cannot be used."
            raise DocumentError(what, self.problems)

    def _check_waiver(self, waiver: Waiver, ids: dict[str, Waiver]) -> None:
        first = ids.setdefault(waiver.id, waiver)
        path = waiver.origin.path
        if first is not waiver:
            self._problem_at(waiver, f"the waiver {waiver.id!r} stands twice", str(first.origin))
        if waiver.since is not None and waiver.since > waiver.expires:
            self._problem_at(waiver, "the waiver expires before it begins", path)

    def _problem_at(self, waiver: Waiver, message: str, hint: str) -> None:
        self.problems.append(self._document.problem_at(message, waiver.origin.path, hint=hint))

    def _layer(self, value: dict[str, Any], path: Path_) -> Layer:
        never_waive = value.get("never_waive")
        return Layer(
            statuses={
                Status(status): Decision(Effect(effect), self._origin((*path, "statuses", status)))
                for status, effect in value.get("statuses", {}).items()
            },
            skipped=self._decision(value, path, "skipped"),
            rules=tuple(
                self._rule(rule, (*path, "rules", index))
                for index, rule in enumerate(value.get("rules", ()))
            ),
            required=tuple(
                self._required(one, (*path, "required_items", index))
                for index, one in enumerate(value.get("required_items", ()))
            ),
            limits=self._limits(value.get("limits", {}), (*path, "limits")),
            allow_empty=self._placed(value, path, "allow_empty"),
            waivers=tuple(
                waiver
                for index, one in enumerate(value.get("waivers", ()))
                if (waiver := self._waiver(one, (*path, "waivers", index))) is not None
            ),
            never_waive=()
            if never_waive is None
            else (self._never_waive(never_waive, (*path, "never_waive")),),
            max_waiver_days=self._placed(value, path, "max_waiver_days"),
            known_warnings=self._placed(
                value.get("baseline", {}), (*path, "baseline"), "known_warnings"
            ),
            tasks=tuple(
                (Patterns([pattern]), self._layer(layer, (*path, "tasks", pattern)))
                for pattern, layer in value.get("tasks", {}).items()
            ),
        )

    def _decision(self, value: dict[str, Any], path: Path_, key: str) -> Decision | None:
        if key not in value:
            return None
        return Decision(Effect(value[key]), self._origin((*path, key)))

    def _placed(self, value: dict[str, Any], path: Path_, key: str) -> Placed[Any] | None:
        return Placed(value[key], self._origin((*path, key))) if key in value else None

    def _limits(self, value: dict[str, Any], path: Path_) -> Limits:
        return Limits(
            max_warnings=self._placed(value, path, "max_warnings"),
            max_warnings_per_task=self._placed(value, path, "max_warnings_per_task"),
            min_passed_rate=self._placed(value, path, "min_passed_rate"),
        )

    def _rule(self, rule: dict[str, Any], path: Path_) -> Rule:
        decision = Decision(Effect(rule["effect"]), self._origin(path), rule.get("reason", ""))
        return Rule(_match(rule["match"]), decision)

    def _required(self, value: str | dict[str, Any], path: Path_) -> Required:
        if isinstance(value, str):
            return Required(value, self._origin(path))
        return Required(
            value["item"],
            self._origin(path),
            task=_patterns(value.get("task")),
            direction=_patterns(value.get("direction")),
        )

    def _never_waive(self, value: dict[str, Any], path: Path_) -> NeverWaive:
        return NeverWaive(
            self._origin(path), _patterns(value.get("items")), _patterns(value.get("groups"))
        )

    def _waiver(self, value: dict[str, Any], path: Path_) -> Waiver | None:
        expires = self._date(value, path, "expires")
        since = self._date(value, path, "since") if "since" in value else None
        if expires is None:
            return None
        return Waiver(
            id=value["id"],
            match=_match(value["match"]),
            reason=value["reason"],
            owner=value["owner"],
            expires=expires,
            origin=self._origin(path),
            since=since,
            ticket=value.get("ticket", ""),
        )

    def _date(self, value: dict[str, Any], path: Path_, key: str) -> date | None:
        try:
            return date.fromisoformat(value[key])
        except ValueError:
            message = f"{value[key]} is not a date"
            self.problems.append(self._document.problem(message, (*path, key)))
            return None

    def _origin(self, path: Path_) -> Origin:
        place = self._document.keys.get(path) or self._document.place(path)
        return Origin(self._document.file, place.line, spell_path(path))


def _match(value: dict[str, Any]) -> Match:
    statuses = value.get("status")
    return Match(
        status=None if statuses is None else frozenset(map(Status, listed(statuses))),
        **{key: _patterns(value.get(key)) for key in _PATTERN_KEYS},
    )


def _patterns(value: str | list[str] | None) -> Patterns | None:
    return None if value is None else Patterns(listed(value))


def listed(value: str | list[str]) -> list[str]:
    """Return the texts of a field that takes one or a list of them."""
    return [value] if isinstance(value, str) else value
