"""The published JSON Schemas, and validation that tells people what to change."""

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

    from precheck_gate.documents.yaml_document import Document, Path_

__all__ = ["check", "load_schema", "schema_text"]


def schema_text(name: str) -> str:
    """Return the text of a shipped schema; ``name`` is like ``policy-1``."""
    return (
        resources.files(__package__).joinpath("schemas", f"{name}.json").read_text(encoding="utf-8")
    )


def load_schema(name: str) -> dict[str, Any]:
    """Return a shipped schema as a value."""
    schema: dict[str, Any] = json.loads(schema_text(name))
    return schema


def check(document: Document, schema_name: str, what: str) -> None:
    """Validate a document against a shipped schema.

    Args:
        document: what was read.
        schema_name: such as ``policy-1``.
        what: the kind of document for messages, such as ``policy``.

    Raises:
        DocumentError: with every problem, in the order of the file.
    """
    problems: list[Problem] = []
    for error in _validator(schema_name).iter_errors(document.value):
        problems.extend(_explain(document, _deepest(error)))
    if problems:
        problems.sort(key=lambda problem: (problem.line, problem.column))
        raise DocumentError(f"The {what} {document.file} cannot be used.", problems)


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
    path: Path_ = tuple(error.absolute_path)
    rule: Any = error.validator_value
    instance: Any = error.instance
    if error.validator == "additionalProperties":
        known = sorted(_keyword(error, "properties", {}))
        for key in instance:
            if key not in known:
                yield document.problem(
                    f"the key {key!r} is not known here",
                    (*path, key),
                    key=True,
                    hint=_did_you_mean(key, known),
                )
        return
    if error.validator == "required":
        missing = [key for key in rule if key not in instance]
        # One error is raised for each missing key; only the one it is about is told.
        key = next((key for key in missing if repr(key) in error.message), missing[0])
        yield document.problem(
            f"the key {key!r} is missing", path, hint=_keyword(error, "$comment", "")
        )
        return
    yield document.problem(_message(error, rule), path, hint=_hint(error, rule))


_TYPE_NAMES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


def _message(error: ValidationError, rule: Any) -> str:
    shown = _shown(error.instance)
    match error.validator:
        case "type":
            # What has another type may be a file of another kind: its content is not repeated.
            kinds = [rule] if isinstance(rule, str) else rule
            wanted = " or ".join(_TYPE_NAMES[kind] for kind in kinds)
            return f"must be {wanted}, and is {_kind(error.instance)}"
        case "enum":
            return f"{shown} must be one of {', '.join(compact(choice) for choice in rule)}"
        case "const":
            return f"{shown} must be {compact(rule)}"
        case "minItems" | "minLength" | "minProperties":
            return f"{shown} must not be empty" if rule == 1 else f"{shown} is too short"
        case "uniqueItems":
            return f"{shown} has an entry twice"
        case "minimum" | "exclusiveMinimum":
            return (
                f"{shown} must be {'at least' if error.validator == 'minimum' else 'above'} {rule}"
            )
        case "maximum" | "exclusiveMaximum":
            return (
                f"{shown} must be {'at most' if error.validator == 'maximum' else 'below'} {rule}"
            )
        case "pattern":
            return f"{shown} has the wrong form"
        case _:
            return f"{shown} is not allowed here"


def _shown(value: Any) -> str:
    """Return a value that stands where one of ours belongs; of a longer one its kind alone."""
    if isinstance(value, list | dict) and value:
        return _kind(value)
    text = compact(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _kind(value: Any) -> str:
    for kind, types in (("boolean", bool), ("string", str), ("array", list), ("object", dict)):
        if isinstance(value, types):
            return _TYPE_NAMES[kind]
    return "nothing" if value is None else "a number"


def _hint(error: ValidationError, rule: Any) -> str:
    if error.validator == "enum" and isinstance(error.instance, str):
        return _did_you_mean(error.instance, [choice for choice in rule if isinstance(choice, str)])
    return str(_keyword(error, "$comment", ""))


def _keyword(error: ValidationError, name: str, default: Any) -> Any:
    return error.schema.get(name, default) if isinstance(error.schema, dict) else default


def _did_you_mean(word: str, known: list[str]) -> str:
    folded = {choice.lower(): choice for choice in known}
    near = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    if near:
        return f"did you mean {folded[near[0]]!r}?"
    return f"known: {', '.join(known)}" if known else ""
