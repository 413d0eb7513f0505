"""The published JSON Schemas, and validation whose messages say what to change."""

from __future__ import annotations

import difflib
import functools
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from precheck_gate.documents.strict_json import compact
from precheck_gate.errors import DocumentError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

    from precheck_gate.documents.yaml_document import Document


def schema_text(name: str) -> str:
    """Return the text of a shipped schema; ``name`` is like ``policy-1``."""
    return (resources.files(__package__) / "schemas" / f"{name}.json").read_text(encoding="utf-8")


def load_schema(name: str) -> dict[str, Any]:
    """Return a shipped schema as a value."""
    schema: dict[str, Any] = json.loads(schema_text(name))
    return schema


def check(document: Document, schema_name: str, what: str) -> None:
    """Validate a document against a shipped schema; ``what`` names its kind in messages.

    Raises:
        DocumentError: with every problem, in the order of the file.
    """
    problems = find_problems(document, schema_name)
    if problems:
        raise DocumentError(f"The {what} {document.file} cannot be used.", problems)


def find_problems(document: Document, schema_name: str) -> list[Problem]:
    """Return every violation of a shipped schema, in the order of the file."""
    errors = _validator(schema_name).iter_errors(document.value)
    problems = [problem for error in errors for problem in _explain(document, _deepest(error))]
    return sorted(problems, key=lambda problem: (problem.line, problem.column))


@functools.cache
def _validator(schema_name: str) -> Validator:
    import jsonschema

    return jsonschema.Draft202012Validator(load_schema(schema_name))


def _deepest(error: ValidationError) -> ValidationError:
    """Return the branch of an anyOf or oneOf that the author most likely meant."""
    while error.context:
        # The branch that got furthest into the value, then one of the value's own type.
        error = max(
            error.context,
            key=lambda branch: (len(branch.absolute_path), branch.validator != "type"),
        )
    return error


def _explain(document: Document, error: ValidationError) -> Iterator[Problem]:
    path = tuple(error.absolute_path)
    rule: Any = error.validator_value
    instance: Any = error.instance
    schema = error.schema if isinstance(error.schema, dict) else {}
    hint = schema.get("$comment", "")
    if error.validator == "additionalProperties":
        known = sorted(schema.get("properties", {}))
        for key in instance:
            if key not in known:
                hint = _did_you_mean(key, known)
                yield document.problem(f"unknown key {key!r}", (*path, key), key=True, hint=hint)
    elif error.validator == "required":
        missing = [key for key in rule if key not in instance]
        # There is one error for each missing key; report only the one that this is about.
        key = next((key for key in missing if repr(key) in error.message), missing[0])
        yield document.problem(f"missing key {key!r}", path, hint=hint)
    else:
        if error.validator == "enum" and isinstance(instance, str):
            hint = _did_you_mean(instance, [choice for choice in rule if isinstance(choice, str)])
        yield document.problem(_message(error, rule), path, hint=hint)


_TYPE_NAMES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}

_LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


def _message(error: ValidationError, rule: Any) -> str:
    shown = _shown(error.instance)
    match error.validator:
        case "type":
            # A value of another type may be from the wrong file, so do not quote it.
            kinds = [rule] if isinstance(rule, str) else rule
            wanted = " or ".join(_TYPE_NAMES[kind] for kind in kinds)
            return f"must be {wanted}, not {_kind(error.instance)}"
        case "enum":
            return f"{shown} must be one of {', '.join(map(compact, rule))}"
        case "const":
            return f"{shown} must be {compact(rule)}"
        case "minItems" | "minLength" | "minProperties":
            return f"{shown} must not be empty" if rule == 1 else f"{shown} is too short"
        case "uniqueItems":
            return f"{shown} contains a duplicate"
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
            return f"{shown} must be {_LIMITS[error.validator]} {rule}"
        case "pattern":
            return f"{shown} has an invalid format"
        case _:
            return f"{shown} is not allowed here"


def _shown(value: Any) -> str:
    """Return a scalar as it is, and only the kind of a list or mapping."""
    if isinstance(value, list | dict) and value:
        return _kind(value)
    text = compact(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _kind(value: Any) -> str:
    for kind, types in (("boolean", bool), ("string", str), ("array", list), ("object", dict)):
        if isinstance(value, types):
            return _TYPE_NAMES[kind]
    return "nothing" if value is None else "a number"


def _did_you_mean(word: str, known: list[str]) -> str:
    folded = {choice.lower(): choice for choice in known}
    near = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    if near:
        return f"did you mean {folded[near[0]]!r}?"
    return f"expected one of: {', '.join(known)}" if known else ""
