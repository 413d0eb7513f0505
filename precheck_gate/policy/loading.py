"""From files to a `Policy`: what a file extends below it, a profile on top of it."""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass, field, fields
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from precheck_gate.documents import validation
from precheck_gate.documents.yaml_document import Document, parse_document, read_document
from precheck_gate.errors import DocumentError, Problem, UsageError
from precheck_gate.policy.composition import stack
from precheck_gate.policy.model import Policy
from precheck_gate.policy.reading import LayerReader

if TYPE_CHECKING:
    from datetime import date

    from precheck_gate.policy.model import Layer, Waiver

__all__ = [
    "BUILTIN_DEFAULT",
    "PRESETS",
    "PolicyOptions",
    "builtin_policy",
    "load_policy",
    "parse_policy",
    "policy_files",
]

PRESETS = ("strict", "default", "permissive")
BUILTIN = "builtin:"
BUILTIN_DEFAULT = "builtin:default"
SCHEMA = "policy-1"
MAX_EXTENDS = 10


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """How to load a policy.

    Attributes:
        profile: the profile to put on top; None for none.
        today: the date of the judgement, by which ``max_waiver_days`` measures a waiver without
            ``since``; None to leave that out.
        outside: whether a file may extend one outside of its repository.
    """

    profile: str | None = None
    today: date | None = None
    outside: bool = False


def load_policy(path: Path | None, options: PolicyOptions | None = None) -> Policy:
    """Return the policy of a file or of ``builtin:NAME``, or the built-in default for None.

    Raises:
        UsageError: a file cannot be read, or there is no such profile.
        DocumentError: it is not YAML or JSON, or not a policy; every problem is listed.
    """
    options = options or PolicyOptions()
    if path is None:
        if options.profile:
            raise _no_profile(options.profile, [], BUILTIN_DEFAULT)
        return builtin_policy(BUILTIN_DEFAULT)
    if str(path).startswith(BUILTIN):
        return _preset_policy(str(path), options)
    return _Loader(options, path).load(read_document(path, "policy"))


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


def parse_policy(document: Document, options: PolicyOptions | None = None) -> Policy:
    """Return the policy that a document holds; what it extends is looked for beside its file.

    Raises:
        UsageError: a file cannot be read, or there is no such profile.
        DocumentError: it is not a policy; every problem is listed.
    """
    return _Loader(options or PolicyOptions(), Path(document.file)).load(document)


def _preset_policy(name: str, options: PolicyOptions) -> Policy:
    if name.removeprefix(BUILTIN) not in PRESETS:
        known = ", ".join(f"{BUILTIN}{preset}" for preset in PRESETS)
        raise UsageError(f"There is no policy {name}.", hint=f"There are {known}.")
    if options.profile:
        raise _no_profile(options.profile, [], name)
    return builtin_policy(name)


@cache
def builtin_policy(name: str) -> Policy:
    """Return a policy that ships with the package: ``builtin:`` and a name of `PRESETS`."""
    document = _preset(name)
    # The presets are validated by the tests: jsonschema is too slow to load for values we ship.
    return _policy(name, [document], stack([LayerReader(document).top()]))


@cache
def _preset(name: str) -> Document:
    place = resources.files(__package__) / "presets" / f"{name.removeprefix(BUILTIN)}.yaml"
    return parse_document(place.read_text("utf-8"), name)


def _policy(name: str, documents: list[Document], layer: Layer, profile: str = "") -> Policy:
    if layer.skipped is None:
        raise ValueError(f"{name} rests on no preset")
    digests = [hashlib.sha256("\n".join(one.lines).encode()).hexdigest() for one in documents]
    joined = hashlib.sha256("\n".join([*digests, profile]).encode()).hexdigest()
    return Policy(
        **{part.name: getattr(layer, part.name) for part in fields(layer)},
        name=name,
        digest=digests[0] if len(digests) == 1 else joined,
        sources=tuple(document.file for document in documents),
    )


@dataclass
class _Loader:
    """Loads one file with all that it extends."""

    options: PolicyOptions
    path: Path
    documents: list[Document] = field(default_factory=list)

    def load(self, document: Document) -> Policy:
        self._collect(document, self.path, [])
        readers = [LayerReader(document) for document in self.documents]
        for reader, document in zip(readers, self.documents, strict=True):
            if not document.file.startswith(BUILTIN):
                reader.check()
        # The lowest first: what is extended, then the file, then the profiles in the same order.
        layers = [reader.top() for reader in reversed(readers)]
        name = self.documents[0].file
        profile = self.options.profile
        if profile:
            found = [layer for reader in reversed(readers) if (layer := reader.profile(profile))]
            if not found:
                known = [name for reader in readers for name in reader.profiles]
                raise _no_profile(profile, known, name)
            layers += found
            name = f"{name} (profile {profile})"
        policy = _policy(name, self.documents, stack(layers), profile or "")
        _check_waivers(policy, self.options.today, self.documents)
        return policy

    def _collect(self, document: Document, path: Path, chain: list[Path]) -> None:
        validation.check(document, SCHEMA, "policy")
        self.documents.append(document)
        extends: str = document.value.get("extends", BUILTIN_DEFAULT)
        if extends.startswith(BUILTIN):
            self.documents.append(_preset(extends))
            return
        chain = [*chain, path.resolve()]
        target = path.parent / extends
        self._check_target(document, target, chain)
        self._collect(read_document(target, "policy"), target, chain)

    def _check_target(self, document: Document, target: Path, chain: list[Path]) -> None:
        message = hint = ""
        if target.resolve() in chain:
            message = "the policies extend each other in a circle"
            hint = " → ".join(path.name for path in [*chain, target.resolve()])
        elif len(chain) >= MAX_EXTENDS:
            message = f"more than {MAX_EXTENDS} policies extend each other"
        elif not self.options.outside and not _is_inside(target, chain[0]):
            message = f"{target} lies outside of the repository of {chain[0].name}"
            hint = "copy it in, or allow it with --allow-outside"
        if message:
            problem = document.problem(message, ("extends",), hint=hint)
            raise DocumentError(f"The policy {document.file} cannot be used.", [problem])


def _is_inside(target: Path, first: Path) -> bool:
    """Return whether ``target`` lies in the repository of the first policy, else in its folder."""
    root = next(
        (folder for folder in first.parents if (folder / ".git").exists()),
        first.parent,
    )
    return target.resolve().is_relative_to(root)


def _no_profile(profile: str, known: list[str], name: str) -> UsageError:
    near = difflib.get_close_matches(profile, known, n=1)
    names = ", ".join(known) or "none"
    return UsageError(
        f"The policy {name} has no profile {profile!r}.",
        hint=f"Did you mean {near[0]!r}?" if near else f"It has: {names}.",
    )


def _check_waivers(policy: Policy, today: date | None, documents: list[Document]) -> None:
    """Raise what is wrong with waivers across files: an ID twice, one that runs too long."""
    by_file = {document.file: document for document in documents}
    problems: list[Problem] = []

    def add(waiver: Waiver, message: str, hint: str) -> None:
        document = by_file[waiver.origin.file]
        problems.append(document.problem_at(message, waiver.origin.path, hint=hint))

    ids: dict[str, Waiver] = {}
    for waiver in policy.waivers:
        first = ids.setdefault(waiver.id, waiver)
        if first is not waiver:
            add(waiver, f"the waiver {waiver.id!r} stands twice", f"first in {first.origin}")
        bound = policy.max_waiver_days
        start = waiver.since or today
        if bound is not None and start is not None:
            days = (waiver.expires - start).days
            if days > bound.value:
                since = "since" if waiver.since else "from today"
                message = f"the waiver {waiver.id!r} runs {days} days {since}, over {bound.value}"
                add(waiver, message, f"the bound is {bound.origin}")
    if problems:
        raise DocumentError(f"The policy {policy.name} cannot be used.", problems)
