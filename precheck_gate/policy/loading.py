"""Load policies: read a file and what it extends, check all of it, and stack the layers."""

from __future__ import annotations

import difflib
import hashlib
import re
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from precheck_gate.documents import validation
from precheck_gate.documents.strict_json import compact
from precheck_gate.documents.yaml_document import (
    Document,
    parse_document,
    read_document,
    spell_path,
)
from precheck_gate.errors import DocumentError, Problem, UsageError
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
    Policy,
    Required,
    Rule,
    Waiver,
    stack,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from precheck_gate.documents.yaml_document import ValuePath

PRESETS = ("strict", "default", "permissive")
BUILTIN = "builtin:"
BUILTIN_DEFAULT = "builtin:default"
_BUILTINS = tuple(f"{BUILTIN}{preset}" for preset in PRESETS)
SCHEMA = "policy-1"
MAX_EXTENDS = 10
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")  # as in the schema


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """How to load a policy.

    Attributes:
        profile: the profile to put on top; None for none.
        today: the date of the judgement, from which ``max_waiver_days`` counts for a waiver without
            ``since``; None skips that check.
        outside: whether a file may extend one outside of its repository.
    """

    profile: str | None = None
    today: date | None = None
    outside: bool = False


def load_policy(path: Path | None, options: PolicyOptions | None = None) -> Policy:
    """Load the policy of a file or of ``builtin:NAME``; None means the built-in default.

    Raises:
        UsageError: a file cannot be read, or there is no such profile.
        DocumentError: the policy is not valid; every problem is listed.
    """
    options = options or PolicyOptions()
    if path is None:
        path = Path(BUILTIN_DEFAULT)
    if str(path).startswith(BUILTIN) and not options.profile:
        return builtin_policy(str(path))
    return parse_policy(read_policy(path), options)


def read_policy(path: Path) -> Document:
    """Read a policy's file, or one that ships with the package; see `load_policy`."""
    return _preset(str(path)) if str(path).startswith(BUILTIN) else read_document(path, "policy")


def parse_policy(document: Document, options: PolicyOptions | None = None) -> Policy:
    """Load the policy in a document; a file that it extends is relative to the document's file.

    Raises:
        UsageError: a file cannot be read, or there is no such profile.
        DocumentError: the policy is not valid; every problem is listed.
    """
    options = options or PolicyOptions()
    return PolicyFiles(document, options).policy(options.profile)


@cache
def builtin_policy(name: str) -> Policy:
    """Return a policy that ships with the package: ``builtin:`` and a name of `PRESETS`."""
    # The tests validate the presets: jsonschema is too slow to load for values that we ship.
    document = _preset(name)
    return _policy(name, [document], layers_of(document)[""])


@cache
def _preset(name: str) -> Document:
    if name not in _BUILTINS:
        hint = f"Built-in policies: {', '.join(_BUILTINS)}."
        raise UsageError(f"There is no policy {name}.", hint=hint)
    place = resources.files(__package__) / "presets" / f"{name.removeprefix(BUILTIN)}.yaml"
    return parse_document(place.read_text("utf-8"), name)


def policy_files(path: Path) -> list[Path]:
    """Return a policy's file and those that it extends, as far as they can be read."""
    found: list[Path] = []
    while len(found) <= MAX_EXTENDS and path not in found:
        found.append(path)
        try:
            value = read_document(path, "policy").value
        except UsageError:
            break
        extends = value.get("extends") if isinstance(value, dict) else None
        if not isinstance(extends, str) or extends.startswith(BUILTIN):
            break
        path = path.parent / extends
    return found


# A layer as it is in the file: its document, its path, and its value, valid or not.
_RawLayer = tuple[Document, "ValuePath", dict[str, Any]]


class PolicyFiles:
    """A policy's file with all that it extends, read and checked once for all its profiles.

    Args:
        document: the file.
        options: how to load it; the profile is an argument of `policy`.

    Raises:
        UsageError: a file that it extends cannot be read.
    """

    def __init__(self, document: Document, options: PolicyOptions) -> None:
        self.document = document
        self._options = options
        self._documents: list[Document] = []
        self._problems: list[Problem] = []
        self._collect(document)
        self._raw = list(map(_raw_layers, self._documents))
        self._layers = [] if self._problems else list(map(layers_of, self._documents))

    @property
    def layers(self) -> dict[str, Layer]:
        """The layers of the file itself, as `layers_of` returns them; the policy is valid."""
        return self._layers[0]

    @property
    def profiles(self) -> list[str]:
        """The names of the profiles in all files."""
        return [name for name in dict.fromkeys(name for raw in self._raw for name in raw) if name]

    def policy(self, profile: str | None = None) -> Policy:
        """Return the policy with this profile on top.

        Raises:
            UsageError: there is no such profile.
            DocumentError: the policy is not valid; every problem is listed.
        """
        # The lowest first: what is extended, then the file, then the profiles in the same order.
        names = ["", profile] if profile else [""]
        raw = [one[name] for name in names for one in reversed(self._raw) if name in one]
        problems = [*self._problems, *_waiver_problems(raw, self._options.today, bounded=True)]
        name = self.document.file
        if problems:
            raise DocumentError(f"The policy {name} cannot be used.", in_order(problems))
        if profile and profile not in self.profiles:
            raise _no_profile(profile, self.profiles, name)
        layers = [one[name] for name in names for one in reversed(self._layers) if name in one]
        if profile:
            name = f"{name} (profile {profile})"
        return _policy(name, self._documents, stack(layers), profile or "")

    def _collect(self, document: Document) -> None:
        """Read and check a file and all that it extends, as far as that can be found."""
        chain: list[Path] = []
        while True:
            self._documents.append(document)
            # By identity, as a file of the user may have the same name.
            if document.file in _BUILTINS and document is _preset(document.file):
                return
            wrong = validation.find_problems(document, SCHEMA)
            self._problems += wrong
            self._problems += _waiver_problems(list(_raw_layers(document).values()))
            if not isinstance(document.value, dict) or any(one.path == "extends" for one in wrong):
                return
            extends: str = document.value.get("extends", BUILTIN_DEFAULT)
            if extends.startswith(BUILTIN):
                document = _preset(extends)
                continue
            path = Path(document.file)
            chain.append(path.resolve())
            target = path.parent / extends
            refused = self._refuse(document, target, chain)
            if refused:
                self._problems.append(refused)
                return
            try:
                document = read_document(target, "policy")
            except UsageError as error:
                if not self._problems:
                    raise
                self._problems += problems_of(error, target)
                return

    def _refuse(self, document: Document, target: Path, chain: list[Path]) -> Problem | None:
        """Return why a document may not extend ``target``, if so."""
        hint = ""
        if target.resolve() in chain:
            message = "the policies extend each other in a circle"
            hint = " → ".join(path.name for path in [*chain, target.resolve()])
        elif len(chain) >= MAX_EXTENDS:
            message = f"more than {MAX_EXTENDS} policies extend each other"
        elif not self._options.outside and not _is_inside(target, chain[0]):
            message = f"{target} is outside of the repository of {chain[0].name}"
            hint = "copy it into the repository, or allow it with --allow-outside"
        else:
            return None
        return document.problem(message, ("extends",), hint=hint)


def problems_of(error: UsageError, file: Path) -> list[Problem]:
    """Return the problems that an error lists, or the error as one problem of a file."""
    if isinstance(error, DocumentError):
        return list(error.problems)
    return [Problem(error.message, str(file), hint=error.hint)]


def in_order(problems: Sequence[Problem]) -> list[Problem]:
    """Return each problem once, sorted by line; the files stay in the order of their first."""
    files = list(dict.fromkeys(problem.file for problem in problems))
    unique: dict[tuple[str | int, ...], Problem] = {}
    for one in problems:
        unique.setdefault((one.file, one.line, one.column, one.message), one)
    return sorted(unique.values(), key=lambda one: (files.index(one.file), one.line, one.column))


def _is_inside(target: Path, first: Path) -> bool:
    """Return whether ``target`` is in the repository of the first policy, or else in its folder."""
    root = next((one for one in first.parents if (one / ".git").exists()), first.parent)
    return target.resolve().is_relative_to(root)


def _no_profile(profile: str, known: list[str], name: str) -> UsageError:
    near = difflib.get_close_matches(profile, known, n=1)
    names = ", ".join(known) or "none"
    return UsageError(
        f"The policy {name} has no profile {profile!r}.",
        hint=f"Did you mean {near[0]!r}?" if near else f"Its profiles: {names}.",
    )


def _policy(name: str, documents: list[Document], layer: Layer, profile: str = "") -> Policy:
    if layer.skipped is None:
        raise ValueError(f"{name} does not extend a preset")
    digests = [hashlib.sha256("\n".join(one.lines).encode()).hexdigest() for one in documents]
    joined = hashlib.sha256("\n".join([*digests, profile]).encode()).hexdigest()
    return Policy(
        **{part.name: getattr(layer, part.name) for part in fields(layer)},
        name=name,
        digest=digests[0] if len(digests) == 1 else joined,
        sources=tuple(document.file for document in documents),
    )


def _raw_layers(document: Document) -> dict[str, _RawLayer]:
    """Return the file's own layer under "", and each profile under its name."""
    if not isinstance(document.value, dict):
        return {}
    found: dict[str, _RawLayer] = {"": (document, (), document.value)}
    profiles = document.value.get("profiles")
    for name, value in profiles.items() if isinstance(profiles, dict) else ():
        if isinstance(value, dict):
            found.setdefault(name, (document, ("profiles", name), value))
    return found


def _waiver_problems(
    layers: Sequence[_RawLayer], today: date | None = None, *, bounded: bool = False
) -> Iterator[Problem]:
    """Yield what the schema cannot see in the waivers of some layers, the lowest first.

    The layers may break the schema: a value of the wrong form is passed over. ``bounded`` applies
    ``max_waiver_days``.
    """
    bounds = [
        Placed(days, _origin(document, (*path, "max_waiver_days")))
        for document, path, value in layers
        if isinstance(days := value.get("max_waiver_days"), int | float)
    ]
    bound = min(bounds, key=lambda one: one.value) if bounds and bounded else None
    first: dict[str, Origin] = {}
    for document, path, waiver in _raw_waivers(layers):
        name, dates = waiver.get("id"), {}
        for key in ("since", "expires"):
            value = waiver.get(key)
            if isinstance(value, str) and _DAY.fullmatch(value):
                try:
                    dates[key] = date.fromisoformat(value)
                except ValueError:
                    yield document.problem(f"{value} is not a date", (*path, key))
        if isinstance(name, str):
            here = _origin(document, path)
            if first.setdefault(name, here) != here:
                hint = f"first in {first[name]}"
                yield document.problem(f"duplicate waiver ID {compact(name)}", path, hint=hint)
        since, expires = dates.get("since"), dates.get("expires")
        if since and expires and since > expires:
            yield document.problem("expires is earlier than since", path)
        start = since or today
        if bound and start and expires and (expires - start).days > bound.value:
            runs = f"{(expires - start).days} days from {'since' if since else 'today'}"
            message = f"waiver {compact(name)} runs {runs}, over {bound.value}"
            yield document.problem(message, path, hint=f"limit set in {bound.origin}")


def _raw_waivers(layers: Sequence[_RawLayer]) -> Iterator[_RawLayer]:
    for document, path, value in layers:
        waivers = value.get("waivers")
        for index, waiver in enumerate(waivers if isinstance(waivers, list) else ()):
            if isinstance(waiver, dict):
                yield document, (*path, "waivers", index), waiver


def _origin(document: Document, path: ValuePath) -> Origin:
    return Origin(document.file, document.place(path, key=True).line, spell_path(path))


def layers_of(document: Document) -> dict[str, Layer]:
    """Return the layers of a valid document: its own under "", and its profiles by name."""
    return {
        name: _LayerReader(document).layer(value, path)
        for name, (_, path, value) in _raw_layers(document).items()
    }


class _LayerReader:
    """Reads layers of a valid document; every value keeps its place."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def layer(self, value: dict[str, Any], path: ValuePath) -> Layer:
        never_waive, limits = value.get("never_waive"), value.get("limits", {})
        return Layer(
            statuses={
                Status(status): Decision(Effect(effect), self._origin(*path, "statuses", status))
                for status, effect in value.get("statuses", {}).items()
            },
            skipped=Decision(Effect(value["skipped"]), self._origin(*path, "skipped"))
            if "skipped" in value
            else None,
            rules=tuple(
                Rule(
                    _match(rule["match"]),
                    Decision(Effect(rule["effect"]), origin, rule.get("reason", "")),
                )
                for rule, origin in self._list(value, path, "rules")
            ),
            required=tuple(
                _required({"item": one} if isinstance(one, str) else one, origin)
                for one, origin in self._list(value, path, "required_items")
            ),
            limits=Limits(**{key: self._placed(limits, (*path, "limits"), key) for key in limits}),
            allow_empty=self._placed(value, path, "allow_empty"),
            waivers=tuple(
                _waiver(one, origin) for one, origin in self._list(value, path, "waivers")
            ),
            never_waive=()
            if never_waive is None
            else (
                NeverWaive(
                    self._origin(*path, "never_waive"),
                    _patterns(never_waive.get("items")),
                    _patterns(never_waive.get("groups")),
                ),
            ),
            max_waiver_days=self._placed(value, path, "max_waiver_days"),
            known_warnings=self._placed(
                value.get("baseline", {}), (*path, "baseline"), "known_warnings"
            ),
            tasks=tuple(
                (Patterns([pattern]), self.layer(layer, (*path, "tasks", pattern)))
                for pattern, layer in value.get("tasks", {}).items()
            ),
        )

    def _list(
        self, value: dict[str, Any], path: ValuePath, key: str
    ) -> Iterator[tuple[Any, Origin]]:
        for index, one in enumerate(value.get(key, ())):
            yield one, self._origin(*path, key, index)

    def _placed(self, value: dict[str, Any], path: ValuePath, key: str) -> Placed[Any] | None:
        return Placed(value[key], self._origin(*path, key)) if key in value else None

    def _origin(self, *path: str | int) -> Origin:
        return _origin(self._document, path)


def _required(value: dict[str, Any], origin: Origin) -> Required:
    task, direction = _patterns(value.get("task")), _patterns(value.get("direction"))
    return Required(value["item"], origin, task, direction)


def _waiver(value: dict[str, Any], origin: Origin) -> Waiver:
    return Waiver(
        id=value["id"],
        match=_match(value["match"]),
        reason=value["reason"],
        owner=value["owner"],
        expires=date.fromisoformat(value["expires"]),
        origin=origin,
        since=date.fromisoformat(value["since"]) if "since" in value else None,
        ticket=value.get("ticket", ""),
    )


def _match(value: dict[str, Any]) -> Match:
    statuses = value.get("status")
    return Match(
        status=None if statuses is None else frozenset(map(Status, listed(statuses))),
        **{key: _patterns(patterns) for key, patterns in value.items() if key != "status"},
    )


def _patterns(value: str | list[str] | None) -> Patterns | None:
    return None if value is None else Patterns(listed(value))


def listed(value: str | list[str]) -> list[str]:
    """Return the texts of a field that takes one text or a list of them."""
    return [value] if isinstance(value, str) else value
