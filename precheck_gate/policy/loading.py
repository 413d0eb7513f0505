"""From a policy file to a `Policy`; every value keeps the line that it came from."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from precheck_gate import schemas
from precheck_gate.documents import Document, parse_document, read_document, spell_path
from precheck_gate.model import Status
from precheck_gate.policy.model import Decision, Effect, Match, Origin, Patterns, Policy, Rule

if TYPE_CHECKING:
    from pathlib import Path

    from precheck_gate.documents import Path_

__all__ = ["BUILTIN_DEFAULT", "builtin_policy", "load_policy", "parse_policy"]

BUILTIN_DEFAULT = "builtin:default"
SCHEMA = "policy-1"


def load_policy(path: Path | None) -> Policy:
    """Return the policy of a file, or the built-in default for None.

    Raises:
        UsageError: the file cannot be read.
        DocumentError: it is not YAML or JSON, or not a policy; every problem is listed.
    """
    if path is None:
        return builtin_policy(BUILTIN_DEFAULT)
    return parse_policy(read_document(path, "policy"))


def parse_policy(document: Document) -> Policy:
    """Return the policy that a document holds, validated against the published schema.

    Raises:
        DocumentError: it is not a policy; every problem is listed.
    """
    schemas.check(document, SCHEMA, "policy")
    return _build(document, builtin_policy(BUILTIN_DEFAULT))


@cache
def builtin_policy(name: str) -> Policy:
    """Return a policy that ships with the package, such as ``builtin:default``."""
    preset = name.removeprefix("builtin:")
    text = resources.files(__package__).joinpath("presets", f"{preset}.yaml").read_text("utf-8")
    # The presets are validated by the tests: jsonschema is too slow to load for a value we ship.
    return _build(parse_document(text, name), base=None)


def _build(document: Document, base: Policy | None) -> Policy:
    value: dict[str, Any] = document.value
    statuses = dict(base.statuses) if base else {}
    for status, effect in (value.get("statuses") or {}).items():
        origin = _origin(document, ("statuses", status))
        statuses[Status(status)] = Decision(Effect(effect), origin)
    limits = value.get("limits") or {}
    return Policy(
        name=document.file,
        digest=hashlib.sha256("\n".join(document.lines).encode()).hexdigest(),
        statuses=statuses,
        rules=tuple(
            _rule(rule, _origin(document, ("rules", index)))
            for index, rule in enumerate(value.get("rules") or [])
        ),
        required_items={
            item: _origin(document, ("required_items", index))
            for index, item in enumerate(value.get("required_items") or [])
        },
        max_warnings=limits.get("max_warnings"),
        max_warnings_origin=_origin(document, ("limits", "max_warnings")),
        allow_empty=bool(value.get("allow_empty")),
    )


def _rule(rule: dict[str, Any], origin: Origin) -> Rule:
    match = rule["match"]
    statuses = match.get("status")
    patterns = {
        key: Patterns(_listed(match[key]))
        for key in ("item", "group", "failed_reason", "task", "direction")
        if key in match
    }
    return Rule(
        Match(
            status=None if statuses is None else frozenset(map(Status, _listed(statuses))),
            **patterns,
        ),
        Decision(Effect(rule["effect"]), origin, rule.get("reason", "")),
    )


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _origin(document: Document, path: Path_) -> Origin:
    place = document.keys.get(path) or document.place(path)
    return Origin(document.file, place.line, spell_path(path))
